import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  completeness,
  decodeRing,
  emptyRing,
  encodeRing,
  lastValues,
  percentile,
  percentileOf,
  push,
  type Ring,
} from '../../src/rebalance/observe/ring.ts';

const MINUTE = 60_000;
const small = emptyRing({ stepSeconds: 60, capacity: 5 });
const pushed = (values: readonly (readonly [number, number])[], ring: Ring = small): Ring =>
  values.reduce((all, [minute, value]) => push(all, minute * MINUTE, value), ring);

test('a ring keeps the newest values and no more', () => {
  const ring = pushed(Array.from({ length: 9 }, (_, index) => [index, index]));
  assert.deepEqual([ring.values, ring.endsAt], [[4, 5, 6, 7, 8], 9 * MINUTE]);
});

test('a step that nobody looked at is a gap, not nothing', () => {
  assert.deepEqual(
    pushed([
      [0, 1],
      [3, 4],
    ]).values,
    [1, Number.NaN, Number.NaN, 4],
  );
  assert.deepEqual(
    pushed([
      [0, 1],
      [1000, 4],
    ]).values,
    [Number.NaN, Number.NaN, Number.NaN, Number.NaN, 4],
  );
});

test('of several values of one step the highest counts, and none comes too late', () => {
  assert.deepEqual(
    pushed([
      [1, 2],
      [1.5, 7],
      [1.7, 3],
      [0, 9],
    ]).values,
    [7],
  );
});

test('what is known of a time ends with the last look', () => {
  const ring = pushed([
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  assert.deepEqual(lastValues(ring, 3 * MINUTE, 120), [2, 3]);
  assert.deepEqual(lastValues(ring, 4 * MINUTE, 120), [3, Number.NaN]);
  assert.deepEqual(lastValues(ring, 60 * MINUTE, 120), [Number.NaN, Number.NaN]);
  assert.equal(completeness(ring, 3 * MINUTE, 240), 0.75);
  assert.equal(completeness(small, 0, 240), 0);
});

test('percentiles leave gaps out', () => {
  const ring = pushed([
    [0, 1],
    [2, 3],
  ]);
  assert.equal(percentile(ring, 0.5, { now: 3 * MINUTE, seconds: 300 }), 2);
  assert.equal(percentileOf([], 0.5), undefined);
  assert.equal(percentileOf([5], 0.95), 5);
});

test('a ring survives being written and read, but for one part in a thousand of its highest value', () => {
  const value = fc.oneof(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.constant(Number.NaN));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 5 }), (values) => {
      const ring: Ring = { ...small, endsAt: 300_000, values };
      const read = decodeRing(JSON.parse(JSON.stringify(encodeRing(ring))));
      const scale = Math.max(0, ...values.filter((one) => !Number.isNaN(one)));
      assert.deepEqual({ ...read, values: [] }, { ...ring, values: [] });
      assert.equal(read.values.length, values.length);
      for (const [index, one] of values.entries()) {
        const again = read.values[index] ?? 0;
        assert.ok(Number.isNaN(one) ? Number.isNaN(again) : Math.abs(again - one) <= scale * 0.001);
      }
    }),
  );
});
