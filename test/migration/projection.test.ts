import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IDENTITY, project } from '../../src/migration/projection.ts';
import type { Point } from '../../src/qdrant/types.ts';

const point: Point = {
  id: 1,
  vector: {
    a: [3, 4],
    b: [
      [0, 2],
      [1, 0],
    ],
    s: { indices: [1], values: [2] },
  },
  payload: {},
  shardKey: 'k',
};

test('nothing changes where the shapes are equal', () => {
  assert.equal(project(point, IDENTITY).write, point);
  assert.equal(project(point, IDENTITY).expected, point);
});

test('a target with Cosine gets unit vectors, row by row, and sparse ones as they are', () => {
  const { write } = project(point, {
    ...IDENTITY,
    vectors: { a: { normalize: true }, b: { normalize: true }, s: { normalize: true } },
  });
  assert.deepEqual(write.vector, {
    a: [Math.fround(0.6), Math.fround(0.8)],
    b: [
      [0, 1],
      [1, 0],
    ],
    s: { indices: [1], values: [2] },
  });
});

test('property: normalising twice changes nothing, so what Qdrant gives back is what was sent', () => {
  const vector = fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(vector, (values) => {
      const once = project(
        { ...point, vector: values.map(Math.fround) },
        { ...IDENTITY, vectors: { '': { normalize: true } } },
      ).write;
      assert.deepEqual(project(once, { ...IDENTITY, vectors: { '': { normalize: true } } }).write.vector, once.vector);
    }),
  );
});

test('half precision is expected back, full precision is sent', () => {
  const { write, expected } = project({ ...point, vector: [0.1] }, { ...IDENTITY, vectors: { '': { float16: true } } });
  assert.deepEqual(write.vector, [0.1]);
  assert.deepEqual(expected.vector, [Math.f16round(0.1)]);
});

test('dropped vectors and shard keys stay behind', () => {
  const { write } = project(point, { vectors: { a: { drop: true }, b: { drop: true } }, keepShardKeys: false });
  assert.deepEqual(write, { id: 1, vector: { s: { indices: [1], values: [2] } }, payload: {} });
  assert.deepEqual(
    project({ ...point, vector: [1] }, { vectors: { '': { drop: true } }, keepShardKeys: true }).write.vector,
    {},
  );
});
