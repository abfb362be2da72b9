import { setImmediate as turn } from 'node:timers/promises';
import {
  kMeans,
  type Matrix,
  match,
  nearest,
  randomNumbers,
  rowOf,
  sketchOf,
  unit,
  zeros,
} from '../src/vectors/index.ts';
import type { Benchmark } from './benchmark.ts';
import { figure, table } from './table.ts';

const COLUMNS = 384;
const SIZES = { short: { rows: 4000, repeats: 3 }, full: { rows: 20_000, repeats: 5 } };
const CENTRES = 64;

/** What a plain double loop over the same rows and centres makes, to compare with. */
function plainly(rows: Matrix, centres: Matrix): Int32Array {
  const labels = new Int32Array(rows.rows);
  for (let row = 0; row < rows.rows; row += 1) {
    let best = Number.NEGATIVE_INFINITY;
    for (let centre = 0; centre < centres.rows; centre += 1) {
      let sum = 0;
      for (let column = 0; column < rows.columns; column += 1) {
        sum += (rows.data[row * rows.columns + column] ?? 0) * (centres.data[centre * rows.columns + column] ?? 0);
      }
      if (sum > best) {
        best = sum;
        labels[row] = centre;
      }
    }
  }
  return labels;
}

function random(rows: number, seed: number): Matrix {
  const next = randomNumbers(seed);
  const matrix = zeros(rows, COLUMNS);
  for (let index = 0; index < matrix.data.length; index += 1) matrix.data[index] = next() - 0.5;
  return unit(matrix);
}

/** The shortest of some runs, in milliseconds. */
async function shortest(repeats: number, work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    await turn();
    const began = performance.now();
    await work();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

export const vectors: Benchmark = {
  name: 'vectors',
  measures:
    'comparing vectors with centres against a plain loop, clustering, sketches and their size of work at a query',
  embedded: 'vectors: random, of length 1, 384 numbers; one thread',
  run: async ({ short, signal, progress }) => {
    const { rows, repeats } = short ? SIZES.short : SIZES.full;
    const [points, centres] = [random(rows, 1), random(CENTRES, 2)];
    const own = await shortest(repeats, () => nearest(points, centres, { signal }));
    const plain = await shortest(repeats, () => plainly(points, centres));
    const { labels } = await nearest(points, centres, { signal });
    const same = plainly(points, centres).every((label, row) => label === labels[row]);
    progress('vectors: compared');
    const clustering = await shortest(1, () => kMeans(points, { k: 20, seed: 1, starts: 1, iterations: 10, signal }));
    const sketching = await shortest(1, () => sketchOf(points, { distance: 'Cosine', cells: 128, seed: 1, signal }));
    const sketch = await sketchOf(random(2000, 3), { distance: 'Cosine', cells: 128, seed: 1, signal });
    const query = rowOf(points, 0);
    const asking = await shortest(5, () => {
      for (let count = 0; count < 100; count += 1) match(sketch, query);
    });
    const text = table([
      ['', 'ms'],
      [`${rows} vectors against ${CENTRES} centres, plain loop`, figure(plain)],
      [`the same, nearest`, figure(own)],
      ['plain loop / nearest', figure(plain / own)],
      [`k-means, k 20, 10 rounds, ${rows} vectors`, figure(clustering)],
      [`a sketch of 128 cells, ${rows} vectors`, figure(sketching)],
      ['one query against 100 sketches of 128 cells', figure(asking)],
    ]);
    return { text, broken: same ? [] : ['another centre is nearest than the plain loop finds'] };
  },
};
