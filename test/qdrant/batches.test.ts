import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batches, OversizedItem } from '../../src/qdrant/index.ts';

const limits = { targetBytes: 100, maxBytes: 300, maxPoints: 7 };
const itself = (size: number): number => size;

test('batches together are the input, and none is empty or over a limit', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300)), (sizes) => {
      const cut = [...batches(sizes, itself, limits)];
      assert.deepEqual(cut.flat(), sizes);
      for (const batch of cut) {
        assert.ok(batch.length > 0 && batch.length <= limits.maxPoints);
        assert.ok(batch.length === 1 || batch.reduce((sum, size) => sum + size, 0) <= limits.targetBytes);
      }
    }),
  );
});

test('no batch could take the first item of the next', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(120)), (sizes) => {
      const cut = [...batches(sizes, itself, limits)];
      for (const [index, batch] of cut.slice(0, -1).entries()) {
        const total = batch.reduce((sum, size) => sum + size, 0);
        assert.ok(batch.length === limits.maxPoints || total + (cut[index + 1]?.[0] ?? 0) > limits.targetBytes);
      }
    }),
  );
});

test('an item that no request can carry is refused', () => {
  assert.throws(() => [...batches([1, 301], itself, limits)], OversizedItem);
});
