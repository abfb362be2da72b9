import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { peerCounters } from '../../src/rebalance/observe/counters.ts';
import { parseExposition } from '../../src/rebalance/observe/exposition.ts';
import { quantile } from '../../src/rebalance/observe/histogram.ts';
import { clusterRates, interval, type PeerSample } from '../../src/rebalance/observe/rates.ts';
import { peerStorage } from '../../src/rebalance/observe/telemetry.ts';

type Counted = { reads: number; writes?: number; busy?: number };

/** The text of a peer that counted so much, by collection. */
function metrics(collections: Readonly<Record<string, Counted>>): string {
  const series = Object.entries(collections).flatMap(([name, { reads, writes = 0, busy = 0 }]) => {
    const labels = (method: string, path: string) =>
      `method="${method}",endpoint="/collections/{collection_name}${path}",status="200",collection="${name}"`;
    return [
      `rest_responses_total{${labels('POST', '/points/query')}} ${reads}`,
      `rest_responses_total{${labels('PUT', '/points')}} ${writes}`,
      `rest_responses_duration_seconds_sum{${labels('POST', '/points/query')}} ${busy}`,
      `rest_responses_duration_seconds_bucket{${labels('POST', '/points/query')},le="0.01"} ${reads / 2}`,
      `rest_responses_duration_seconds_bucket{${labels('POST', '/points/query')},le="0.1"} ${reads}`,
      `rest_responses_duration_seconds_bucket{${labels('POST', '/points/query')},le="+Inf"} ${reads}`,
    ];
  });
  return `# HELP rest_responses_total total number of responses\n# TYPE rest_responses_total counter\n${series.join('\n')}\n`;
}

const sample = (seconds: number, collections: Readonly<Record<string, Counted>>, startedAt?: string): PeerSample => ({
  at: seconds * 1000,
  startedAt,
  ...peerCounters(metrics(collections)),
});

test('labels are read with their escapes, and what is no sample is left out', () => {
  assert.deepEqual(
    parseExposition('# TYPE a counter\na{x="1\\"2\\\\n",y="{}"} 2.5e3\n\nb +Inf 1700000000\nc NaN\n9 broken'),
    [
      { name: 'a', labels: { x: '1"2\\n', y: '{}' }, value: 2500 },
      { name: 'b', labels: {}, value: Number.POSITIVE_INFINITY },
    ],
  );
});

test('any text is read without an error', () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void peerCounters(text)));
});

test('reads and writes are told apart, by REST and by gRPC, under any prefix', () => {
  const { collections, total, unsettled } = peerCounters(`
p_rest_responses_total{method="PUT",endpoint="/collections/{collection_name}/points",status="200",collection="a"} 1
p_rest_responses_total{method="POST",endpoint="/collections/{collection_name}/points",status="200",collection="a"} 2
p_rest_responses_total{method="POST",endpoint="/collections/{collection_name}/points/payload/delete",status="200",collection="a"} 4
p_rest_responses_total{method="POST",endpoint="/collections/{collection_name}/points/count",status="429",collection="a"} 8
p_grpc_responses_total{endpoint="/qdrant.Points/Upsert",status="0",collection="a"} 16
p_grpc_responses_total{endpoint="/qdrant.Points/Query",status="14",collection="b"} 32
p_collection_running_optimizations{id="b"} 1
p_collection_update_queue_length{id="a"} 0`);
  assert.deepEqual([collections?.get('a')?.writes, collections?.get('a')?.reads], [21, 10]);
  assert.deepEqual([total.reads, total.writes, total.failures], [42, 21, 40]);
  assert.deepEqual([...unsettled], ['b']);
});

test('a peer that tells only sums says nothing of collections', () => {
  const { collections, total } = peerCounters('rest_responses_total{method="GET",endpoint="/x",status="200"} 7');
  assert.deepEqual([collections, total.reads], [undefined, 7]);
});

test('rates are what came between two looks', () => {
  const between = interval(
    sample(0, { a: { reads: 100, busy: 2 } }),
    sample(10, { a: { reads: 150, busy: 3 }, b: { reads: 20 } }),
  );
  assert.ok(between.kind === 'rates');
  assert.equal(between.collections.get('a')?.reads, 5);
  assert.equal(between.collections.get('a')?.busy, 0.1);
  assert.equal(between.collections.get('b')?.reads, 2);
  assert.equal(between.total.reads, 7);
  assert.equal(quantile(between.total.searches, 0.5), 0.01);
});

test('the interval in which a process began anew is dropped, however it shows', () => {
  const before = sample(0, { a: { reads: 100 }, b: { reads: 5 } }, 'monday');
  const dropped = { kind: 'dropped', reason: 'Restarted' };
  assert.deepEqual(interval(before, sample(10, { a: { reads: 3 }, b: { reads: 5 } })), dropped);
  assert.deepEqual(interval(before, sample(10, {})), dropped);
  assert.deepEqual(interval(before, sample(10, { a: { reads: 900 }, b: { reads: 50 } }, 'tuesday')), dropped);
  assert.deepEqual(interval(before, sample(0, { a: { reads: 101 } })), { kind: 'dropped', reason: 'NoTime' });
});

test('a collection that was dropped is no restart', () => {
  const between = interval(sample(0, { a: { reads: 100 }, b: { reads: 5 } }), sample(10, { a: { reads: 110 } }));
  assert.equal(between.kind === 'rates' && between.total.reads, 1);
});

test('no rate is ever negative, whatever was counted', () => {
  const counted = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.record({ reads: fc.nat(1000), writes: fc.nat(1000) }),
  );
  fc.assert(
    fc.property(counted, counted, (before, after) => {
      const between = interval(sample(0, before), sample(10, after));
      if (between.kind === 'dropped') return;
      for (const { reads, writes, busy } of [between.total, ...between.collections.values()])
        assert.ok(reads >= 0 && writes >= 0 && busy >= 0);
    }),
  );
});

test('where the interval of one peer is unknown, that of the cluster is', () => {
  const known = interval(sample(0, { a: { reads: 0 } }), sample(10, { a: { reads: 10 } }));
  assert.equal(clusterRates([known, known])?.collections.get('a')?.reads, 2);
  assert.equal(clusterRates([known, { kind: 'dropped', reason: 'Restarted' }]), undefined);
  assert.equal(clusterRates([]), undefined);
});

test('a quantile is interpolated within its bucket, and never beyond the last bound', () => {
  const buckets = new Map([
    [0.1, 50],
    [0.5, 90],
    [Number.POSITIVE_INFINITY, 100],
  ]);
  assert.equal(quantile(buckets, 0.25), 0.05);
  assert.equal(quantile(buckets, 0.7)?.toFixed(9), '0.300000000');
  assert.equal(quantile(buckets, 0.99), 0.5);
  assert.equal(quantile(new Map(), 0.95), undefined);
  assert.equal(quantile(new Map([[1, 0]]), 0.95), undefined);
});

test('telemetry tells what is stored, on what machine, and what is being optimised', () => {
  const shard = (change: object) => ({
    id: 0,
    remote: [],
    replicate_states: {},
    local: { total_optimized_points: 0, ...change },
  });
  const told = peerStorage({
    id: 'x',
    app: {
      name: 'qdrant',
      version: '1.18.3',
      startup: 'monday',
      system: { cores: 2, ram_size: 1024, disk_size: 4096 },
    },
    memory: { resident_bytes: 5 },
    collections: {
      number_of_collections: 2,
      collections: [
        {
          id: 'a',
          shards: [
            shard({ num_points: 3, vectors_size_bytes: 40, payloads_size_bytes: 2 }),
            { ...shard({}), local: null },
          ],
        },
        { id: 'b', shards: [shard({ status: 'yellow' })] },
        { vectors: 1, optimizers_status: 'ok' },
      ],
    },
  } as unknown as Parameters<typeof peerStorage>[0]);
  assert.deepEqual(told.capacity, { cores: 2, memoryBytes: 1024 ** 2, diskBytes: 4 * 1024 ** 2 });
  assert.deepEqual([told.startedAt, told.residentBytes], ['monday', 5]);
  assert.deepEqual(told.collections.get('a'), { points: 3, bytes: 42, unsettled: false });
  assert.equal(told.collections.get('b')?.unsettled, true);
  assert.equal(peerStorage({ id: 'x' } as unknown as Parameters<typeof peerStorage>[0]).capacity, undefined);
});
