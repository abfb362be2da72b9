import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defectsOf, normalise } from '../../../src/vectorize/embed/index.ts';

const TEXTS = ['red apples', 'green pears', 'blue plums', 'old bread'];
const good = (): Float32Array[] => [
  Float32Array.of(1, 0, 0),
  Float32Array.of(0, 1, 0),
  Float32Array.of(0, 0, 1),
  Float32Array.of(0.6, 0.8, 0),
];
/** A good answer with one vector changed. */
const changed = (index: number, vector: Float32Array): Float32Array[] => good().with(index, vector);
const codes = (vectors: readonly Float32Array[], options = {}): string[] =>
  defectsOf(vectors, { texts: TEXTS, ...options }).map(({ code, index }) => `${code} ${index ?? 'all'}`);

test('a right answer has no defect', () => {
  assert.deepEqual(codes(good(), { dimensions: 3, norm: 'unit' }), []);
});

test('as many vectors as texts', () => {
  assert.deepEqual(codes(good().slice(1)), ['WrongCount all']);
  assert.deepEqual(codes([...good(), Float32Array.of(1, 0, 0)]), ['WrongCount all']);
});

test('every vector has the dimensions asked for, or those of the first', () => {
  assert.deepEqual(codes(good(), { dimensions: 4 }), ['WrongDimension all']);
  assert.deepEqual(codes(changed(2, Float32Array.of(1, 0))), ['WrongDimension all']);
  assert.deepEqual(codes(TEXTS.map(() => new Float32Array(0))), ['WrongDimension all']);
});

test('numbers are finite', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1e300]) {
    assert.deepEqual(codes(changed(1, Float32Array.of(0, value, 0))), ['NotFinite 1']);
  }
});

test('the largest float32 numbers are finite', () => {
  assert.deepEqual(codes(changed(1, Float32Array.of(3.4e38, 3.4e38, 0))), []);
});

test('no vector is all zero', () => {
  assert.deepEqual(codes(changed(3, Float32Array.of(0, -0, 0))), ['AllZero 3']);
});

test('four different texts do not have one vector', () => {
  const same = TEXTS.map(() => Float32Array.of(1, 0, 0));
  assert.deepEqual(codes(same), ['Constant all']);
  assert.deepEqual(codes(changed(3, Float32Array.of(0.6, 0.8, 0))), []);
});

test('texts that differ only in case and signs may have one vector', () => {
  const texts = ['red apples', 'Red apples', 'red, apples', 'red apples!'];
  assert.deepEqual(
    defectsOf(
      TEXTS.map(() => Float32Array.of(1, 0, 0)),
      { texts },
    ),
    [],
  );
});

test('length is 1 where it must be, within a hundredth', () => {
  assert.deepEqual(codes(changed(0, Float32Array.of(1.02, 0, 0)), { norm: 'unit' }), ['NotNormalised 0']);
  assert.deepEqual(codes(changed(0, Float32Array.of(1.009, 0, 0)), { norm: 'unit' }), []);
  assert.deepEqual(codes(changed(0, Float32Array.of(5, 0, 0))), []);
});

test('a normalised vector has length 1; one without a direction stays', () => {
  assert.deepEqual(normalise(Float32Array.of(3, 0, 4)), Float32Array.of(0.6, 0, 0.8));
  assert.deepEqual(normalise(Float32Array.of(0, 0)), Float32Array.of(0, 0));
});
