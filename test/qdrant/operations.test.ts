import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Double, type PeerClient } from '../../src/qdrant/index.ts';
import { failure, peerAndServer } from './support/clients.ts';
import { refuses, result } from './support/fake-server.ts';

/** What each operation sends, as Qdrant's API has it. */
const table: readonly [string, (peer: PeerClient) => Promise<unknown>, string, unknown][] = [
  ['removePeer', (peer) => peer.removePeer(7, { force: true }), 'DELETE /cluster/peer/7?force=true', true],
  ['removePeer without force', (peer) => peer.removePeer(7n), 'DELETE /cluster/peer/7?force=false', true],
  ['recoverPeer', (peer) => peer.recoverPeer(), 'POST /cluster/recover', true],
  ['telemetry', (peer) => peer.telemetry(3), 'GET /telemetry?details_level=3', {}],
  ['clusterTelemetry', (peer) => peer.clusterTelemetry({ level: 4 }), 'GET /cluster/telemetry?details_level=4', {}],
  ['cluster', (peer) => peer.cluster(), 'GET /cluster', { status: 'disabled' }],
  [
    'updateCollection',
    (peer) => peer.updateCollection('docs', {}, { serverTimeout: 20 }),
    'PATCH /collections/docs?timeout=20',
    true,
  ],
  [
    'createShardKey',
    (peer) => peer.createShardKey('docs', 'a', { placement: [1] }),
    'PUT /collections/docs/shards',
    true,
  ],
  ['deleteShardKey', (peer) => peer.deleteShardKey('docs', 'a'), 'POST /collections/docs/shards/delete', true],
  ['updateAliases', (peer) => peer.updateAliases([]), 'POST /collections/aliases', true],
  ['optimizations', (peer) => peer.optimizations('docs'), 'GET /collections/docs/optimizations', {}],
  ['collectionCluster', (peer) => peer.collectionCluster('docs'), 'GET /collections/docs/cluster', {}],
  [
    'updateCollectionCluster',
    (peer) => peer.updateCollectionCluster('docs', { drop_replica: { shard_id: 1, peer_id: 2 } }),
    'POST /collections/docs/cluster',
    true,
  ],
];

for (const [name, call, sent, answer] of table) {
  test(`${name} sends ${sent}`, async (t) => {
    const { server, peer } = await peerAndServer(t);
    server.always(result(answer));
    assert.deepEqual(await call(peer), answer);
    const request = server.received[0];
    const query = String(request?.query);
    assert.equal(`${request?.method} ${request?.path}${query === '' ? '' : `?${query}`}`, sent);
  });
}

test('a shard key is created with what was given and nothing else', async (t) => {
  const { server, peer } = await peerAndServer(t);
  await peer.createShardKey('docs', 7, {
    shardsNumber: 2,
    replicationFactor: 1,
    placement: [5],
    initialState: 'Partial',
  });
  const sent = { shard_key: 7, shards_number: 2, replication_factor: 1, placement: [5], initial_state: 'Partial' };
  assert.deepEqual(JSON.parse(server.received[0]?.text ?? ''), sent);
});

test('readyz gives both answers; only no answer is an error', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next((_request, response) => response.end('all shards are ready'));
  assert.deepEqual(await peer.readyz(), { ready: true, message: 'all shards are ready' });
  server.next((_request, response) => response.writeHead(503).end('some shards are not ready'));
  assert.deepEqual(await peer.readyz(), { ready: false, message: 'some shards are not ready' });
  await server.close();
  assert.equal((await failure(peer.readyz())).code, 'Unreachable');
});

test('version tells Qdrant from something else', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next((_request, response) => response.end('{"title":"qdrant - vector search engine","version":"1.18.3"}'));
  assert.equal(await peer.version(), '1.18.3');
  for (const body of ['<html>', '{"name":"elasticsearch"}', '[]']) {
    server.next((_request, response) => response.end(body));
    assert.match((await failure(peer.version())).message, /not a Qdrant/);
  }
});

test('shard keys are told by the shards that have them, each once', async (t) => {
  const { server, peer } = await peerAndServer(t);
  const local_shards = [{ shard_id: 1, shard_key: 'a', state: 'Active', points_count: 1 }];
  const remote_shards = [
    { shard_id: 1, shard_key: 'a', peer_id: 2, state: 'Active' },
    { shard_id: 2, shard_key: 5, peer_id: 2, state: 'Active' },
    { shard_id: 3, peer_id: 2, state: 'Active' },
  ];
  server.always(result({ peer_id: 1, shard_count: 3, local_shards, remote_shards, shard_transfers: [] }));
  assert.deepEqual(await peer.shardKeys('docs'), ['a', 5]);
});

test('writes wait unless told otherwise, and a write that Qdrant did not finish is ambiguous', async (t) => {
  const { server, peer } = await peerAndServer(t);
  const point = { id: 1, vector: [1], payload: {} };
  server.always(result({ operation_id: 1, status: 'acknowledged' }));
  await peer.upsert('docs', [point], { wait: false, ordering: 'strong', mode: 'insert_only', shardKey: 'a' });
  assert.equal(String(server.received[0]?.query), 'wait=false&ordering=strong');
  assert.match(server.received[0]?.text ?? '', /"shard_key":"a","update_mode":"insert_only"\}$/);
  for (const write of [
    () => peer.upsert('docs', [point]),
    () => peer.deletePoints('docs', { ids: [1] }),
    () => peer.setPayload('docs', { a: 1 }, { selector: { ids: [1] }, key: 'k' }),
    () => peer.createPayloadIndex('docs', 'f', 'keyword'),
    () => peer.deletePayloadIndex('docs', 'f'),
    () => peer.createVector('docs', 'v', { sparse: {} }),
  ]) {
    const error = await failure(write());
    assert.equal(error.ambiguous, true);
    assert.match(error.message, /acknowledged although asked to wait/);
    assert.equal(server.received.at(-1)?.query.get('wait'), 'true');
  }
});

test("a batch is one shard key's points; the point's own key wins", async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(result({ operation_id: 1, status: 'completed' }));
  const at = (id: number, shardKey?: string) => ({
    id,
    vector: [1],
    payload: {},
    ...(shardKey === undefined ? {} : { shardKey }),
  });
  await peer.upsert('docs', [at(1, 'a'), at(2), at(3, 'a')], { shardKey: 'b' });
  const sent = server.received.map(({ text }) => JSON.parse(text) as { points: { id: number }[]; shard_key: string });
  assert.deepEqual(
    sent.map(({ points, shard_key: key }) => [key, points.map(({ id }) => id)]),
    [
      ['a', [1, 3]],
      ['b', [2]],
    ],
  );
});

test('points are cut into requests by bytes, and a point that fits in none is named', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(result({ operation_id: 1, status: 'completed' }));
  const points = Array.from({ length: 20 }, (_, id) => ({ id, vector: [1], payload: { text: 'é'.repeat(100) } }));
  await peer.upsert('docs', points, { batch: { targetBytes: 1000, maxBytes: 2000 } });
  const sent = server.received.flatMap(({ text }) =>
    (JSON.parse(text) as { points: { id: number }[] }).points.map(({ id }) => id),
  );
  assert.deepEqual(
    sent,
    points.map(({ id }) => id),
  );
  assert.ok(server.received.length > 4 && server.received.every(({ text }) => Buffer.byteLength(text) <= 1000 + 20));
  const error = await failure(
    peer.upsert('docs', [{ id: 9, vector: [1], payload: { text: 'x'.repeat(3000) } }], { batch: { maxBytes: 2000 } }),
  );
  assert.equal(error.code, 'BadRequest');
  assert.match(error.message, /point 9: it takes \d+ bytes/);
});

test('an upsert of nothing sends nothing', async (t) => {
  const { server, peer } = await peerAndServer(t);
  await peer.upsert('docs', []);
  assert.equal(server.received.length, 0);
});

test('the end of a scroll is told as no next offset, and a large offset stays exact', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next((_request, response) =>
    response.end('{"result":{"points":[{"id":1}],"next_page_offset":18446744073709551615}}'),
  );
  server.next((_request, response) => response.end('{"result":{"points":[],"next_page_offset":null}}'));
  assert.deepEqual(await Array.fromAsync(peer.scrollAll('docs')), [{ id: 1, vector: {}, payload: {} }]);
  assert.match(server.received[1]?.text ?? '', /"offset":18446744073709551615/);
});

test('a failing page ends a scroll with its error', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(refuses(404, 'gone'));
  assert.equal((await failure(Array.fromAsync(peer.scrollAll('docs')))).code, 'NotFound');
});

test('count, retrieve and query ask by REST and give one shape of point', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(result({ count: 3 }));
  assert.equal(await peer.count('docs', { exact: false, shardKey: 'a' }), 3);
  assert.deepEqual(JSON.parse(server.received[0]?.text ?? ''), { exact: false, shard_key: 'a' });
  server.next((_request, response) =>
    response.end('{"result":[{"id":1,"payload":{"n":1.0},"vector":{"a":[0.5]},"shard_key":"k"}]}'),
  );
  const [found] = await peer.retrieve('docs', [1], { withVectors: true });
  assert.deepEqual(found, { id: 1, payload: { n: new Double(1) }, vector: { a: [0.5] }, shardKey: 'k' });
  server.next((_request, response) =>
    response.end('{"result":{"points":[{"id":1,"version":4,"score":1.0,"payload":null}]}}'),
  );
  assert.deepEqual(await peer.query('docs', { query: [1], limit: 1 }), [
    { id: 1, version: 4, score: 1, payload: {}, vector: {} },
  ]);
});

test('a datatype that could stop a whole cluster is never sent (S1)', async (t) => {
  const { server, peer } = await peerAndServer(t);
  const vectors = { size: 4, distance: 'Dot', datatype: 'turbo4' } as const;
  for (const body of [
    { vectors },
    { vectors: { a: vectors } },
    { sparse_vectors: { s: { index: { datatype: 'turbo4' as const } } } },
  ]) {
    const error = await failure(peer.createCollection('docs', body));
    assert.equal(error.code, 'BadRequest');
    assert.match(error.message, /"turbo4"/);
  }
  for (const config of [{ dense: vectors }, { sparse: { datatype: 'turbo4' as const } }]) {
    assert.equal((await failure(peer.createVector('docs', 'v', config))).code, 'BadRequest');
  }
  assert.equal(server.received.length, 0);
  const named = { datatype: { size: 4, distance: 'Dot', datatype: 'float16' } } as const;
  assert.equal(await peer.createCollection('docs', { vectors: named, metadata: { datatype: 'any' } }), true);
});

test('a vector is added with its name in the path; one that a write limit answers for may be there', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(result({ operation_id: 1, status: 'completed' }));
  const config = {
    dense: { size: 4, distance: 'Dot' as const, multivector_config: { comparator: 'max_sim' as const } },
  };
  await peer.createVector('docs', 'title & text', config);
  const [sent] = server.received;
  assert.equal(
    `${sent?.method} ${sent?.path}?${String(sent?.query)}`,
    'PUT /collections/docs/vectors/title%20%26%20text?wait=true',
  );
  assert.deepEqual(JSON.parse(sent?.text ?? ''), config);
  server.always(refuses(429, 'Write rate limit exceeded', { 'retry-after': '60' }));
  const limited = await failure(peer.createVector('docs', 'v', config));
  assert.deepEqual([limited.code, limited.ambiguous], ['RateLimited', true]);
  server.always(refuses(400, 'Wrong input: Vector `v` already exists with a different configuration'));
  const other = await failure(peer.createVector('docs', 'v', config));
  assert.deepEqual([other.code, other.ambiguous], ['BadRequest', false]);
  assert.equal((await failure(peer.createVector('docs', '', config))).code, 'BadRequest');
});
