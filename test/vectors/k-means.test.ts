import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  kMeans,
  matrixOf,
  nearest,
  norm,
  randIndex,
  rowOf,
  silhouette,
  stability,
  unit,
} from '../../src/vectors/index.ts';
import { clouds } from './points.ts';

const number = fc.float({ min: -100, max: 100, noNaN: true });
const matrices = fc
  .integer({ min: 1, max: 6 })
  .chain((columns) =>
    fc.array(fc.array(number, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 40 }),
  )
  .map((rows) => matrixOf(rows));
const problems = fc.record({
  rows: matrices,
  k: fc.integer({ min: 1, max: 8 }),
  seed: fc.integer(),
  geometry: fc.constantFrom('sphere' as const, 'plane' as const),
});

test('property: from round to round the objective never rises but for rounding', async () => {
  await fc.assert(
    fc.asyncProperty(problems, async ({ rows, k, seed, geometry }) => {
      const points = geometry === 'sphere' ? unit(rows) : rows;
      const { objective } = await kMeans(points, { k: Math.min(k, rows.rows), seed, geometry, starts: 1 });
      objective.reduce((before, now) => {
        assert.ok(now <= before + 1e-6, `${before} -> ${now}`);
        return now;
      });
    }),
    { numRuns: 300 },
  );
});

test('property: the same seed gives the same cells, and every row is in the cell of a centre', async () => {
  await fc.assert(
    fc.asyncProperty(problems, async ({ rows, k, seed, geometry }) => {
      const options = { k: Math.min(k, rows.rows), seed, geometry };
      const points = geometry === 'sphere' ? unit(rows) : rows;
      const [one, other] = [await kMeans(points, options), await kMeans(points, options)];
      assert.deepEqual(one, other);
      assert.equal(one.centres.rows, options.k);
      assert.equal(
        one.counts.reduce((sum, count) => sum + count, 0),
        rows.rows,
      );
      assert.ok(one.labels.every((label) => label >= 0 && label < options.k));
    }),
    { numRuns: 100 },
  );
});

test('property: as long as rows differ, no cell is empty', async () => {
  const distinct = fc.uniqueArray(fc.integer({ min: 0, max: 359 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(distinct, fc.integer(), async (degrees, seed) => {
      const angles = degrees.map((degree) => (degree * Math.PI) / 180);
      const rows = unit(matrixOf(angles.map((angle) => [Math.cos(angle), Math.sin(angle)])));
      const { counts } = await kMeans(rows, { k: Math.ceil(degrees.length / 2), seed, starts: 1 });
      assert.ok(
        counts.every((count) => count > 0),
        String(counts),
      );
    }),
    { numRuns: 200 },
  );
});

test('clear clouds are found again, whatever the seed', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { points, labels } = clouds({ clouds: 7, rows: 700, columns: 32, spread: 0.5, seed });
    const found = await kMeans(points, { k: 7, seed: seed * 31 });
    assert.equal(randIndex(found.labels, labels), 1, `seed ${seed}`);
    for (let cell = 0; cell < 7; cell += 1) assert.ok(Math.abs(norm(rowOf(found.centres, cell)) - 1) < 1e-6);
  }
});

test('on the plane centres are the means of their cells', async () => {
  const { centres, objective } = await kMeans(matrixOf([[0], [2], [10], [12]]), { k: 2, seed: 1, geometry: 'plane' });
  assert.deepEqual(
    [...centres.data].toSorted((a, b) => a - b),
    [1, 11],
  );
  assert.equal(objective.at(-1), 1);
});

test('k must lie between 1 and the number of rows', async () => {
  await assert.rejects(kMeans(matrixOf([[1]]), { k: 2, seed: 1 }), /2 cells of 1 rows/);
  await assert.rejects(kMeans(matrixOf([[1]]), { k: 0, seed: 1 }), RangeError);
});

test('an abort ends it', async () => {
  const { points } = clouds({ clouds: 2, rows: 50, columns: 4, spread: 0.5, seed: 1 });
  await assert.rejects(kMeans(points, { k: 2, seed: 1, signal: AbortSignal.abort(new Error('enough')) }), /enough/);
});

test('the nearest centre is the one that a plain comparison finds, with any number of centres', async () => {
  for (const count of [1, 3, 4, 7, 8]) {
    const { points } = clouds({ clouds: 3, rows: 40, columns: 9, spread: 1, seed: count });
    const { points: centres } = clouds({ clouds: 1, rows: count, columns: 9, spread: 5, seed: 99 });
    const { labels, best, second } = await nearest(points, centres);
    for (let row = 0; row < points.rows; row += 1) {
      const all = Array.from({ length: count }, (_, centre) =>
        rowOf(points, row).reduce((sum, value, column) => sum + value * (rowOf(centres, centre)[column] ?? 0), 0),
      );
      const sorted = all.toSorted((a, b) => b - a);
      assert.ok(Math.abs((best[row] ?? 0) - (sorted[0] ?? 0)) < 1e-6);
      assert.ok(count === 1 ? second[row] === -Infinity : Math.abs((second[row] ?? 0) - (sorted[1] ?? 0)) < 1e-6);
      assert.equal(labels[row], all.indexOf(sorted[0] ?? 0));
    }
  }
});

test('silhouette: near 1 for points on their centres, near 0 between two, 0 with one centre', async () => {
  const centres = matrixOf([
    [1, 0],
    [0, 1],
  ]);
  assert.equal(silhouette(await nearest(centres, centres)), 1);
  assert.ok(Math.abs(silhouette(await nearest(unit(matrixOf([[1, 1.0001]])), centres))) < 0.01);
  assert.equal(silhouette(await nearest(centres, matrixOf([[1, 0]]))), 0);
});

test('cells of clear clouds are stable, those of one cloud are not', async () => {
  const clear = clouds({ clouds: 4, rows: 600, columns: 24, spread: 0.5, seed: 5 });
  const options = { k: 4, seed: 3 };
  assert.ok((await stability(clear.points, await kMeans(clear.points, options), options)) > 0.99);
  const one = clouds({ clouds: 1, rows: 600, columns: 24, spread: 0.5, seed: 5 });
  assert.ok((await stability(one.points, await kMeans(one.points, options), options)) < 0.6);
});
