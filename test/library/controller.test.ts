import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ANNOTATIONS } from '../../src/api/index.ts';
import { SECRETS } from '../../src/kube/index.ts';
import { DOMAIN_LIBRARIES } from '../../src/library/index.ts';
import { CANARY, NAMESPACE, Room } from './room.ts';

let room: Room;
beforeEach(async () => {
  room = await Room.start();
});
afterEach(() => room.stop());

const points = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({
    id: from + index,
    vector: [1, index, 3],
    payload: { text: `point ${from + index}`, language: index % 2 === 0 ? 'en' : 'de' },
  }));

async function prepared(): Promise<void> {
  await room.putKey(CANARY);
  await room.createCluster();
  room.startOperator();
}

test('a library is made, bound and changed in place and by a new generation, within its rights; a steady resync writes nothing', async () => {
  await prepared();
  await room.createLibrary({ payloadIndexes: [{ field: 'language', type: 'keyword' }], aliases: ['manual'] });
  await room.ready();
  assert.deepEqual(
    Object.fromEntries((await room.qdrant.aliases()).map(({ alias, collection }) => [alias, collection])),
    { docs: 'docs--g1', manual: 'docs--g1' },
  );
  const secret = await room.admin.get(SECRETS, { namespace: NAMESPACE, name: 'docs-binding' });
  const text = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
  assert.equal(secret.type, 'servicebinding.io/qdrant');
  assert.deepEqual(
    [text('type'), text('collection'), text('uri'), text('api-key')],
    ['qdrant', 'docs', room.url, CANARY],
  );

  await room.qdrant.upsert('docs', points(0, 300));
  await room.change({ spec: { hnsw: { m: 24 }, payloadIndexes: [{ field: 'text', type: 'text' }] } });
  await room.ready();
  await room.until(async () => {
    const info = await room.qdrant.collection('docs');
    return info.config.hnsw_config.m === 24 && Object.keys(info.payload_schema).join() === 'text';
  });

  const writing = new AbortController();
  const acknowledged = writeOn(writing.signal);
  await room.change({ spec: { shards: { number: 3 } } });
  await room.until(async () => (await room.library()).status?.generation === 2);
  await room.ready();
  writing.abort();
  const written = await acknowledged;
  assert.equal((await room.qdrant.collection('docs')).config.params.shard_number, 3);
  const found = new Set<number>();
  for await (const point of room.qdrant.scrollAll('docs')) found.add(Number(point.id));
  assert.deepEqual(
    written.filter((id) => !found.has(id)),
    [],
    'no acknowledged write is lost',
  );
  assert.equal(found.size, 300 + written.length);
  const { status } = await room.library();
  assert.deepEqual(
    status?.generations?.map(({ number, state }) => [number, state]),
    [
      [1, 'Retired'],
      [2, 'Active'],
    ],
  );
  assert.match(status?.generations?.[1]?.digest ?? '', /^\d+-[0-9a-f]{32}$/);
  assert.equal(status?.change, undefined);

  await sleep(300);
  room.writes();
  await sleep(800);
  assert.deepEqual(room.writes(), []);
  assert.equal(room.forbidden(), 0);
  assert.ok(!(await room.everythingSaid()).includes(CANARY), 'the key stands in no object, log or event');
});

/** Writes one point after the other until told to stop; gives the ids that were acknowledged. */
async function writeOn(signal: AbortSignal): Promise<number[]> {
  const acknowledged: number[] = [];
  for (let id = 10_000; !signal.aborted; id += 1) {
    try {
      await room.qdrant.upsert('docs', [{ id, vector: [1, 2, 3], payload: {} }], { attempts: 1 });
      acknowledged.push(id);
    } catch {
      await sleep(20);
    }
    await sleep(2);
  }
  return acknowledged;
}

test('the worker is killed and the operator restarted in the middle: the change is finished', async () => {
  await prepared();
  await room.createLibrary();
  await room.ready();
  await room.qdrant.upsert('docs', points(0, 200));
  await room.change({ spec: { shards: { number: 2 } } });
  await room.until(
    async () =>
      (await room.library()).status?.change?.job !== undefined ||
      (await room.library()).status?.change?.step === 'Copying',
  );
  room.workerSignal.abort();
  await room.stopOperator();
  room.startOperator();
  await room.until(async () => (await room.library()).status?.generation === 2, 30);
  await room.ready();
  assert.equal(await room.qdrant.count('docs'), 200);
});

test('everything it needs may appear later, and what goes wrong is named and heals by itself', async () => {
  room.startOperator();
  await room.createLibrary();
  await room.until(async () => (await room.condition('Ready')) === 'False ClusterNotFound');
  await room.createCluster();
  await room.until(async () => (await room.condition('Ready')) === 'False SecretNotFound');
  await room.putKey('wrong-key');
  await room.until(async () => (await room.condition('Ready')) === 'False Unauthorized');
  await room.putKey(CANARY);
  await room.ready();
});

test('deletionPolicy Retain leaves the collection, a new library takes it over only when told to; Delete drops it', async () => {
  await prepared();
  await room.createLibrary();
  await room.ready();
  await room.qdrant.upsert('docs', points(0, 5));
  await room.admin.delete(DOMAIN_LIBRARIES, {
    namespace: NAMESPACE,
    name: 'docs',
  });
  await room.until(async () => (await room.library().catch(() => undefined)) === undefined);
  assert.equal(await room.qdrant.count('docs'), 5);
  await room.createLibrary({ deletionPolicy: 'Delete' });
  await room.until(async () => (await room.condition('Ready')) === 'False AliasTaken');
  await room.change({ spec: { adopt: true } });
  await room.ready();
  assert.equal((await room.library()).status?.generation, 1);
  await room.admin.delete(DOMAIN_LIBRARIES, {
    namespace: NAMESPACE,
    name: 'docs',
  });
  await room.until(async () => (await room.library().catch(() => undefined)) === undefined);
  assert.deepEqual(await room.qdrant.collections(), []);
});

test('libraries at rest on one cluster share what they ask of it alike; a change there is seen by its own look', async () => {
  await prepared();
  const names = ['docs', 'manual', 'notes', 'papers', 'recipes'];
  for (const name of names) await room.createLibrary({}, name);
  for (const name of names) await room.ready(name);
  const asked = async () => {
    const values = (await room.metrics.getSingleMetric('qdrant_client_requests_total')?.get())?.values ?? [];
    const count = (operation: string) => values.find(({ labels }) => labels['operation'] === operation)?.value ?? 0;
    return { lists: count('list_collections'), looks: count('collection_cluster') };
  };
  const before = await asked();
  await sleep(2000);
  const after = await asked();
  const [lists, looks] = [after.lists - before.lists, after.looks - before.looks];
  assert.ok(looks >= 3 * names.length, `${looks} looks at a collection`);
  assert.ok(lists * 4 <= looks, `${lists} lists of collections for ${looks} looks`);

  await room.qdrant.updateCollection('manual--g1', { hnsw_config: { m: 5 } });
  await room.change({ spec: { hnsw: { m: 24 } } }, 'manual');
  await room.until(async () => (await room.qdrant.collection('manual')).config.hnsw_config.m === 24);
  await room.ready('manual');
});

test('deleted after the Secret with the key of its external cluster: put away with the key that was used last', async () => {
  await prepared();
  await room.createLibrary({ deletionPolicy: 'Delete' });
  await room.ready();
  await room.admin.delete(SECRETS, { namespace: NAMESPACE, name: 'main-key' });
  await room.until(async () => (await room.condition('Ready')) === 'False SecretNotFound');
  await room.admin.delete(DOMAIN_LIBRARIES, { namespace: NAMESPACE, name: 'docs' });
  await room.until(async () => (await room.library().catch(() => undefined)) === undefined);
  assert.deepEqual(await room.qdrant.collections(), []);
});

test('a predicate that is switched off is passed over, which is logged and recorded with its name', async () => {
  await room.putKey(CANARY);
  await room.createCluster('main', { limits: { maxCollections: 1 } });
  await room.qdrant.createCollection('other', { vectors: { size: 3, distance: 'Dot' } });
  room.startOperator();
  await room.createLibrary();
  await room.until(async () => (await room.condition('Ready')) === 'False PredicatesRefuse');
  const told = () => room.events.filter(({ reason }) => reason === 'PredicatesDisabled').map(({ note }) => note);
  assert.deepEqual(told(), []);
  await room.change({
    metadata: { annotations: { [ANNOTATIONS.disablePredicates]: 'fence-holds, within-collection-limit' } },
  });
  await room.ready();
  assert.deepEqual(
    [...new Set(told())],
    ['predicate within-collection-limit refuses and is passed over: the annotation switches it off'],
  );
  assert.ok(
    room.logged.some((line) =>
      line.includes('"predicate":"within-collection-limit","refusal":"the cluster has 1 collections of 1"'),
    ),
  );
});

test('two libraries that want one collection: the older has it, the other names it and takes over when it goes', async () => {
  await prepared();
  await room.createLibrary({ deletionPolicy: 'Delete' });
  await room.ready();
  await room.createLibrary({ collection: 'docs' }, 'other');
  await room.until(async () => (await room.condition('Ready', 'other')) === 'False CollectionClaimed');
  const message = (await room.library('other')).status?.conditions?.find(({ type }) => type === 'Ready')?.message;
  assert.match(message ?? '', /docs/);
  await room.admin.delete(DOMAIN_LIBRARIES, {
    namespace: NAMESPACE,
    name: 'docs',
  });
  await room.ready('other');
});

test('an adopted collection is changed in place; its first switch waits for leave to be away for a moment', async () => {
  await prepared();
  await room.qdrant.createCollection('docs', { vectors: { size: 3, distance: 'Dot' } });
  await room.qdrant.upsert('docs', points(0, 50));
  await room.createLibrary();
  await room.until(async () => (await room.condition('Ready')) === 'False CollectionExists');
  await room.change({ spec: { adopt: true, hnsw: { m: 20 } } });
  await room.ready();
  assert.equal((await room.qdrant.collection('docs')).config.hnsw_config.m, 20);
  assert.equal((await room.library()).status?.generation, 0);
  await room.change({ spec: { shards: { number: 2 } } });
  await room.until(
    async () =>
      (await room.library()).status?.change?.blockedBy?.some(({ name }) => name === 'gap-is-allowed') === true,
  );
  await room.qdrant.upsert('docs', points(50, 60));
  await room.change({ metadata: { annotations: { 'qdrant-librarian.io/allow-gap': '1' } } });
  await room.until(async () => (await room.library()).status?.generation === 1, 30);
  await room.ready();
  assert.equal(await room.qdrant.count('docs'), 60);
  assert.deepEqual(await room.qdrant.collections(), ['docs--g1']);
});
