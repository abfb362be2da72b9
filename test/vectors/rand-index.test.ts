import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { drawn, randIndex, randomNumbers } from '../../src/vectors/index.ts';

test('the adjusted Rand index of a worked example', () => {
  // Contingency [[1, 1, 0], [0, 0, 2], [1, 0, 1]] gives 1 pair together; expected 3 * 4 / 15 = 0.8; highest 3.5.
  assert.ok(Math.abs(randIndex([0, 0, 1, 1, 2, 2], [0, 1, 2, 2, 0, 2]) - (1 - 0.8) / (3.5 - 0.8)) < 1e-12);
});

const labels = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })), { maxLength: 60 });

test('property: symmetric, at most 1, 1 for the same cells under other names', () => {
  fc.assert(
    fc.property(labels, (pairs) => {
      const [a, b] = [pairs.map(([label]) => label), pairs.map(([, label]) => label)];
      assert.ok(Math.abs(randIndex(a, b) - randIndex(b, a)) < 1e-12);
      assert.ok(randIndex(a, b) <= 1 + 1e-12);
      assert.equal(
        randIndex(
          a,
          a.map((label) => `cell ${label}`),
        ),
        1,
      );
    }),
  );
});

test('labels that have nothing to do with each other come to about 0', () => {
  const random = randomNumbers(4);
  const labelled = (): number[] => Array.from({ length: 5000 }, () => Math.floor(random() * 6));
  assert.ok(Math.abs(randIndex(labelled(), labelled())) < 0.01);
});

test('labellings of unequal length are refused', () => {
  assert.throws(() => randIndex([1], [1, 2]), TypeError);
});

test('property: what is drawn is different, within range, and the same for the same seed', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), fc.integer(), (count, wanted, seed) => {
      const places = drawn(count, wanted, randomNumbers(seed));
      assert.equal(places.length, Math.min(count, wanted));
      assert.equal(new Set(places).size, places.length);
      assert.ok(places.every((place) => place < count));
      assert.deepEqual(drawn(count, wanted, randomNumbers(seed)), places);
    }),
  );
});
