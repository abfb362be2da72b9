import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportOf } from '../../src/qdrant/index.ts';
import { peerAndServer } from './support/clients.ts';
import { refuses, reply } from './support/fake-server.ts';

const thread = (status: object) => ({
  version: '1.18.3',
  is_voter: true,
  term: 1,
  commit: 2,
  num_pending_operations: 0,
  consensus_thread_status: status,
});

test('one peer tells who is responsive, how consensus does, and how many points there are', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(({ path }, response) => {
    if (!path.startsWith('/cluster/telemetry')) return refuses(404, 'no')({} as never, response);
    return reply(response, {
      collections: {
        c: {
          id: 'c',
          shards: [
            {
              id: 0,
              replicas: [
                { peer_id: 1, state: 'Active', num_points: 7 },
                { peer_id: 2, state: 'Active' },
              ],
            },
          ],
        },
        bare: { id: 'bare' },
      },
      cluster: {
        enabled: true,
        number_of_peers: 3,
        peers: {
          1: {
            uri: 'http://a:6335/',
            responsive: true,
            details: thread({ consensus_thread_status: 'working', last_update: '' }),
          },
          2: {
            uri: 'http://b:6335/',
            responsive: true,
            details: thread({ consensus_thread_status: 'stopped_with_err', err: 'panic' }),
          },
          3: { uri: 'http://c:6335/', responsive: false },
        },
      },
    });
  });
  const well = { responsive: true, version: '1.18.3', isVoter: true };
  assert.deepEqual(await reportOf(peer), {
    members: [
      { peerId: 1, ...well, consensus: 'working' },
      { peerId: 2, ...well, consensus: 'stopped_with_err', consensusError: 'panic' },
      { peerId: 3, responsive: false },
    ],
    points: new Map([['0/c', 7]]),
  });
});

test('a peer that tells nothing of the others leaves them unknown', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(refuses(404, 'no such path'));
  assert.equal(await reportOf(peer), undefined);
  server.always((_request, response) => reply(response, { collections: {} }));
  assert.equal(await reportOf(peer), undefined);
  await assert.rejects(reportOf(peer, { signal: AbortSignal.abort(new Error('ended')) }), /ended/);
});
