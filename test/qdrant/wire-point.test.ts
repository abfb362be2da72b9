import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PointStruct } from '@qdrant/js-client-grpc';
import fc from 'fast-check';
import { PeerClient, type Point } from '../../src/qdrant/index.ts';
import { hashOfPoint, WirePoint } from '../../src/qdrant/wire-point.ts';
import { pointHash } from '../../src/vectors/index.ts';
import { points } from './support/arbitraries.ts';
import { type FakeGrpc, startGrpc } from './support/fake-grpc.ts';

/** A store that keeps what it is sent and gives it back, without shard keys or under one. */
let grpc: FakeGrpc;
let client: PeerClient;
let stored: PointStruct[] = [];
let shardKey: string | bigint | undefined;

before(async () => {
  grpc = await startGrpc({
    upsert: (request) => {
      stored.push(...request.points);
      return { result: { status: 2 }, time: 0 };
    },
    scroll: () => ({
      result: stored.map(({ id, payload, vectors }) => ({
        id,
        payload,
        vectors: { vectorsOptions: vectors?.vectorsOptions },
        ...(shardKey === undefined ? {} : { shardKey: { key: keyOf(shardKey) } }),
      })),
      nextPageOffset: { pointIdOptions: { case: 'uuid', value: NEXT } },
      time: 0,
    }),
  } as Parameters<typeof startGrpc>[0]);
  client = new PeerClient({ address: { name: 'grpc', rest: 'http://127.0.0.1:1', grpc: grpc.url } });
});

after(async () => {
  await client.close();
  await grpc.close();
});

const NEXT = '00000000-0000-0000-0000-00000000000a';
const keyOf = (key: string | bigint) =>
  typeof key === 'string' ? { case: 'keyword', value: key } : { case: 'number', value: key };

async function undecoded(written: readonly Point[]): Promise<Point[]> {
  stored = [];
  await client.upsert('docs', written);
  return (await client.scroll('docs', { withVectors: true, undecoded: true })).points;
}

test('an undecoded point has the hash of the decoded one, and travels on as it came', async () => {
  await fc.assert(
    fc.asyncProperty(points(5), async (written) => {
      shardKey = undefined;
      const read = await undecoded(written);
      assert.ok(read.every((point) => point instanceof WirePoint));
      assert.deepEqual(read.map(hashOfPoint), written.map(pointHash));
      assert.deepEqual(
        read.map(({ id, vector, payload }) => ({ id, vector, payload })),
        written,
      );
      const again = await undecoded(read);
      assert.deepEqual(again.map(hashOfPoint), written.map(pointHash));
      assert.deepEqual(
        again.map(({ id, vector, payload }) => ({ id, vector, payload })),
        written,
      );
    }),
    { numRuns: 60 },
  );
});

test('texts that JSON escapes, numbers of each kind, and nested values hash alike', async () => {
  shardKey = undefined;
  const payload = {
    quote: 'say "no"\\n',
    control: '\u0000\u001f\u007f\u2028',
    wide: 'üñ💡',
    'a "key"': 1,
    '💡': 2,
    '￿': 3,
    deep: { list: [1, 1.5, -7, 9007199254740993n, -9007199254740993n, null, true, [], {}], z: { b: '', a: 'x' } },
  };
  const written: Point[] = [
    { id: 7, vector: [-0, 0, 1e-40, Number.NaN, Number.POSITIVE_INFINITY, 0.5], payload: payload as Point['payload'] },
    { id: 18446744073709551615n, vector: { b: [1], a: [2, 3] }, payload: {} },
  ];
  assert.deepEqual((await undecoded(written)).map(hashOfPoint), written.map(pointHash));
});

test('a shard key counts, unless it is left behind', async () => {
  const written: Point[] = [{ id: 1, vector: [1, 2], payload: { a: 1 } }];
  for (const [key, expected] of [
    ['north', 'north'],
    [7n, 7],
  ] as const) {
    shardKey = key;
    const [read] = await undecoded(written);
    assert.ok(read instanceof WirePoint);
    assert.equal(read.shardKey, expected);
    assert.equal(read.hash(), pointHash({ ...(written[0] as Point), shardKey: expected }));
    const without = read.withoutShardKey();
    assert.equal(without.shardKey, undefined);
    assert.equal(without.hash(), pointHash(written[0] as Point));
  }
});

test('the next page is known', async () => {
  shardKey = undefined;
  stored = [];
  assert.equal((await client.scroll('docs', { undecoded: true })).nextOffset, NEXT);
});
