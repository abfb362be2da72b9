import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/kube/index.ts';
import { fencePatch, unfencePatch } from '../../src/migration/fence.ts';
import { qdrantSide } from '../../src/migration/qdrant-side.ts';
import type { Side } from '../../src/migration/side.ts';
import { type Tightness, tighten } from '../../src/migration/tighten.ts';
import { ClusterClient } from '../../src/qdrant/index.ts';
import { type Peer, Peers, settled, until } from '../sandbox/qdrant/peers.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
const peers = new Peers();
let cluster: readonly Peer[] = [];
let client: ClusterClient;

before(
  async () => {
    cluster = await peers.cluster(3);
    client = new ClusterClient({ peers: cluster.map(({ url }, at) => ({ name: `docs-${at}`, rest: url })) });
  },
  { timeout: 30_000 },
);
after(async () => {
  await client.close();
  await peers.close();
});

const peer = (at: number): Peer => cluster[at % cluster.length] ?? assert.fail('there is no peer');
const shape = { vectors: { size: 3, distance: 'Dot' }, shard_number: 3, replication_factor: 1 };
const mark = { uid: 'u', namespace: 'n', name: 'docs', generation: 1 };
const fence = { nonce: 'nonce', at: 0, before: { enabled: false, writeConsistencyFactor: 1 } };

async function collection(name: string, body: object = {}): Promise<Side> {
  await peer(0).ok('PUT', `/collections/${name}`, { ...shape, ...body });
  await settled(cluster, name);
  return qdrantSide({ client, collection: name, writeMilliseconds: 10_000 });
}

/** As the operator sets it and the worker sees it. */
async function setFence(side: Side): Promise<void> {
  await client.updateCollection(side.collection, fencePatch(mark, fence));
  await until(async () => (await side.state()).peers.every((state) => state.fence === fence.nonce));
}

const tightened = (side: Side): Promise<Tightness> =>
  tighten({
    side,
    nonce: fence.nonce,
    timing: systemClock,
    signal: new AbortController().signal,
    pollMilliseconds: 200,
    drainMilliseconds: 8000,
    limitMilliseconds: 20_000,
    settleMilliseconds: 500,
    blindSettleMilliseconds: 1000,
    touch: () => {},
  });

/** Clients that write single points through all peers and don't wait for anything; after a 429 as long as they are told. */
class Hammer {
  /** When writes were acknowledged: milliseconds as `performance.now` counts them. */
  readonly acknowledged: number[] = [];
  refused = 0;
  #next = 0;
  #stopped = false;
  readonly #running: Promise<void>[];

  constructor(name: string, { writers, backOff }: { writers: number; backOff: number }) {
    this.#running = Array.from({ length: writers }, async (_, writer) => {
      while (!this.#stopped) {
        const status = await this.#write(peer(writer), name);
        if (status === 200) this.acknowledged.push(performance.now());
        else if (status === 429) {
          this.refused += 1;
          await sleep(backOff);
        }
      }
    });
  }

  async #write(through: Peer, name: string): Promise<number> {
    this.#next += 1;
    const id = this.#next;
    const points = `/collections/${name}/points`;
    switch (id % 3) {
      case 0:
        return (await through.call('POST', `${points}/delete?wait=true`, { points: [id - 1] })).status;
      case 1:
        return (await through.call('POST', `${points}/payload?wait=false`, { payload: { id }, points: [id] })).status;
      default:
        return (await through.call('PUT', `${points}?wait=true`, { points: [{ id, vector: [id, 1, 2] }] })).status;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }
}

/** All points, sorted, from a readable replica of each shard. */
const contents = async (name: string): Promise<string> =>
  JSON.stringify(await Array.fromAsync(client.scrollAll(name, { withVectors: true, limit: 1000 })));

test('an untouched limiter lets a write through: a fence alone is not tight', { timeout: 30_000 }, async () => {
  const side = await collection('gap');
  // A shard's first write of all uses the token up and is refused: the server sends it twice.
  const points = Array.from({ length: 60 }, (_, id) => ({ id, vector: [id, 1, 2] }));
  await peer(0).ok('PUT', '/collections/gap/points?wait=true', { points });
  await setFence(side);
  const { passed } = await side.probeWrites(new AbortController().signal);
  assert.equal(passed, 3, 'one for each shard');
  assert.equal((await side.probeWrites(new AbortController().signal)).passed, 0);
});

test('once a fence is tight no acknowledged write lands any more, whoever hammers', { timeout: 60_000 }, async () => {
  const side = await collection('hammered');
  const hammer = new Hammer('hammered', { writers: 6, backOff: 0 });
  try {
    await until(() => hammer.acknowledged.length > 100);
    await setFence(side);
    const result = await tightened(side);
    const tightAt = performance.now();
    assert.equal(result.kind, 'tight', JSON.stringify(result));
    const stored = await contents('hammered');
    const { refused } = hammer;
    await until(() => hammer.refused > refused + 300);
    assert.equal(hammer.acknowledged.filter((at) => at > tightAt).length, 0);
    assert.equal(await contents('hammered'), stored);
  } finally {
    await hammer.stop();
  }
});

test('the same with two replicas of each shard', { timeout: 90_000 }, async (t) => {
  const side = await collection('replicated', { replication_factor: 2 });
  const hammer = new Hammer('replicated', { writers: 3, backOff: 300 });
  try {
    let result: Tightness = { kind: 'lifted' };
    for (let attempt = 0; attempt < 4 && result.kind !== 'tight'; attempt += 1) {
      const written = hammer.acknowledged.length;
      await client.updateCollection('replicated', unfencePatch({ ...mark, fence }));
      await settled(cluster, 'replicated');
      await until(() => hammer.acknowledged.length > written + 30);
      await setFence(side);
      result = await tightened(side);
      t.diagnostic(JSON.stringify(result));
    }
    const tightAt = performance.now();
    assert.equal(result.kind, 'tight');
    const before = await shown('replicated');
    const { refused } = hammer;
    await until(() => hammer.refused > refused + 15);
    assert.equal(hammer.acknowledged.filter((at) => at > tightAt).length, 0);
    const after = await shown('replicated');
    assert.deepEqual([...after.ever.difference(before.ever)], [], 'nothing comes');
    assert.deepEqual([...before.always.difference(after.always)], [], 'nothing goes');
  } finally {
    await hammer.stop();
  }
});

/**
 * What any and what all of several reads show: a write that one replica took and another refused was acknowledged to
 * nobody, and is seen or not as the replica that is read happens to be.
 */
async function shown(name: string): Promise<{ readonly ever: Set<string>; readonly always: Set<string> }> {
  const read = async (): Promise<Set<string>> =>
    new Set((JSON.parse(await contents(name)) as unknown[]).map((point) => JSON.stringify(point)));
  const first = await read();
  let [ever, always] = [first, first];
  for (let reads = 1; reads < 16; reads += 1) {
    const points = await read();
    ever = ever.union(points);
    always = always.intersection(points);
  }
  return { ever, always };
}

test('with custom sharding the limiters of every key are emptied', { timeout: 30_000 }, async () => {
  const keys = ['a', 'b'];
  await peer(0).ok('PUT', '/collections/keyed', { ...shape, shard_number: 1, sharding_method: 'custom' });
  for (const key of keys) await peer(0).ok('PUT', '/collections/keyed/shards', { shard_key: key });
  await settled(cluster, 'keyed');
  const side = qdrantSide({ client, collection: 'keyed', writeMilliseconds: 10_000 });
  await setFence(side);
  assert.equal((await tightened(side)).kind, 'tight');
  for (const key of keys) {
    for (const through of cluster) {
      const body = { points: [{ id: randomUUID(), vector: [1, 2, 3] }], shard_key: key };
      assert.equal((await through.call('PUT', '/collections/keyed/points?wait=true', body)).status, 429);
    }
  }
});
