import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetVectors } from '../../src/vectorize/target-vectors.ts';

test('one unnamed vector, named ones, and those that hold many a point', () => {
  assert.deepEqual(targetVectors({ size: 3, distance: 'Dot' }), [{ name: '', size: 3, multi: false }]);
  assert.deepEqual(
    targetVectors({ text: { size: 3 }, late: { size: 4, multivector_config: { comparator: 'max_sim' } } }),
    [
      { name: 'text', size: 3, multi: false },
      { name: 'late', size: 4, multi: true },
    ],
  );
});

test('a collection of sparse vectors alone has none', () => {
  assert.deepEqual([targetVectors(undefined), targetVectors({}), targetVectors(null)], [[], [], []]);
});
