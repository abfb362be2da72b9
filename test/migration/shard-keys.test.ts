import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Contents } from '../../src/migration/contents.ts';
import { SCROLL_ENGINE } from '../../src/migration/copy.ts';
import type { LedgerOptions } from '../../src/migration/ledger.ts';
import { IDENTITY } from '../../src/migration/projection.ts';
import { qdrantSide } from '../../src/migration/qdrant-side.ts';
import { RangeQueue } from '../../src/migration/range-queue.ts';
import { totals } from '../../src/migration/verify.ts';
import { ClusterClient } from '../../src/qdrant/index.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import { formatDigest } from '../../src/vectors/index.ts';
import { type Peer, Peers } from '../sandbox/qdrant/peers.ts';

/** With custom sharding one id may stand under several keys, as several points. */
const peers = { source: new Peers(ENV()), target: new Peers(ENV()) };
let ends: { readonly source: Peer; readonly target: Peer };
const KEYS = ['north', 'south', 7] as const;
const IDS = Array.from({ length: 300 }, (_, at) => at);

function ENV(): NodeJS.ProcessEnv {
  return { QDRANT__SERVICE__GRPC_PORT: '6334' };
}

before(async () => {
  const [[source], [target]] = await Promise.all([peers.source.cluster(1), peers.target.cluster(1)]);
  assert.ok(source && target);
  ends = { source, target };
  for (const peer of [source, target]) {
    await peer.ok('PUT', '/collections/k', { vectors: { size: 2, distance: 'Dot' }, sharding_method: 'custom' });
    for (const key of KEYS) await peer.ok('PUT', '/collections/k/shards', { shard_key: key });
  }
  for (const [at, key] of KEYS.entries()) {
    // Under each key every id but some, with other contents.
    const points = IDS.filter((id) => id % 5 !== at).map((id) => ({ id, vector: [id, at], payload: { key } }));
    await source.ok('PUT', '/collections/k/points?wait=true', { shard_key: key, points });
  }
});
after(async () => {
  await Promise.all([peers.source.close(), peers.target.close()]);
});

const options: LedgerOptions = {
  lanes: 2,
  pageSize: 32,
  projection: IDENTITY,
  rememberPoints: 10_000,
  signal: new AbortController().signal,
  write: (action) => action(),
};

const client = (peer: Peer, grpc: boolean): ClusterClient =>
  new ClusterClient({
    peers: [{ name: peer.host, rest: peer.url, ...(grpc ? { grpc: `http://${peer.host}:6334` } : {}) }],
  });

/** Ids and contents under one key. */
const under = async (peer: Peer, key: string | number): Promise<string[]> => {
  const body = { shard_key: key, limit: 1000, with_vector: true };
  const { points } = await peer.ok<{ points: { id: number }[] }>('POST', '/collections/k/points/scroll', body);
  return points.map((point) => JSON.stringify(point));
};

test('over all keys an id is given once, and counted under each', async () => {
  const { points } = await ends.source.ok<{ points: { id: number }[] }>('POST', '/collections/k/points/scroll', {
    limit: 1000,
  });
  assert.deepEqual(
    points.map(({ id }) => id),
    IDS,
  );
  const { count } = await ends.source.ok<{ count: number }>('POST', '/collections/k/points/count', { exact: true });
  assert.equal(count, 3 * 240);
});

for (const grpc of [true, false]) {
  test(`what stands under each key is copied, compared and proved, by ${grpc ? 'gRPC' : 'REST'}`, async () => {
    const [from, to] = [client(ends.source, grpc), client(ends.target, grpc)];
    try {
      const source = qdrantSide({ client: from, collection: 'k', writeMilliseconds: 5000 });
      const target = qdrantSide({ client: to, collection: 'k', writeMilliseconds: 5000 });
      const contents = new Contents({ source, target }, silentLogger);
      const reading = await contents.beforeCopy(options, true);
      await SCROLL_ENGINE.base(source, target, new RangeQueue(), { ...options, ...reading });
      assert.equal(await target.count(), 3 * 240);
      assert.equal((await contents.converge(options)).differences, 0);
      // The same id comes, changes and goes under one key only.
      await from.upsert('k', [{ id: 3, vector: [9, 9], payload: { key: 'changed' }, shardKey: 'south' }]);
      await from.deletePoints('k', { ids: [4] }, { shardKey: 7 });
      await from.upsert('k', [{ id: 1000 + Number(grpc), vector: [1, 1], payload: {}, shardKey: 'north' }]);
      const { source: a, target: b } = totals((await contents.prove(options)).ranges);
      assert.equal(formatDigest(a), formatDigest(b));
      assert.equal(a.count, await source.count());
      for (const key of KEYS) assert.deepEqual(await under(ends.target, key), await under(ends.source, key));
    } finally {
      await Promise.all([from.close(), to.close()]);
    }
  });
}
