import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { agreedStates, led, Peers, point, settled, statesOf, until, upsert } from './peers.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
const shape = { vectors: { size: 3, distance: 'Dot' } };

describe('a cluster of three', { timeout: 60_000 }, () => {
  const peers = new Peers({ SANDBOX_QDRANT_TRANSFER_MS: '150', SANDBOX_QDRANT_DEAD_MARK_MS: '50' });
  let [a, b, c] = [peers.add(), peers.add(), peers.add()];

  before(async () => {
    await a.start();
    await b.start({ bootstrap: a });
    await c.start({ bootstrap: b });
    for (const peer of [a, b, c]) await until(async () => (await peer.call('GET', '/readyz')).status === 200);
  });
  after(() => peers.close());

  test('has one leader and three voters whom all know', async () => {
    const infos = await Promise.all([a, b, c].map((peer) => peer.cluster()));
    assert.equal(new Set(infos.map(({ raft_info }) => raft_info.leader)).size, 1);
    assert.equal(infos.filter(({ raft_info }) => raft_info.role === 'Leader').length, 1);
    for (const info of infos) {
      assert.equal(Object.keys(info.peers).length, 3);
      assert.equal(info.raft_info.is_voter, true);
    }
  });

  test('spreads replicas evenly and shows them Active in every view', async () => {
    await b.ok('PUT', '/collections/even', { ...shape, replication_factor: 2 });
    await settled([a, b, c], 'even');
    const states = await agreedStates([a, b, c], 'even');
    assert.equal(states?.size, 6);
    for (const peer of [a, b, c]) assert.equal((await peer.view('even')).local_shards.length, 2);
  });

  test('writes through any peer are read through any other', async () => {
    await a.ok('PUT', '/collections/any', { ...shape, replication_factor: 2 });
    for (const [index, peer] of [a, b, c].entries())
      assert.equal(await upsert(peer, 'any', range(index * 50, index * 50 + 50)), 200);
    for (const peer of [a, b, c]) assert.equal(await peer.count('any'), 150);
    const page = await b.ok<{ points: { id: number }[]; next_page_offset: number }>(
      'POST',
      '/collections/any/points/scroll',
      { limit: 70 },
    );
    assert.deepEqual(
      page.points.map(({ id }) => id),
      range(0, 70),
    );
    assert.equal(page.next_page_offset, 70);
  });

  test('a killed peer is marked Dead by the first failing write and heals without loss', async () => {
    await a.ok('PUT', '/collections/heal', { ...shape, replication_factor: 2 });
    assert.equal(await upsert(a, 'heal', range(0, 100)), 200);
    await c.stop('SIGKILL');
    const dead = await c.id().catch(() => undefined);
    assert.equal(dead, undefined);
    const view = await a.view('heal');
    assert.ok(
      [...statesOf(view, await a.id()).values()].every((state) => state === 'Active'),
      'no failure detector',
    );
    assert.equal(await upsert(a, 'heal', range(100, 200)), 200);
    await until(async () => [...statesOf(await a.view('heal'), await a.id()).values()].includes('Dead'));
    assert.equal(await a.count('heal'), 200);
    assert.ok(Object.keys((await leader()).message_send_failures).length > 0);
    await c.start();
    const early = await c.call('GET', '/readyz');
    await settled([a, b, c], 'heal');
    assert.equal(early.status, 503, 'marked Dead before it started');
    await until(async () => (await c.call('GET', '/readyz')).status === 200);
    assert.equal(await c.count('heal'), 200);
    const counts = new Map<number, Set<number>>();
    for (const peer of [a, b, c]) {
      for (const shard of (await peer.view('heal')).local_shards) {
        counts.set(shard.shard_id, (counts.get(shard.shard_id) ?? new Set()).add(shard.points_count));
      }
    }
    assert.ok(
      [...counts.values()].every((found) => found.size === 1),
      'replicas of a shard are equal',
    );
  });

  const leader = async () => {
    const infos = await Promise.all([a, b, c].map((peer) => peer.cluster().catch(() => undefined)));
    const found = infos.find((info) => info?.raft_info.role === 'Leader');
    assert.ok(found);
    return found;
  };

  test('acknowledged points survive kill -9 of every peer', async () => {
    await a.ok('PUT', '/collections/kept', { ...shape, replication_factor: 1, shard_number: 3 });
    assert.equal(await upsert(a, 'kept', range(0, 100)), 200);
    await Promise.all([a, b, c].map((peer) => peer.stop('SIGKILL')));
    await Promise.all([a, b, c].map((peer) => peer.start()));
    await led([a, b, c]);
    assert.equal(await b.count('kept'), 100);
  });

  test('moves a shard with writes going on, and removes it from the source', async () => {
    await a.ok('PUT', '/collections/move', { ...shape, shard_number: 1 });
    await upsert(a, 'move', range(0, 100));
    const owner = await ownerOf('move');
    const target = [a, b, c].find((peer) => peer !== owner) ?? a;
    const operation = { shard_id: 0, from_peer_id: await owner.id(), to_peer_id: await target.id() };
    await a.ok('POST', '/collections/move/cluster', { move_shard: operation });
    const again = await a.call('POST', '/collections/move/cluster', { move_shard: operation });
    assert.equal(again.status, 400);
    assert.match(again.text, /Shard 0 is already involved in transfer/);
    await until(async () => (await owner.view('move')).shard_transfers[0]?.comment !== undefined);
    for (let id = 100; id < 140; id += 1) assert.equal(await upsert(b, 'move', [id]), 200);
    await settled([a, b, c], 'move');
    assert.equal((await target.view('move')).local_shards[0]?.points_count, 140);
    assert.equal((await owner.view('move')).local_shards.length, 0);
    assert.equal(await owner.count('move'), 140);
  });

  const ownerOf = async (collection: string) => {
    for (const peer of [a, b, c]) if ((await peer.view(collection)).local_shards.length > 0) return peer;
    throw new Error('nobody holds the shard');
  };

  test('an aborted replicate leaves a Dead replica that recovers; an aborted move leaves none', async () => {
    await a.ok('PUT', '/collections/abort', { ...shape, shard_number: 1 });
    await upsert(a, 'abort', range(0, 10));
    const owner = await ownerOf('abort');
    const target = [a, b, c].find((peer) => peer !== owner) ?? a;
    const operation = { shard_id: 0, from_peer_id: await owner.id(), to_peer_id: await target.id() };
    await a.ok('POST', '/collections/abort/cluster', { move_shard: operation });
    await a.ok('POST', '/collections/abort/cluster', { abort_transfer: operation });
    await settled([a, b, c], 'abort');
    assert.equal((await target.view('abort')).local_shards.length, 0);
    await a.ok('POST', '/collections/abort/cluster', { replicate_shard: operation });
    await a.ok('POST', '/collections/abort/cluster', { abort_transfer: operation });
    await settled([a, b, c], 'abort');
    assert.equal((await target.view('abort')).local_shards[0]?.points_count, 10);
    await a.ok('POST', '/collections/abort/cluster', { drop_replica: { shard_id: 0, peer_id: await target.id() } });
    const last = await a.call('POST', '/collections/abort/cluster', {
      drop_replica: { shard_id: 0, peer_id: await owner.id() },
    });
    assert.equal(last.status, 400);
    assert.match(last.text, /must have at least one active replica/);
  });

  test('without a majority operations time out, and commit when a peer returns', async () => {
    await a.ok('PUT', '/collections/later', { ...shape, shard_number: 1 });
    const roles = await Promise.all([a, b, c].map(async (peer) => (await peer.cluster()).raft_info.role));
    // A follower would lose the proposal with its leader, as the real server does.
    const survivor = [a, b, c][roles.indexOf('Leader')] ?? a;
    const others = [a, b, c].filter((peer) => peer !== survivor);
    await until(async () => (await survivor.call('GET', '/readyz')).status === 200);
    await Promise.all(others.map((peer) => peer.stop()));
    const startedAt = Date.now();
    const refused = await survivor.call('POST', '/collections/aliases?timeout=1', {
      actions: [{ create_alias: { collection_name: 'later', alias_name: 'now' } }],
    });
    assert.equal(refused.status, 500);
    assert.match(refused.text, /Waiting for consensus operation commit failed. Timeout set at: 1 seconds/);
    assert.ok(Date.now() - startedAt >= 1000);
    assert.equal((await survivor.call('GET', '/readyz')).status, 200, 'readyz latches (S9)');
    assert.equal((await survivor.cluster()).raft_info.role, 'Leader');
    await Promise.all(others.map((peer) => peer.start()));
    for (const peer of [a, b, c]) {
      await until(async () => (await peer.ok<{ aliases: unknown[] }>('GET', '/aliases')).aliases.length === 1);
    }
  });

  test('an alias switch is never seen half done', async () => {
    for (const name of ['old', 'new']) await a.ok('PUT', `/collections/${name}`, { ...shape, shard_number: 1 });
    await upsert(a, 'old', [1]);
    await upsert(a, 'new', [1, 2]);
    const switchTo = (name: string) =>
      a.ok('POST', '/collections/aliases', {
        actions: [{ create_alias: { collection_name: name, alias_name: 'public' } }],
      });
    await switchTo('old');
    await until(async () => (await b.count('public')) === 1);
    let reading = true;
    const seen: number[] = [];
    const reader = (async () => {
      while (reading) seen.push(await b.count('public'));
    })();
    for (const name of ['new', 'old', 'new']) await switchTo(name);
    reading = false;
    await reader;
    assert.ok(seen.length > 0 && seen.every((count) => count === 1 || count === 2));
    await until(async () => (await c.count('public')) === 2);
  });

  test('a peer with shards is removed only by force, which drops last replicas in silence (S3)', async () => {
    const d = peers.add();
    await d.start({ bootstrap: a });
    await until(async () => (await d.call('GET', '/readyz')).status === 200);
    await a.ok('PUT', '/collections/lost', { ...shape, shard_number: 4 });
    await upsert(a, 'lost', range(0, 40));
    const id = await d.id();
    const refused = await a.call('DELETE', `/cluster/peer/${id}`);
    assert.equal(refused.status, 400);
    assert.match(refused.text, new RegExp(`Cannot remove peer ${id} as there are shards on it`));
    assert.equal(await a.ok('DELETE', `/cluster/peer/${id}?force=true`), true);
    await until(async () => (await d.cluster()).consensus_thread_status.consensus_thread_status === 'stopped');
    assert.equal((await d.call('GET', '/readyz')).status, 200, 'removed, and still ready (S9)');
    assert.deepEqual(Object.keys((await d.cluster()).peers), [String(id)]);
    const view = await a.view('lost');
    assert.equal(view.shard_count, 4);
    assert.equal(statesOf(view, await a.id()).size, 3);
    await assert.rejects(a.count('lost'), 'the connection closes without an answer');
    const write = await a.call('PUT', '/collections/lost/points?wait=true', { points: range(0, 40).map(point) });
    assert.equal(write.status, 500);
    assert.match(write.text, /has no active replica/);
    assert.equal((await a.call('GET', '/collections/lost')).status, 500);
    assert.equal(await a.ok('DELETE', '/cluster/peer/12345'), true, 'an unknown id is no error (S11)');
    await d.stop();
  });

  test('a peer without its volume is refused while its old id holds shards, then replaces it', async () => {
    await a.ok('PUT', '/collections/volume', { ...shape, shard_number: 1, replication_factor: 3 });
    await upsert(a, 'volume', range(0, 20));
    const old = await c.id();
    await c.stop();
    c.loseVolume();
    assert.equal(await c.start({ bootstrap: a }), 101);
    assert.equal(await c.start(), undefined, 'it has a state now, and goes on with it when it is told of nobody');
    const alone = await c.cluster();
    assert.deepEqual([alone.raft_info.term, alone.raft_info.leader], [0, null], 'alone, and for good');
    assert.deepEqual(Object.keys(alone.peers), [String(alone.peer_id)]);
    await c.stop();
    await led([a, b]);
    await a.ok('DELETE', `/cluster/peer/${old}?force=true`);
    assert.equal(await c.start({ bootstrap: a }), undefined);
    assert.notEqual(await c.id(), old);
    await until(async () => Object.keys((await a.cluster()).peers).length === 3);
    await until(async () => (await c.call('GET', '/readyz')).status === 200);
    assert.equal((await c.view('volume')).local_shards.length, 0, 'nothing is placed on it by itself');
    assert.equal(await c.count('volume'), 20);
  });

  test('the founder without volume and without bootstrap founds a cluster of its own (S10)', async () => {
    await a.stop();
    a.loseVolume();
    await a.start();
    assert.equal((await a.call('GET', '/readyz')).status, 200);
    assert.equal(Object.keys((await a.cluster()).peers).length, 1);
    assert.equal((await a.call('GET', '/collections/volume')).status, 404);
    assert.equal(Object.keys((await b.cluster()).peers).length, 3);
    [a, b, c] = [b, c, a];
  });
});
