import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ObjectStoreServer, startObjectStore } from '../../../sandbox/object-store/server.ts';
import { CONFIG_MAPS, JOBS, SECRETS, type Secret } from '../../../src/kube/index.ts';
import { DOMAIN_LIBRARIES } from '../../../src/library/index.ts';
import { digestOf, formatDigest } from '../../../src/vectors/index.ts';
import { CANARY, NAMESPACE, Room } from '../room.ts';

let room: Room;
let store: ObjectStoreServer;
let directory: string;
beforeEach(async () => {
  room = await Room.start();
  directory = await mkdtemp(join(tmpdir(), 'snapshots-'));
  store = await startObjectStore({ directory });
});
afterEach(async () => {
  await room.stop();
  await store.stop();
  await rm(directory, { recursive: true, force: true });
});

const points = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({
    id: from + index,
    vector: [1, index, 3],
    payload: { text: `point ${from + index}` },
  }));

async function prepared(spec: object = {}): Promise<void> {
  await room.putKey(CANARY);
  await room.createCluster();
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  await room.admin.create(SECRETS, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'bucket-key', namespace: NAMESPACE },
    data: {
      'access-key-id': encoded(store.accessKeyId),
      'secret-access-key': encoded(store.secretAccessKey),
    },
  } as Secret);
  room.startOperator();
  await room.createLibrary(spec);
  await room.ready();
  await room.qdrant.upsert('docs', points(0, 300));
}

const s3 = () => ({
  destination: {
    type: 's3',
    s3: {
      bucket: store.bucket,
      prefix: 'backups',
      endpoint: store.url,
      credentialsSecretRef: { name: 'bucket-key' },
    },
  },
});

async function digest(): Promise<string> {
  const all = [];
  for await (const point of room.qdrant.scrollAll('docs', { withVectors: true })) all.push(point);
  return formatDigest(digestOf(all));
}

const items = async () => (await room.library()).status?.snapshots?.items ?? [];
const rollback = async () => (await room.library()).status?.rollback;
const event = (reason: string) => room.events.filter((each) => each.reason === reason);

async function snapshot(nonce: string): Promise<string> {
  const before = (await items()).length;
  await room.change({ metadata: { annotations: { 'qdrant-librarian.io/snapshot': nonce } } });
  await room.until(async () => (await items()).length > before);
  return (await items())[0]?.name ?? '';
}

test('a library goes back to a snapshot in the bucket beside what is live, once, within its rights and without telling a secret', async () => {
  await prepared({ snapshots: s3(), aliases: ['manual'], payloadIndexes: [{ field: 'text', type: 'keyword' }] });
  const before = await digest();
  const name = await snapshot('one');
  const [made] = await items();
  assert.deepEqual([made?.points, made?.digest, made?.destination, made?.generation], [300, before, 's3', 1]);
  await room.until(() => event('SnapshotMade').length === 1);

  await room.qdrant.deletePoints('docs', { ids: [1, 2, 3, 4, 5] });
  await room.qdrant.upsert(
    'docs',
    points(250, 260).map((point) => ({ ...point, payload: { text: 'damaged' } })),
  );
  await room.change({ spec: { rollback: { toSnapshot: name } } });
  await room.until(async () => (await rollback())?.state === 'Done');
  await room.ready();
  assert.equal(await digest(), before);
  const { status } = await room.library();
  assert.deepEqual(
    status?.generations?.map(({ number, state }) => [number, state]),
    [
      [1, 'Retired'],
      [2, 'Active'],
    ],
  );
  assert.equal(status?.generations?.[1]?.digest, before);
  assert.ok((status?.rollback?.milliseconds ?? 0) > 0);
  assert.equal(await room.qdrant.count('docs--g1'), 295, 'what was live is untouched');
  assert.deepEqual(
    Object.fromEntries((await room.qdrant.aliases()).map(({ alias, collection }) => [alias, collection])),
    { docs: 'docs--g2', manual: 'docs--g2' },
  );
  assert.deepEqual(Object.keys((await room.qdrant.collection('docs')).payload_schema), ['text']);

  // The same value is obeyed once, whoever starts anew.
  await room.qdrant.deletePoints('docs', { ids: [7] });
  await room.stopOperator();
  room.startOperator();
  await room.until(async () => (await room.admin.listAll(JOBS, { namespace: NAMESPACE })).length === 0);
  await sleep(500);
  assert.equal((await room.library()).status?.generation, 2);
  assert.equal(event('RolledBack').length, 1);

  // And on to what was replaced, by its number.
  await room.change({ spec: { rollback: { toSnapshot: null, toGeneration: 1 } } });
  await room.until(async () => (await rollback())?.target === 'generation 1' && (await rollback())?.state === 'Done');
  assert.equal(await room.qdrant.count('docs'), 295);
  await room.ready();
  await sleep(300);
  room.writes();
  await sleep(600);
  assert.deepEqual(room.writes(), [], 'a steady resync writes nothing');
  assert.equal(room.forbidden(), 0);
  const said = await room.everythingSaid();
  for (const secret of [CANARY, store.secretAccessKey]) assert.ok(!said.includes(secret));
});

test('refused by name, once: an unknown snapshot, a generation that is gone, a wrong checksum; what is live is untouched', async () => {
  await prepared({ snapshots: s3() });
  const name = await snapshot('one');
  const part = store.objects.list('').find(([key]) => key.endsWith('.snapshot'))?.[0] ?? '';
  await store.objects.put(part, Readable.from([Buffer.alloc(store.objects.find(part)?.bytes ?? 0, 7)]));
  for (const [spec, reason] of [
    [{ toSnapshot: 'docs-20200101t000000z' }, 'SnapshotNotFound'],
    [{ toSnapshot: null, toGeneration: 7 }, 'GenerationNotFound'],
    [{ toGeneration: null, toSnapshot: name }, 'ChecksumWrong'],
  ] as const) {
    await room.change({ spec: { rollback: spec } });
    await room.until(
      async () => (await rollback())?.state === 'Failed' && (await rollback())?.message?.startsWith(reason) === true,
    );
    assert.equal(await room.condition('RollbackFailed'), 'True RollbackFailed');
    assert.equal(await room.qdrant.count('docs'), 300);
    assert.deepEqual(
      (await room.qdrant.aliases()).map(({ collection }) => collection),
      ['docs--g1'],
    );
  }
  // What it had begun is put away.
  await room.until(async () => (await room.qdrant.collections()).join() === 'docs--g1');
  await room.change({ spec: { rollback: null } });
  await room.until(async () => (await room.condition('RollbackFailed')) === undefined);
  await room.ready();
});

test('local snapshots: made by schedule, kept by number, tried out; the collection that they lie with is not dropped', async () => {
  await prepared({ snapshots: { schedule: '* * * * *', keepLast: 2 }, generations: { keep: 0 } });
  // The schedule is obeyed from the moment at which it is seen first: there is none due within the first seconds.
  await room.until(async () => (await room.library()).status?.snapshots?.nextAt !== undefined);
  const first = await snapshot('one');
  await sleep(1100);
  const second = await snapshot('two');
  await sleep(1100);
  await room.change({ metadata: { annotations: { 'qdrant-librarian.io/snapshot': 'three' } } });
  await room.until(async () => (await items())[0]?.name !== second && (await items()).length === 2);
  await room.until(() => event('SnapshotDropped').length > 0);
  assert.ok(!(await items()).some(({ name }) => name === first));
  const files = await room.qdrant.peers[0]?.listSnapshots({ collection: 'docs--g1', shard: 0 });
  assert.equal(files?.length, 2);

  await room.change({ metadata: { annotations: { 'qdrant-librarian.io/try-snapshot': second } } });
  await room.until(async () => (await items()).some(({ name, verified }) => name === second && verified === true));
  await room.until(async () => (await room.qdrant.collections()).join() === 'docs--g1');
  assert.equal((await room.library()).status?.snapshots?.trial?.state, 'Passed');

  await room.qdrant.deletePoints('docs', { ids: [1] });
  await room.change({ spec: { rollback: { toSnapshot: second } } });
  await room.until(async () => (await rollback())?.state === 'Done');
  assert.equal(await room.qdrant.count('docs'), 300);
  await sleep(500);
  assert.ok((await room.qdrant.collections()).includes('docs--g1'), 'its local snapshots are still wanted');
});

test('a bucket that denies: a condition and an event, nothing is lost, and it goes on by itself', async () => {
  await prepared({ snapshots: s3() });
  store.strike('deny');
  await room.change({ metadata: { annotations: { 'qdrant-librarian.io/snapshot': 'one' } } });
  await room.until(async () => (await room.condition('SnapshotFailing')) === 'True BucketDenied');
  assert.match((await room.library()).status?.snapshots?.running?.message ?? '', /BucketDenied/);
  await room.until(() => event('SnapshotFailed').length > 0, 30);
  store.strike(undefined);
  await room.until(async () => (await items()).length === 1, 40);
  await room.until(async () => (await room.condition('SnapshotFailing')) === undefined);
  assert.equal(await room.condition('Ready'), 'True Ready');
  const maps = await room.admin.listAll(CONFIG_MAPS, { namespace: NAMESPACE });
  await room.until(() => event('SnapshotMade').length === 1);
  assert.ok(maps.some(({ metadata }) => metadata.name === 'docs-copy') === false);
});

test('a library whose collection is gone comes back from the bucket, and so does one that was made anew under its name', async () => {
  await prepared({ snapshots: s3(), deletionPolicy: 'Delete' });
  const before = await digest();
  const name = await snapshot('one');
  await room.until(() => event('SnapshotMade').length === 1);
  await room.qdrant.deleteCollection('docs--g1');
  await room.until(async () => (await room.condition('Ready')) === 'False CollectionMissing');
  await room.change({ spec: { rollback: { toSnapshot: name } } });
  await room.until(async () => (await rollback())?.state === 'Done');
  await room.ready();
  assert.equal(await digest(), before);

  await room.admin.delete(DOMAIN_LIBRARIES, { namespace: NAMESPACE, name: 'docs' });
  await room.until(async () => (await room.qdrant.collections()).length === 0);
  await room.until(
    async () => (await room.admin.find(DOMAIN_LIBRARIES, { namespace: NAMESPACE, name: 'docs' })) === undefined,
  );
  // No list shows the snapshot: it is looked for in the bucket.
  await room.createLibrary({ snapshots: s3(), rollback: { toSnapshot: name } } as never);
  await room.until(async () => (await rollback())?.state === 'Done', 30);
  await room.ready();
  assert.equal(await digest(), before);
});

test('local snapshots go with a library that is deleted with its collections, and stay with those that are retained', async () => {
  await prepared({ deletionPolicy: 'Delete' });
  await snapshot('one');
  await sleep(1100);
  await snapshot('two');
  assert.equal((await room.snapshotFiles()).length, 2);
  const gone = async (): Promise<boolean> => (await room.library().catch(() => undefined)) === undefined;
  await room.admin.delete(DOMAIN_LIBRARIES, { namespace: NAMESPACE, name: 'docs' });
  await room.until(gone);
  assert.deepEqual(await room.snapshotFiles(), []);
  assert.deepEqual(await room.qdrant.collections(), []);

  await room.createLibrary({ deletionPolicy: 'Retain' });
  await room.ready();
  await room.qdrant.upsert('docs', points(0, 10));
  await snapshot('three');
  await room.admin.delete(DOMAIN_LIBRARIES, { namespace: NAMESPACE, name: 'docs' });
  await room.until(gone);
  assert.equal((await room.snapshotFiles()).length, 1);
  await room.until(() => event('Retained').some(({ note }) => note.includes('1 local snapshots stay')));
  assert.equal(room.forbidden(), 0);
});

test('what is kept changes: the surplus goes by itself, from the bucket and from the list, and no Job is left', async () => {
  await prepared({ snapshots: { ...s3(), keepLast: 3 } });
  const first = await snapshot('one');
  await sleep(1100);
  const second = await snapshot('two');
  await room.change({ spec: { snapshots: { keepLast: 1 } } });
  await room.until(async () => (await items()).length === 1, 30);
  assert.deepEqual(
    (await items()).map(({ name }) => name),
    [second],
  );
  assert.deepEqual(store.objects.list(`backups/${NAMESPACE}/docs/${first}/`), []);
  await room.until(async () => (await room.admin.listAll(JOBS, { namespace: NAMESPACE })).length === 0);
  await room.until(async () =>
    (await room.admin.listAll(CONFIG_MAPS, { namespace: NAMESPACE })).every(
      ({ metadata }) => !metadata.name.startsWith('docs-tidy'),
    ),
  );
  assert.equal(room.forbidden(), 0);
});

test('one snapshot for a value and one rollback for a value, though all watches break off and begin anew meanwhile', async () => {
  await prepared({ snapshots: { keepLast: 7 } });
  const before = await digest();
  const { faults } = room.server;
  let broken = 0;
  await room.change({ metadata: { annotations: { 'qdrant-librarian.io/snapshot': 'one' } } });
  broken += faults.expire();
  await room.until(async () => (await items()).length === 1, 40);
  const name = (await items())[0]?.name ?? '';
  await room.qdrant.deletePoints('docs', { ids: [1, 2, 3] });
  await room.change({ spec: { rollback: { toSnapshot: name } } });
  broken += faults.cutWatches();
  await room.until(async () => (await rollback())?.state === 'Running', 40);
  broken += faults.expire();
  await room.until(async () => (await rollback())?.state === 'Done', 40);
  broken += faults.expire();
  await room.ready();
  await sleep(600);
  assert.ok(broken >= 16, `${broken} watches were broken off`);
  assert.equal(await digest(), before);
  assert.equal((await items()).length, 1);
  const { status } = await room.library();
  assert.deepEqual([status?.generation, status?.generations?.length], [2, 2]);
  await room.until(() => event('RolledBack').length > 0);
  assert.deepEqual([event('SnapshotMade').length, event('RolledBack').length], [1, 1]);
});
