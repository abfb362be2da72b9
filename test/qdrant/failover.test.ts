import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterClient } from '../../src/qdrant/index.ts';
import { clusterAndServers, failure } from './support/clients.ts';
import { cuts, hangs, refuses, reply, result } from './support/fake-server.ts';

const collections = { collections: [{ name: 'docs' }] };
const asked = (servers: readonly { received: unknown[] }[]): number[] => servers.map(({ received }) => received.length);

test('a read goes to the next peer when one is gone, and stays there', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 3);
  for (const server of servers) server.always(result(collections));
  await servers[0]?.close();
  assert.deepEqual(await cluster.collections(), ['docs']);
  assert.deepEqual(await cluster.collections(), ['docs']);
  assert.deepEqual(asked(servers), [0, 2, 0]);
});

test('a read survives a slow peer and a broken one', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 3);
  servers[0]?.always(hangs);
  servers[1]?.always(refuses(500, 'no'));
  servers[2]?.always(result(collections));
  assert.deepEqual(await cluster.collections({ timeout: 40 }), ['docs']);
});

test('every peer is asked before a call fails', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 5);
  for (const server of servers) server.always(refuses(503, 'no'));
  assert.equal((await failure(cluster.collections())).code, 'Unavailable');
  assert.deepEqual(asked(servers), [1, 1, 1, 1, 1]);
});

test('an upsert goes to another peer, a consensus operation in doubt does not', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 2);
  servers[0]?.always(cuts);
  servers[1]?.always((_request, response) => reply(response, { operation_id: 1, status: 'completed' }));
  const error = await failure(cluster.deleteCollection('docs'));
  assert.equal(error.ambiguous, true);
  assert.deepEqual(asked(servers), [1, 0]);
  await cluster.upsert('docs', [{ id: 1, vector: [1], payload: {} }]);
  assert.deepEqual(asked(servers), [2, 1]);
});

test('a consensus operation that surely never arrived goes to the next peer', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 2);
  await servers[0]?.close();
  assert.equal(await cluster.deleteCollection('docs'), true);
  assert.deepEqual(asked(servers), [0, 1]);
});

test('a definite answer is not asked for twice', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 2);
  servers[0]?.always(refuses(404, 'no'));
  assert.equal((await failure(cluster.collection('docs'))).code, 'NotFound');
  assert.deepEqual(asked(servers), [1, 0]);
});

test('what differs from peer to peer is asked of a peer by name', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 2);
  for (const server of servers) server.always(result([]));
  assert.equal((await failure(cluster.listSnapshots('docs'))).code, 'BadRequest');
  assert.equal((await failure(cluster.readyz())).code, 'BadRequest');
  await cluster.peer('docs-1').listSnapshots('docs');
  assert.deepEqual(asked(servers), [0, 1]);
  assert.throws(() => cluster.peer('docs-7'), /docs-7/);
});

test('all peers gone is Unreachable and names one', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 2);
  await Promise.all(servers.map((server) => server.close()));
  const error = await failure(cluster.createCollection('docs', {}));
  assert.equal(error.code, 'Unreachable');
  assert.equal(error.ambiguous, false);
  assert.match(error.message, /docs-\d.*ECONNREFUSED/);
});

test('a cluster without peers says so', async () => {
  const cluster = new ClusterClient({ peers: [] });
  assert.match((await failure(cluster.collections())).message, /no peers/);
  await cluster.close();
});
