import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { lineageOf, stampOf } from '../../src/migration/lineage.ts';
import { qdrantSide } from '../../src/migration/qdrant-side.ts';
import { ClusterClient } from '../../src/qdrant/index.ts';
import { type Peer, Peers } from '../sandbox/qdrant/peers.ts';

/** What moves lean on: which numbers the points of a shard have, and what tells that they can't be compared. */
const peers = new Peers({ QDRANT__SERVICE__GRPC_PORT: '6334' });
let peer: Peer;
let client: ClusterClient;

before(async () => {
  const [first] = await peers.cluster(1);
  assert.ok(first);
  peer = first;
  client = new ClusterClient({ peers: [{ name: 'p', rest: peer.url, grpc: `http://${peer.host}:6334` }] });
});
after(async () => {
  await client.close();
  await peers.close();
});

const IDS = [1, 2, 3, 4];
const versions = async (name: string): Promise<Map<unknown, unknown>> => {
  const found = await client.versions(name, IDS, { dimensions: 2, using: '' });
  return new Map(found?.map(({ id, version }) => [id, version]));
};

test('every kind of write to a point gives it another version, and no other point', async () => {
  await peer.ok('PUT', '/collections/v', { vectors: { size: 2, distance: 'Cosine' }, shard_number: 2 });
  const upsert = (x: number) => ({ points: [{ id: 2, vector: [x, 1], payload: { a: 1, n: 2 } }] });
  const all = IDS.map((id) => ({ id, vector: [id, 1], payload: { a: 1, n: id } }));
  await peer.ok('PUT', '/collections/v/points?wait=true', { points: all });
  const writes: [string, string, object][] = [
    ['PUT', '', upsert(5)],
    ['PUT', '', upsert(5)],
    ['PUT', '/vectors', { points: [{ id: 2, vector: [7, 1] }] }],
    ['POST', '/payload', { payload: { b: 1 }, points: [2] }],
    ['POST', '/payload', { payload: { b: 2 }, filter: { must: [{ key: 'n', match: { value: 2 } }] } }],
    ['PUT', '/payload', { payload: { a: 1, n: 2 }, points: [2] }],
    ['POST', '/payload/delete', { keys: ['a'], points: [2] }],
    ['POST', '/payload/clear', { points: [2] }],
  ];
  for (const [method, path, body] of writes) {
    const old = await versions('v');
    await peer.ok(method, `/collections/v/points${path}?wait=true`, body);
    const now = await versions('v');
    assert.notEqual(now.get(2), old.get(2), `${method} ${path}`);
    for (const id of [1, 3, 4]) assert.equal(now.get(id), old.get(id));
  }
  const old = await versions('v');
  await peer.ok('POST', '/collections/v/points/delete?wait=true', { points: [2] });
  assert.deepEqual(new Set((await versions('v')).keys()), new Set([1, 3, 4]));
  await peer.ok('PUT', '/collections/v/points?wait=true', upsert(5));
  assert.notEqual((await versions('v')).get(2), old.get(2));
});

test('each write to a shard is counted once, also one that changes nothing', async () => {
  await peer.ok('PUT', '/collections/s', { vectors: { size: 2, distance: 'Dot' }, shard_number: 2 });
  await peer.ok('PUT', '/collections/s/points?wait=true', { points: [{ id: 1, vector: [1, 1] }] });
  const first = (await stampOf(client, 's')) ?? Number.NaN;
  for (let at = 1; at <= 5; at += 1) {
    await peer.ok('POST', '/collections/s/points/delete?wait=true', { points: [1000 + at] });
    assert.equal(await stampOf(client, 's'), first + at);
  }
  const writes: [string, object][] = [
    ['PUT /points', { points: [{ id: 1, vector: [1, 1] }] }],
    ['POST /points/payload', { payload: { a: 1 }, points: [1] }],
    ['POST /points/delete', { points: [1] }],
  ];
  for (const [call, body] of writes) {
    const old = (await stampOf(client, 's')) ?? Number.NaN;
    const [method, path] = call.split(' ');
    await peer.ok(method ?? '', `/collections/s${path}?wait=true`, body);
    assert.equal(await stampOf(client, 's'), old + 1, call);
  }
});

test('an inventory lists what has no vector without a version', async () => {
  await peer.ok('PUT', '/collections/n', {
    vectors: { a: { size: 2, distance: 'Dot' }, b: { size: 2, distance: 'Dot' } },
  });
  const all = [
    { id: 1, vector: { a: [1, 1] } },
    { id: 2, vector: { b: [1, 1] } },
    { id: 3, vector: {} },
  ];
  await peer.ok('PUT', '/collections/n/points?wait=true', { points: all });
  const side = qdrantSide({ client, collection: 'n', writeMilliseconds: 5000 });
  const page = await side.inventory?.(undefined, 10);
  assert.deepEqual(
    page?.items.map(({ id, version }) => [id, version === undefined]),
    [
      [1, false],
      [2, false],
      [3, true],
    ],
  );
});

test('versions can not be compared after a restart, nor after a snapshot was put in place', async () => {
  await peer.ok('PUT', '/collections/l', { vectors: { size: 2, distance: 'Dot' }, shard_number: 1 });
  await peer.ok('PUT', '/collections/l/points?wait=true', { points: [{ id: 1, vector: [1, 1] }] });
  const first = await lineageOf(client, 'l');
  assert.notEqual(first, undefined);
  await peer.ok('PUT', '/collections/l/points?wait=true', { points: [{ id: 2, vector: [1, 1] }] });
  assert.equal(await lineageOf(client, 'l'), first, 'a write changes nothing about it');
  const { name } = await peer.ok<{ name: string }>('POST', '/collections/l/shards/0/snapshots?wait=true');
  assert.equal(await lineageOf(client, 'l'), first, 'nor does a snapshot');
  const location = `${peer.url}/collections/l/shards/0/snapshots/${name}`;
  await peer.ok('PUT', '/collections/l/shards/0/snapshots/recover?wait=true', { location });
  const recovered = await lineageOf(client, 'l');
  assert.notEqual(recovered, undefined);
  assert.notEqual(recovered, first);
  await peer.stop();
  await peer.start();
  assert.notEqual(await lineageOf(client, 'l'), recovered);
});

test('with two replicas versions say nothing', async () => {
  const pair = new Peers({ QDRANT__SERVICE__GRPC_PORT: '6334' });
  try {
    const [one] = await pair.cluster(2);
    assert.ok(one);
    const two = new ClusterClient({ peers: [{ name: 'p', rest: one.url, grpc: `http://${one.host}:6334` }] });
    await one.ok('PUT', '/collections/r', { vectors: { size: 2, distance: 'Dot' }, replication_factor: 2 });
    assert.equal(await lineageOf(two, 'r'), undefined);
    await two.close();
  } finally {
    await pair.close();
  }
});
