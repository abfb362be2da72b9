import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApiError, isQuantity, parseQuantity } from '../../src/api/index.ts';

const NANO = 10n ** 9n;

test('every suffix of Kubernetes has its amount', () => {
  const amounts: Readonly<Record<string, bigint>> = {
    '1': NANO,
    '+1.5': (3n * NANO) / 2n,
    '-.5': -NANO / 2n,
    '5.': 5n * NANO,
    '1n': 1n,
    '1u': 1000n,
    '500m': NANO / 2n,
    '1k': 1000n * NANO,
    '1M': 10n ** 6n * NANO,
    '1Ki': 1024n * NANO,
    '1.5Gi': 1536n * 1024n ** 2n * NANO,
    '1Ei': 1024n ** 6n * NANO,
    '1E': 10n ** 18n * NANO,
    '1e3': 1000n * NANO,
    '1E-3': NANO / 1000n,
    '0.1n': 1n,
  };
  for (const [text, amount] of Object.entries(amounts)) assert.equal(parseQuantity(text), amount, text);
});

test('what is not a quantity is refused', () => {
  for (const text of ['', '.', 'Gi', '1 Gi', '1gb', '1GB', '--1', '1e', '1e999', 'NaN', '1Gi ']) {
    assert.equal(isQuantity(text), false, text);
    assert.throws(
      () => parseQuantity(text),
      (error) => error instanceof ApiError && error.reason === 'InvalidQuantity',
    );
  }
});

test('a binary unit is 1024 of the one below', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (count) => {
      assert.equal(parseQuantity(`${count}Gi`), parseQuantity(`${count * 1024}Mi`));
    }),
  );
});
