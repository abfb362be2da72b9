import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Double } from '../../src/qdrant/json.ts';
import {
  combineDigests,
  digestOf,
  EMPTY_DIGEST,
  formatDigest,
  type HashedPoint,
  parseDigest,
  pointHash,
} from '../../src/vectors/index.ts';

const vectors = {
  dense: [1, 2, 3],
  words: { indices: [3, 1], values: [0.5, 0.25] },
  rows: [
    [1, 2],
    [3, 4],
  ],
};
const base: HashedPoint = {
  id: 1,
  vector: vectors,
  payload: { a: 1, b: { c: ['x', null, true], d: 2.5 } },
  shardKey: 'tenant',
};

const float = fc.float({ noNaN: true, noDefaultInfinity: true }).map(Math.fround);
const points = fc.uniqueArray(
  fc.record({
    id: fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.uuid()),
    vector: fc.array(float, { maxLength: 4 }),
    payload: fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<unknown>, { maxKeys: 3 }),
  }),
  { selector: ({ id }) => String(id), maxLength: 12 },
);

test('property: the order of points is no part of a digest, and parts add up to the whole', () => {
  fc.assert(
    fc.property(points, fc.integer(), (all, cut) => {
      const whole = formatDigest(digestOf(all));
      assert.equal(formatDigest(digestOf(all.toReversed())), whole);
      const at = Math.abs(cut) % (all.length + 1);
      const parts = combineDigests(digestOf(all.slice(0, at)), digestOf(all.slice(at)));
      assert.equal(formatDigest(parts), whole);
    }),
  );
});

test('property: a digest survives being written and read', () => {
  fc.assert(
    fc.property(points, (all) => {
      const digest = digestOf(all);
      assert.deepEqual(parseDigest(formatDigest(digest)), digest);
    }),
  );
  assert.equal(parseDigest('3-xyz'), undefined);
  assert.equal(formatDigest(EMPTY_DIGEST), '0-00000000000000000000000000000000');
});

const changes: Record<string, Partial<HashedPoint>> = {
  'the id': { id: 2 },
  'the kind of id': { id: '00000000-0000-0000-0000-000000000001' },
  'one dense number': { vector: { ...vectors, dense: [1, 2, 3.0000002] } },
  'the order of dense numbers': { vector: { ...vectors, dense: [2, 1, 3] } },
  'a vector name': { vector: { other: [1, 2, 3] } },
  'a missing vector': { vector: { dense: [1, 2, 3] } },
  'a sparse index': { vector: { ...vectors, words: { indices: [3, 2], values: [0.5, 0.25] } } },
  'a sparse value': { vector: { ...vectors, words: { indices: [3, 1], values: [0.5, 0.5] } } },
  'rows of a multivector': { vector: { ...vectors, rows: [[1, 2, 3, 4]] } },
  'a payload value': { payload: { ...base.payload, a: 2 } },
  'an integer to a float': { payload: { ...base.payload, a: new Double(1) } },
  'a null to an absent field': { payload: { a: 1, b: { c: ['x', true], d: 2.5 } } },
  'a number to its text': { payload: { ...base.payload, a: '1' } },
  'the shard key': { shardKey: 'other' },
  'the kind of shard key': { shardKey: 7 },
};

for (const [what, change] of Object.entries(changes)) {
  test(`a digest sees a change of ${what}`, () => {
    assert.notEqual(pointHash({ ...base, ...change }), pointHash(base));
  });
}

test('a point without shard key differs from one with', () => {
  const { shardKey: _, ...without } = base;
  assert.notEqual(pointHash(without), pointHash(base));
});

const equals: Record<string, [HashedPoint, HashedPoint]> = {
  'number and bigint ids': [base, { ...base, id: 1n }],
  'UUIDs in any spelling': [
    { ...base, id: 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11' },
    { ...base, id: 'a0eebc999c0b4ef8bb6d6bb9bd380a11' },
  ],
  'an unnamed vector and one named with nothing': [
    { ...base, vector: [1, 2] },
    { ...base, vector: { '': [1, 2] } },
  ],
  'sparse entries in another order': [
    base,
    { ...base, vector: { ...vectors, words: { indices: [1, 3], values: [0.25, 0.5] } } },
  ],
  'payload fields in another order': [base, { ...base, payload: { b: { d: 2.5, c: ['x', null, true] }, a: 1 } }],
  'minus zero and zero': [
    { ...base, vector: [-0, 1] },
    { ...base, vector: [0, 1] },
  ],
  'what is not finite, as REST and as gRPC show it': [
    { ...base, vector: [Number.NaN] },
    { ...base, vector: [Number.POSITIVE_INFINITY] },
  ],
  'doubles that are one float32': [
    { ...base, vector: [0.1] },
    { ...base, vector: [Math.fround(0.1)] },
  ],
  'large integers as bigint and as number': [
    { ...base, payload: { n: 9007199254740992n } },
    { ...base, payload: { n: 9007199254740992 } },
  ],
};

for (const [what, [a, b]] of Object.entries(equals)) {
  test(`equal points: ${what}`, () => assert.equal(pointHash(a), pointHash(b)));
}

test('an id that Qdrant does not know is refused', () => {
  assert.throws(() => pointHash({ ...base, id: 'no uuid' }), TypeError);
});

test('long vectors and payloads are hashed whole', () => {
  const long = (last: number): HashedPoint => ({ ...base, vector: [...new Array<number>(5000).fill(1), last] });
  assert.notEqual(pointHash(long(1)), pointHash(long(2)));
});
