import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  idFrom,
  positionOf,
  RANGE_COUNT,
  RANGE_STARTS,
  rangeEnd,
  rangeOf,
  rangeStart,
} from '../../src/migration/ranges.ts';
import type { PointId } from '../../src/qdrant/types.ts';

const anyId: fc.Arbitrary<PointId> = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.maxSafeNat(),
  fc.uuid(),
);

test('ranges follow each other without gap or overlap', () => {
  for (let range = 0; range < RANGE_COUNT; range += 1) {
    assert.ok(rangeStart(range) < rangeEnd(range));
    assert.equal(rangeEnd(range), range + 1 < RANGE_COUNT ? rangeStart(range + 1) : 1n << 129n);
  }
  assert.equal(RANGE_STARTS[0], 0n);
});

test('property: every id is in exactly one range', () => {
  fc.assert(
    fc.property(anyId, (id) => {
      const position = positionOf(id);
      const range = rangeOf(position);
      assert.ok(rangeStart(range) <= position && position < rangeEnd(range));
    }),
  );
});

test('property: positions are in the order of Qdrant: integers, then UUIDs by their text', () => {
  fc.assert(
    fc.property(anyId, anyId, (a, b) => {
      const expected =
        typeof a === typeof b || (typeof a !== 'string' && typeof b !== 'string')
          ? a < b
          : typeof a !== 'string' && typeof b === 'string';
      assert.equal(positionOf(a) < positionOf(b), expected);
    }),
  );
});

test('property: an id and its position say the same', () => {
  fc.assert(
    fc.property(anyId, (id) => {
      const back = idFrom(positionOf(id));
      assert.equal(String(back), String(id));
    }),
  );
});

test('the first id of a range beyond the integers is the first UUID; beyond all there is none', () => {
  assert.equal(idFrom(1n << 64n), '00000000-0000-0000-0000-000000000000');
  assert.equal(idFrom(1n << 129n), undefined);
  assert.equal(typeof idFrom(5n), 'number');
  assert.equal(typeof idFrom((1n << 64n) - 1n), 'bigint');
});

test('ids counted from 1 spread over ranges: the fullest holds at most a sixteenth', () => {
  const counts = new Map<number, number>();
  for (let id = 1; id <= 20_000; id += 1) counts.set(rangeOf(BigInt(id)), (counts.get(rangeOf(BigInt(id))) ?? 0) + 1);
  assert.ok(Math.max(...counts.values()) <= 20_000 / 16);
});
