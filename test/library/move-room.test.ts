import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { API_VERSION, type RebalancePolicy } from '../../src/api/index.ts';
import { SECRETS } from '../../src/kube/index.ts';
import { DOMAIN_LIBRARIES } from '../../src/library/index.ts';
import type { ClusterClient, Point, ShardKey } from '../../src/qdrant/index.ts';
import { CANARY, NAMESPACE, OTHER_CANARY, POLICIES, Room } from './room.ts';

let room: Room;
before(async () => {
  room = await Room.start();
});
after(() => room.stop());

const points = (count: number, shardKey?: ShardKey): Point[] =>
  Array.from({ length: count }, (_, id) => ({
    id: shardKey === undefined ? id : id + 10_000,
    vector: [id + 1, 1, 0],
    payload: { id, text: `point ${id}`, big: 2 ** 40 + id },
    ...(shardKey === undefined ? {} : { shardKey }),
  }));

const moved = (name: string, cluster: string) => async (): Promise<boolean> => {
  const { status } = await room.library(name);
  return status?.cluster === cluster && status.change === undefined;
};

const contents = async (client: ClusterClient, collection: string): Promise<unknown[]> => {
  const all: unknown[] = [];
  for await (const point of client.scrollAll(collection, { withVectors: true, withPayload: true })) all.push(point);
  return all;
};

test('a library moves to another cluster with its points, names, indexes, metadata and limits, and back', async () => {
  await room.putKey(CANARY);
  await room.createCluster();
  const cloud = await room.startOther('cloud');
  await room.createLibrary({ payloadIndexes: [{ field: 'id', type: 'integer' }], strictMode: { maxQueryLimit: 500 } });
  room.startOperator();
  await room.ready();
  await room.qdrant.upsert('docs', points(700));
  // What no spec tells: an alias, an index, metadata and a limit of the users' own.
  await room.qdrant.updateAliases([{ create_alias: { collection_name: 'docs--g1', alias_name: 'handbook' } }]);
  await room.qdrant.createPayloadIndex('docs--g1', 'text', { type: 'keyword' });
  await room.qdrant.updateCollection('docs--g1', {
    metadata: { owner: 'the docs team' },
    strict_mode_config: { read_rate_limit: 100_000 },
  });
  const before = await contents(room.qdrant, 'docs');

  await room.change({ spec: { placement: { clusterRef: { name: 'cloud' } } } });
  await room.until(moved('docs', 'cloud'), 30);

  assert.deepEqual(await contents(cloud, 'docs'), before);
  const aliases = await cloud.aliases();
  assert.deepEqual(aliases.map(({ alias }) => alias).toSorted(), ['docs', 'handbook']);
  assert.deepEqual(await room.qdrant.aliases(), []);
  const { config, payload_schema: schema } = await cloud.collection('docs');
  assert.deepEqual(Object.keys(schema).toSorted(), ['id', 'text']);
  assert.equal((config.metadata as Record<string, unknown>)['owner'], 'the docs team');
  assert.equal(config.strict_mode_config?.read_rate_limit, 100_000);
  assert.equal(config.strict_mode_config?.max_query_limit, 500);
  const binding = await room.admin.get(SECRETS, { namespace: NAMESPACE, name: 'docs-binding' });
  assert.equal(Buffer.from(binding.data?.['api-key'] ?? '', 'base64').toString(), OTHER_CANARY);

  await cloud.upsert('docs', [{ id: 5000, vector: [1, 2, 3], payload: { later: true } }]);
  await cloud.deletePoints('docs', { ids: [3] });
  await room.change({ spec: { placement: { clusterRef: { name: 'main' } } } });
  await room.until(moved('docs', 'main'), 30);
  const back = await contents(room.qdrant, 'docs');
  assert.equal(back.length, 700);
  assert.deepEqual(await contents(cloud, 'docs--g2'), back);
  assert.deepEqual(await cloud.aliases(), []);
  const { status } = await room.library();
  assert.equal(status?.generation, 3);
  assert.equal(status?.collection, 'docs--g1', 'it went back onto what it had left');
  assert.deepEqual(await room.qdrant.collections(), ['docs--g1']);
  assert.equal(room.forbidden(), 0);
  const said = await room.everythingSaid();
  assert.ok(!said.includes(CANARY) && !said.includes(OTHER_CANARY), 'no key is told');
});

test('shard keys travel with their type and number of shards', async () => {
  const cloud = await room.startOther('keyed');
  await room.qdrant.createCollection('keyed', {
    vectors: { size: 3, distance: 'Dot' },
    sharding_method: 'custom',
    shard_number: 1,
  });
  await room.qdrant.createShardKey('keyed', 'north', { shardsNumber: 2 });
  await room.qdrant.createShardKey('keyed', 7);
  await room.qdrant.upsert('keyed', points(30, 'north'));
  await room.qdrant.upsert('keyed', points(30, 7));
  await room.createLibrary({ adopt: true, vectors: undefined } as never, 'keyed');
  await room.ready('keyed');
  const before = await contents(room.qdrant, 'keyed');

  await room.change({ spec: { placement: { clusterRef: { name: 'keyed' } } } }, 'keyed');
  // It bears the public name itself: nothing else than dropping it takes the name away from the source.
  const refused = async (): Promise<boolean> =>
    (await room.library('keyed')).status?.change?.blockedBy?.some(({ name }) => name === 'gap-is-allowed') === true;
  await room.until(refused);
  await room.change({ metadata: { annotations: { 'qdrant-librarian.io/allow-gap': '1' } } }, 'keyed');
  await room.until(moved('keyed', 'keyed'), 30);
  assert.deepEqual(await contents(cloud, 'keyed'), before);
  const { local_shards: shards } = await cloud.collectionCluster('keyed');
  const keys = shards.map(({ shard_key: key }) => JSON.stringify(key));
  assert.deepEqual(keys.toSorted(), ['"north"', '"north"', '7']);
  assert.equal(await room.qdrant.collectionExists('keyed'), false);
});

test('two libraries move at once: what ends first takes nothing of the other with it', async () => {
  const cloud = await room.startOther('both');
  const names = ['small', 'large'];
  for (const [at, name] of names.entries()) {
    await room.createLibrary({}, name);
    await room.ready(name);
    await room.qdrant.upsert(name, points(at === 0 ? 20 : 900));
  }
  const before = await Promise.all(names.map((name) => contents(room.qdrant, name)));
  for (const name of names) await room.change({ spec: { placement: { clusterRef: { name: 'both' } } } }, name);
  await room.until(moved('small', 'both'), 30);
  await room.until(moved('large', 'both'), 30);
  assert.deepEqual(await Promise.all(names.map((name) => contents(cloud, name))), before);
  for (const name of names) {
    const entry = (await room.library(name)).status?.generations?.find(({ number }) => number === 1);
    assert.equal(entry?.lateWrites, 'None', 'both proofs were there to the end');
  }
});

test('a move that a policy orders by shard snapshots brings every shard', async () => {
  const shelf = await room.startOther('shelf');
  await room.admin.create(POLICIES, {
    apiVersion: API_VERSION,
    kind: 'RebalancePolicy',
    metadata: { name: 'quick', namespace: NAMESPACE },
    spec: { clusterSelector: {}, migration: { engine: 'ShardSnapshot' } },
  } as RebalancePolicy);
  await room.createLibrary({ shards: { number: 2 } }, 'quick');
  await room.ready('quick');
  await room.qdrant.upsert('quick', points(500));
  const before = await contents(room.qdrant, 'quick');
  await room.change({ spec: { placement: { clusterRef: null, clusterSelector: {} } } }, 'quick');
  const key = { namespace: NAMESPACE, name: 'quick' };
  const assignment = { cluster: 'shelf', policy: 'quick', planDigest: `sha256:${'0'.repeat(64)}` };
  await room.admin.patch(DOMAIN_LIBRARIES, key, { status: { assignment } }, { type: 'merge', subresource: 'status' });
  const seen = new Set<string>();
  await room.until(async () => {
    const { status } = await room.library('quick');
    if (status?.change?.engine !== undefined) seen.add(`${status.change.engine}: ${status.change.engineReason}`);
    return status?.cluster === 'shelf' && status.change === undefined;
  }, 40);
  assert.deepEqual([...seen], ['ShardSnapshot: it is asked for, and both ends are equal']);
  assert.deepEqual(await contents(shelf, 'quick'), before);
});
