import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bound,
  cellsWithin,
  DISTANCES,
  decodeSketch,
  encodeSketch,
  isComplete,
  MAX_SKETCH_BYTES,
  type Matrix,
  match,
  matrixOf,
  neighbours,
  pick,
  ranked,
  routingCeiling,
  rowOf,
  score,
  similarity,
  sketchBytes,
  sketchOf,
  widened,
} from '../../src/vectors/index.ts';
import { clouds } from './points.ts';

const number = fc.float({ min: Math.fround(-1000), max: 1000, noNaN: true });
const problems = fc.integer({ min: 1, max: 8 }).chain((columns) => {
  const row = fc.array(number, { minLength: columns, maxLength: columns });
  return fc.record({
    rows: fc.array(row, { minLength: 1, maxLength: 40 }),
    later: fc.array(row, { maxLength: 10 }),
    queries: fc.array(row, { minLength: 1, maxLength: 5 }),
    cells: fc.integer({ min: 1, max: 6 }),
    seed: fc.integer(),
    distance: fc.constantFrom(...DISTANCES),
  });
});

const everyRow = (matrix: Matrix): Float32Array[] =>
  Array.from({ length: matrix.rows }, (_, row) => rowOf(matrix, row));

test('property: no point that a sketch has seen is nearer to a query than its bound', async () => {
  await fc.assert(
    fc.asyncProperty(problems, async ({ rows, later, queries, cells, seed, distance }) => {
      const first = matrixOf(rows);
      const second = later.length === 0 ? first : matrixOf(later);
      const sketch = await widened(await sketchOf(first, { distance, cells, seed }), second);
      for (const query of [...queries, rows[0] ?? []]) {
        const most = bound(sketch, query);
        for (const point of [...everyRow(first), ...everyRow(second)]) {
          const near = similarity(distance, query, point);
          assert.ok(near <= most, `${distance}: ${near} beyond ${most}`);
        }
        assert.ok(score(sketch, query) <= most + 1e-6 * Math.abs(most) + 1e-6);
      }
    }),
    { numRuns: 500 },
  );
});

test('property: a sketch survives being written and read, number for number', async () => {
  await fc.assert(
    fc.asyncProperty(problems, async ({ rows, queries, cells, seed, distance }) => {
      const sketch = await sketchOf(matrixOf(rows), { distance, cells, seed, population: 1000 });
      const read = decodeSketch(encodeSketch(sketch));
      assert.deepEqual(read, sketch);
      for (const query of queries) assert.deepEqual(match(read, query), match(sketch, query));
    }),
    { numRuns: 300 },
  );
});

test('a bound is worth something: far clouds are ruled out, near ones are not', async () => {
  const { points, labels } = clouds({ clouds: 4, rows: 2000, columns: 48, spread: 0.4, seed: 2 });
  const of = (cloud: number): number[] => [...labels.keys()].filter((row) => labels[row] === cloud);
  for (const distance of DISTANCES) {
    const sketches = await Promise.all(
      [0, 1, 2, 3].map((cloud) => sketchOf(pick(points, of(cloud)), { distance, cells: 64, seed: 1 })),
    );
    const query = rowOf(points, of(2)[0] ?? 0);
    assert.equal(ranked(sketches, query)[0], 2);
    const best = Math.max(
      ...of(2)
        .slice(1)
        .map((row) => similarity(distance, query, rowOf(points, row))),
    );
    for (const far of [0, 1, 3]) assert.ok(bound(sketches[far] ?? assert.fail(), query) < best, `${distance} ${far}`);
  }
});

test('of a sample the bound is an estimate, and the sketch says so', async () => {
  const { points } = clouds({ clouds: 3, rows: 3000, columns: 16, spread: 0.6, seed: 3 });
  const sample = pick(
    points,
    Array.from({ length: 300 }, (_, index) => index),
  );
  const rest = pick(
    points,
    Array.from({ length: 2700 }, (_, index) => index + 300),
  );
  const sketch = await sketchOf(sample, { distance: 'Cosine', cells: 32, seed: 1, population: 3000 });
  assert.equal(isComplete(sketch), false);
  const beyond = everyRow(rest).filter((point) => bound(sketch, point) < 1 - 1e-6);
  assert.ok(beyond.length > 0, 'some unseen points lie outside of every cell');
  const whole = await widened(sketch, rest);
  assert.equal(isComplete(whole), true);
  assert.deepEqual(
    everyRow(rest).filter((point) => bound(whole, point) < 1 - 1e-6),
    [],
  );
  assert.equal(
    whole.counts.reduce((sum, count) => sum + count, 0),
    3000,
  );
});

test('a vector of zeros has cosine 0 with everything, and the bound knows', async () => {
  const sketch = await sketchOf(
    matrixOf([
      [0, 0],
      [1, 0],
    ]),
    { distance: 'Cosine', cells: 4, seed: 1 },
  );
  assert.equal(sketch.blank, 1);
  assert.equal(bound(sketch, [-1, 0]), 0);
});

test('an empty library is never asked', async () => {
  const sketch = await sketchOf(
    { rows: 0, columns: 0, data: new Float32Array() },
    { distance: 'Cosine', cells: 4, seed: 1 },
  );
  assert.deepEqual(match(sketch, [1, 2]), { score: -Infinity, bound: -Infinity });
  assert.deepEqual(decodeSketch(encodeSketch(sketch)), sketch);
});

test('what can be no sketch is refused by what is wrong with it', async () => {
  const rows = matrixOf([[1, 2]]);
  const good = encodeSketch(await sketchOf(rows, { distance: 'Dot', cells: 1, seed: 1 }));
  const changed = (at: number, value: number): Uint8Array => good.with(at, value);
  assert.throws(() => decodeSketch(changed(0, 0)), /another kind of file/);
  assert.throws(() => decodeSketch(changed(4, 9)), /unknown distance/);
  assert.throws(() => decodeSketch(changed(6, 2)), /bytes for 2 cells/);
  assert.throws(() => decodeSketch(changed(11, 200)), /cells of/);
  assert.throws(() => decodeSketch(good.subarray(0, 10)), /10 bytes/);
  assert.throws(() => decodeSketch(changed(43, 0xff)), /a radius/);
  await assert.rejects(sketchOf(matrixOf([[1, Number.NaN]]), { distance: 'Dot', cells: 1, seed: 1 }), /row 0 has NaN/);
  await assert.rejects(sketchOf(rows, { distance: 'Dot', cells: 257, seed: 1 }), /cells: 257/);
  const sketch = await sketchOf(rows, { distance: 'Dot', cells: 1, seed: 1 });
  assert.throws(() => match(sketch, [1]), /a query of 1 numbers/);
  await assert.rejects(widened(sketch, matrixOf([[1]])), /points of 1 numbers/);
});

test('a sketch has a size that is known before and is bounded', () => {
  assert.equal(cellsWithin(384), 256);
  assert.equal(cellsWithin(3072), 169);
  assert.ok(sketchBytes(cellsWithin(3072), 3072) <= MAX_SKETCH_BYTES);
  assert.equal(cellsWithin(1_000_000), 0);
});

test('the routing ceiling counts where the true neighbours lie', async () => {
  const { points, labels } = clouds({ clouds: 4, rows: 800, columns: 24, spread: 0.5, seed: 6 });
  const queries = pick(points, [0, 1, 2, 3, 4, 5, 6, 7]);
  const truth = await neighbours(points, queries, { k: 10, distance: 'Cosine', without: (query) => query });
  const sketches = await Promise.all(
    [0, 1, 2, 3].map((cloud) => {
      const rows = pick(
        points,
        [...labels.keys()].filter((row) => labels[row] === cloud),
      );
      return sketchOf(rows, { distance: 'Cosine', cells: 16, seed: 1 });
    }),
  );
  const byCloud = truth.map((rows) => rows.map((row) => labels[row] ?? 0));
  assert.deepEqual(routingCeiling(sketches, queries, byCloud), { recall: [1, 1, 1, 1], whole: [1, 1, 1, 1] });
  // Owners that have nothing to do with the sketches: half of the neighbours in half of the libraries.
  const scattered = truth.map((rows) => rows.map((row, place) => (row + place) % 4));
  const { recall, whole } = routingCeiling(sketches, queries, scattered);
  assert.ok((recall[1] ?? 1) < 0.8);
  assert.deepEqual([recall[3], whole[3]], [1, 1]);
});

test('neighbours are the most similar rows, best first, without the query itself', async () => {
  const rows = matrixOf([[0], [1], [3], [7]]);
  assert.deepEqual(await neighbours(rows, matrixOf([[1], [6]]), { k: 2, distance: 'Euclid' }), [
    [1, 0],
    [3, 2],
  ]);
  assert.deepEqual(await neighbours(rows, rows, { k: 1, distance: 'Euclid', without: (query) => query }), [
    [1],
    [0],
    [1],
    [2],
  ]);
});
