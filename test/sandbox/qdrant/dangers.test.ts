import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { agreedStates, led, Peers, REAL_BINARY, settled, statesOf, until, upsert } from './peers.ts';

const shape = { vectors: { size: 3, distance: 'Dot' } };
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('what a real server does to its cluster', { timeout: 90_000 }, () => {
  const pace = { SANDBOX_QDRANT_ACTIVATION_MS: '700', SANDBOX_QDRANT_TRANSFER_MS: '100' };
  let peers = new Peers(pace);
  afterEach(async () => {
    await peers.close();
    peers = new Peers(pace);
  });

  test('one create request bricks all peers: consensus stops, and after a restart they exit (S1)', async () => {
    const cluster = await peers.cluster(2);
    const [a, b] = [cluster[0] ?? peers.add(), cluster[1] ?? peers.add()];
    await a.ok('PUT', '/collections/well', { ...shape, shard_number: 1 });
    assert.equal(await upsert(a, 'well', [1]), 200);
    const answer = await a.call('PUT', '/collections/brick', {
      vectors: { size: 3, distance: 'Dot', datatype: 'turbo4' },
    });
    assert.equal(answer.status, 500);
    assert.match(answer.text, /turbo4 datatype storage not yet wired up/);
    for (const peer of cluster) {
      await until(
        async () => (await peer.cluster()).consensus_thread_status.consensus_thread_status === 'stopped_with_err',
      );
      assert.equal((await peer.call('GET', '/readyz')).status, 200);
      assert.equal(await peer.count('well'), 1);
    }
    assert.equal(await upsert(a, 'well', [2]), 200, 'point writes go on');
    await b.stop('SIGKILL');
    assert.equal(await b.start(), 101);
    assert.match(b.log, /Failed to apply collection meta operation entry/);
    assert.equal(await b.start(), 101, 'for good');
  });

  test('reads leave out a shard without a readable replica, in silence; queries end without an answer (S2)', async () => {
    const cluster = await peers.cluster(3);
    const [a, b, c] = [cluster[0] ?? peers.add(), cluster[1] ?? peers.add(), cluster[2] ?? peers.add()];
    await c.stop('SIGKILL');
    await led([a, b]);
    const startedAt = Date.now();
    await a.ok('PUT', '/collections/partial', { ...shape, shard_number: 3 });
    assert.ok(Date.now() - startedAt > 600, 'a create waits for the dead peer');
    const states = [...statesOf(await a.view('partial'), await a.id()).values()];
    assert.deepEqual(
      states.toSorted((x, y) => x.localeCompare(y)),
      ['Active', 'Active', 'Initializing'],
    );
    assert.equal(await a.count('partial'), 0);
    assert.equal((await a.call('POST', '/collections/partial/points/scroll', {})).status, 200);
    // The real server's panic depends on the order in which its shards answer.
    if (!REAL_BINARY) await assert.rejects(a.call('POST', '/collections/partial/points/query', { query: [1, 2, 3] }));
    const info = await a.call('GET', '/collections/partial');
    assert.equal(info.status, 500);
    assert.match(info.text, /0 of 0 read operations failed/);
  });

  test('right after a quick restart all views still say Active; the mark needs a failed write (S4)', async () => {
    const cluster = await peers.cluster(3);
    const [a, b, c] = [cluster[0] ?? peers.add(), cluster[1] ?? peers.add(), cluster[2] ?? peers.add()];
    await a.ok('PUT', '/collections/stale', { ...shape, replication_factor: 2 });
    assert.equal(await upsert(a, 'stale', range(0, 30)), 200);
    await settled(cluster, 'stale');
    await c.stop('SIGKILL');
    await c.start();
    const states = await agreedStates([a, b], 'stale');
    assert.ok([...(states?.values() ?? [])].every((state) => state === 'Active'));
    assert.equal((await c.call('GET', '/readyz')).status, 200, 'nobody marked it');
    await settled(cluster, 'stale');
    for (const peer of cluster) assert.equal(await peer.count('stale'), 30);
  });

  test('a rolling restart gated on five settled seconds loses nothing under writes', async () => {
    const cluster = await peers.cluster(3);
    const [a] = [cluster[0] ?? peers.add()];
    await a.ok('PUT', '/collections/rolling', { ...shape, replication_factor: 2 });
    const acknowledged: number[] = [];
    let writing = true;
    const writer = (async () => {
      for (let id = 0; writing; id += 1) {
        for (const peer of cluster) {
          const status = await upsert(peer, 'rolling', [id]).catch(() => 0);
          if (status !== 200) continue;
          acknowledged.push(id);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    for (const peer of cluster.toReversed()) {
      await peer.stop('SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 200));
      await peer.start();
      await settled(cluster, 'rolling');
      await new Promise((resolve) => setTimeout(resolve, 500));
      await settled(cluster, 'rolling');
    }
    writing = false;
    await writer;
    for (const peer of cluster) assert.equal(await peer.count('rolling'), acknowledged.length);
  });

  test('a recovered shard brings its payload indexes along; `replica` empties it, `no_sync` keeps it (S13)', async () => {
    const [a, b] = await peers.cluster(2);
    if (a === undefined || b === undefined) throw new Error('no peers');
    await a.ok('PUT', '/collections/whole', { ...shape, shard_number: 1 });
    await a.ok('PUT', '/collections/whole/index?wait=true', { field_name: 'n', field_schema: 'integer' });
    assert.equal(await upsert(a, 'whole', range(0, 50)), 200);
    const holder = (await a.view('whole')).local_shards.length > 0 ? a : b;
    const { name } = await holder.ok<{ name: string }>('POST', '/collections/whole/shards/0/snapshots?wait=true');
    const location = `${holder.url}/collections/whole/shards/0/snapshots/${name}`;
    const recover = (peer: typeof a, collection: string, priority: string) =>
      peer.ok('PUT', `/collections/${collection}/shards/0/snapshots/recover?wait=true`, { location, priority });
    await a.ok('PUT', '/collections/kept', { ...shape, shard_number: 1, replication_factor: 2 });
    for (const peer of [a, b]) await recover(peer, 'kept', 'no_sync');
    for (const peer of [a, b]) {
      assert.deepEqual([...statesOf(await peer.view('kept'), await peer.id()).values()], ['Active', 'Active']);
      assert.equal((await peer.view('kept')).local_shards[0]?.points_count, 50);
      const { payload_schema } = await peer.ok<{ payload_schema: object }>('GET', '/collections/kept');
      assert.deepEqual(Object.keys(payload_schema), ['n']);
    }
    await a.ok('PUT', '/collections/emptied', { ...shape, shard_number: 1, replication_factor: 2 });
    await recover(a, 'emptied', 'replica');
    await until(async () => (await a.view('emptied')).local_shards[0]?.points_count === 0);
    await settled([a, b], 'emptied');
    assert.equal(await a.count('emptied'), 0);
  });
});
