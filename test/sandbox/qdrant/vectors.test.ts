import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Answer, type Peer, Peers, REAL_BINARY, settled, until } from './peers.ts';

const dense = { dense: { size: 2, distance: 'Dot' } };
const shape = { vectors: { a: { size: 3, distance: 'Dot' } }, shard_number: 3, replication_factor: 2 };

async function shows(peer: Peer, vector: string): Promise<boolean> {
  const { config } = await peer.ok<{ config: { params: { vectors: object } } }>('GET', '/collections/grown');
  return vector in config.params.vectors;
}

describe('named vectors of a cluster of three', { timeout: 60_000 }, () => {
  const peers = new Peers({ SANDBOX_QDRANT_DEAD_MARK_MS: '50' });
  let all: Peer[] = [];

  before(async () => {
    all = await peers.cluster(3);
    await all[0]?.ok('PUT', '/collections/grown', shape);
    await settled(all, 'grown');
  });
  after(() => peers.close());

  test('one added through any peer is shown by all, and takes points through all', async () => {
    for (const [index, peer] of all.entries()) await peer.ok('PUT', `/collections/grown/vectors/v${index}`, dense);
    for (const peer of all) {
      for (const vector of ['v0', 'v1', 'v2']) await until(() => shows(peer, vector));
      const points = [{ id: all.indexOf(peer), vector: { a: [1, 2, 3], v0: [1, 2], v2: [3, 4] } }];
      await peer.ok('PUT', '/collections/grown/points?wait=true', { points });
    }
    for (const peer of all) {
      const query = { query: [1, 1], using: 'v2', limit: 9 };
      const { points } = await peer.ok<{ points: unknown[] }>('POST', '/collections/grown/points/query', query);
      assert.equal(points.length, 3);
    }
  });

  test('one that found no majority was told to have failed, and comes with the next peer', async () => {
    const roles = await Promise.all(all.map(async (peer) => (await peer.cluster()).raft_info.role));
    const survivor = all[roles.indexOf('Leader')];
    assert.ok(survivor);
    const others = all.filter((peer) => peer !== survivor);
    await Promise.all(others.map((peer) => peer.stop()));
    const answer = await survivor.call('PUT', '/collections/grown/vectors/late?timeout=1', dense);
    assert.equal(answer.status, 500);
    assert.match(answer.text, /Waiting for consensus operation commit failed. Timeout set at: 1 seconds/);
    await Promise.all(others.map((peer) => peer.start()));
    for (const peer of all) await until(() => shows(peer, 'late'));
  });
});

test('before 1.18 there is no such call', { skip: REAL_BINARY !== undefined }, async () => {
  const peers = new Peers({ SANDBOX_QDRANT_VERSION: '1.17.1' });
  try {
    const [peer] = await peers.cluster(1);
    assert.ok(peer);
    await peer.ok('PUT', '/collections/grown', shape);
    for (const method of ['PUT', 'DELETE']) {
      const answer: Answer = await peer.call(method, '/collections/grown/vectors/b', dense);
      assert.deepEqual([answer.status, answer.text], [404, '']);
    }
  } finally {
    await peers.close();
  }
});
