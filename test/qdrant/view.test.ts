import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observeCluster } from '../../src/qdrant/index.ts';
import { clusterAndServers } from './support/clients.ts';
import { fails, type Handler, hangs, refuses, reply } from './support/fake-server.ts';

const cluster = {
  status: 'enabled',
  peer_id: 11,
  peers: { '22': { uri: 'http://b:6335/' }, '11': { uri: 'http://a:6335/' } },
  raft_info: { term: 3, commit: 40, pending_operations: 1, leader: 22, role: 'Follower', is_voter: true },
  consensus_thread_status: { consensus_thread_status: 'stopped_with_err', err: 'turbo4' },
  message_send_failures: { 'http://b:6335/': { count: 2, latest_error: 'x' } },
};
const docs = {
  peer_id: 11,
  shard_count: 2,
  local_shards: [{ shard_id: 1, shard_key: 'a', points_count: 5, state: 'Active' }],
  remote_shards: [
    { shard_id: 0, peer_id: 22, state: 'Dead' },
    { shard_id: 1, shard_key: 'a', peer_id: 22, state: 'Partial' },
  ],
  shard_transfers: [
    { shard_id: 1, to_shard_id: null, from: 11, to: 22, sync: true, method: 'snapshot', comment: '1/2' },
  ],
};

/** A peer of Qdrant, as far as an observer asks. */
const qdrant =
  (answers: Record<string, unknown> = {}): Handler =>
  ({ path }, response) => {
    if (path === '/') return response.end('{"title":"qdrant","version":"1.18.3"}');
    const all: Record<string, unknown> = {
      '/cluster': cluster,
      '/collections': { collections: [{ name: 'docs' }] },
      '/aliases': { aliases: [{ alias_name: 'library', collection_name: 'docs' }] },
      '/collections/docs/cluster': docs,
      ...answers,
    };
    const answer = all[path];
    if (answer === undefined) return refuses(404, 'no')({} as never, response);
    return reply(response, answer);
  };

test('a peer is seen as it sees itself', async (t) => {
  const { servers, cluster: client } = await clusterAndServers(t, 1);
  servers[0]?.always(qdrant());
  assert.deepEqual(await observeCluster(client, { now: () => 1000 }), {
    at: 1000,
    peers: [
      {
        name: 'docs-0',
        reachable: true,
        distributed: true,
        peerId: 11,
        version: '1.18.3',
        uri: 'http://a:6335/',
        members: [
          { peerId: 11, uri: 'http://a:6335/' },
          { peerId: 22, uri: 'http://b:6335/' },
        ],
        raft: { term: 3, commit: 40, pendingOperations: 1, leader: 22, role: 'Follower', isVoter: true },
        consensus: 'stopped_with_err',
        consensusError: 'turbo4',
        sendFailures: ['http://b:6335/'],
        collections: [
          {
            name: 'docs',
            shardCount: 2,
            shards: [
              { id: 0, replicas: [{ peerId: 22, state: 'Dead' }] },
              {
                id: 1,
                key: 'a',
                replicas: [
                  { peerId: 11, state: 'Active', points: 5 },
                  { peerId: 22, state: 'Partial' },
                ],
              },
            ],
            transfers: [{ shardId: 1, from: 11, to: 22, sync: true, method: 'snapshot', comment: '1/2' }],
          },
        ],
        aliases: [{ alias: 'library', collection: 'docs' }],
      },
    ],
  });
});

test('every failing peer is part of the view, with its reason, and none is asked twice', async (t) => {
  const { servers, cluster: client } = await clusterAndServers(t, 5, { timeouts: { health: 400 } });
  servers[0]?.always(fails(401, 'Invalid API key or JWT'));
  servers[1]?.always(hangs);
  servers[2]?.always(qdrant({ '/cluster': { status: 'enabled' } }));
  servers[3]?.always(qdrant({ '/collections': { collections: [] } }));
  await servers[4]?.close();
  const { peers } = await observeCluster(client, { now: () => 0 });
  assert.deepEqual(
    peers.map((peer) =>
      peer.reachable
        ? 'reachable'
        : [peer.status, /Invalid API key|400 ms|has not the form|ECONNREFUSED/.test(peer.error)],
    ),
    [[401, true], [undefined, true], [undefined, true], 'reachable', [undefined, true]],
  );
  assert.equal(servers[0]?.received.length, 1);
});

test('a collection that goes away while it is looked at is left out', async (t) => {
  const { servers, cluster: client } = await clusterAndServers(t, 1);
  servers[0]?.always(qdrant({ '/collections': { collections: [{ name: 'docs' }, { name: 'gone' }] } }));
  const [peer] = (await observeCluster(client, { now: () => 0 })).peers;
  assert.deepEqual(peer?.reachable === true && peer.collections.map(({ name }) => name), ['docs']);
});

test('a Qdrant without cluster mode is seen as one', async (t) => {
  const { servers, cluster: client } = await clusterAndServers(t, 1);
  servers[0]?.always(qdrant({ '/cluster': { status: 'disabled' } }));
  const [peer] = (await observeCluster(client, { now: () => 0 })).peers;
  assert.ok(peer?.reachable === true && !peer.distributed && peer.members.length === 0);
});

test("observing ends with the caller's signal", async (t) => {
  const { servers, cluster: client } = await clusterAndServers(t, 1);
  servers[0]?.always(hangs);
  await assert.rejects(observeCluster(client, { now: () => 0, signal: AbortSignal.timeout(20) }), {
    name: 'TimeoutError',
  });
});
