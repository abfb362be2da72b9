import { setImmediate as turn } from 'node:timers/promises';
import type { Matrix } from './matrix.ts';

/** Which of the centres is nearest to each row, and how near the two nearest are. */
export type Nearest = {
  readonly labels: Int32Array;
  /** Similarity to the nearest centre. */
  readonly best: Float64Array;
  /** Similarity to the second nearest; -Infinity where there is one centre only. */
  readonly second: Float64Array;
};

/** Multiplications after which other work of the process gets its turn: about 20 ms. */
const TURN = 50_000_000;

/**
 * Compares every row with every centre: inner product plus the centre's `offset` (none: 0).
 *
 * With unit rows that is the cosine; with offset -|c|²/2 the greatest is the nearest by Euclid.
 * @throws whatever the signal was aborted with
 */
export async function nearest(
  rows: Matrix,
  centres: Matrix,
  { offsets, signal }: { readonly offsets?: Float64Array; readonly signal?: AbortSignal | undefined } = {},
): Promise<Nearest> {
  const found: Nearest = {
    labels: new Int32Array(rows.rows),
    best: new Float64Array(rows.rows),
    second: new Float64Array(rows.rows),
  };
  const kernel = { rows, centres, offsets: offsets ?? new Float64Array(centres.rows), found };
  const step = Math.max(1, Math.floor(TURN / Math.max(1, centres.data.length)));
  for (let from = 0; from < rows.rows; from += step) {
    signal?.throwIfAborted();
    compare(kernel, from, Math.min(rows.rows, from + step));
    if (from + step < rows.rows) await turn();
  }
  return found;
}

type Kernel = {
  readonly rows: Matrix;
  readonly centres: Matrix;
  readonly offsets: Float64Array;
  readonly found: Nearest;
};

function compare({ rows, centres, offsets, found }: Kernel, from: number, to: number): void {
  const near = new Float64Array(centres.rows);
  for (let row = from; row < to; row += 1) {
    multiply(rows, row, { centres, near });
    let label = -1;
    let best = Number.NEGATIVE_INFINITY;
    let second = Number.NEGATIVE_INFINITY;
    for (let centre = 0; centre < near.length; centre += 1) {
      const similarity = (near[centre] as number) + (offsets[centre] as number);
      if (similarity > best) {
        second = best;
        best = similarity;
        label = centre;
      } else if (similarity > second) second = similarity;
    }
    found.labels[row] = label;
    found.best[row] = best;
    found.second[row] = second;
  }
}

export type Products = { readonly centres: Matrix; readonly near: Float64Array };

/**
 * The inner products of one row with all centres. Four centres at a time: each number of a row is read once for four
 * products, which takes half of the time of a plain loop.
 *
 * `as number`: all places are within the arrays by construction, and a check in here costs a third.
 */
export function multiply({ columns, data }: Matrix, row: number, { centres, near }: Products): void {
  const points = centres.data;
  const start = row * columns;
  const tiled = centres.rows - (centres.rows % 4);
  for (let centre = 0; centre < tiled; centre += 4) {
    const a = centre * columns;
    const b = a + columns;
    const c = b + columns;
    const d = c + columns;
    let sumA = 0;
    let sumB = 0;
    let sumC = 0;
    let sumD = 0;
    for (let column = 0; column < columns; column += 1) {
      const value = data[start + column] as number;
      sumA += value * (points[a + column] as number);
      sumB += value * (points[b + column] as number);
      sumC += value * (points[c + column] as number);
      sumD += value * (points[d + column] as number);
    }
    near[centre] = sumA;
    near[centre + 1] = sumB;
    near[centre + 2] = sumC;
    near[centre + 3] = sumD;
  }
  for (let centre = tiled; centre < centres.rows; centre += 1) {
    let sum = 0;
    for (let column = 0; column < columns; column += 1) {
      sum += (data[start + column] as number) * (points[centre * columns + column] as number);
    }
    near[centre] = sum;
  }
}
