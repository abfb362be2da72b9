import { setImmediate as turn } from 'node:timers/promises';
import { type Distance, similarity } from './distance.ts';
import { type Matrix, rowOf, unit } from './matrix.ts';
import { multiply } from './nearest.ts';

export type NeighbourOptions = {
  readonly k: number;
  readonly distance: Distance;
  /** A row that is no neighbour of this query: itself. */
  readonly without?: (query: number) => number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Comparisons of vectors after which other work of the process gets its turn. */
const TURN = 100_000;

/**
 * The places of the `k` most similar rows of each query, most similar first; of equals the first row. Exact: all are compared.
 *
 * @throws whatever the signal was aborted with
 */
export async function neighbours(
  rows: Matrix,
  queries: Matrix,
  { k, distance, without, signal }: NeighbourOptions,
): Promise<number[][]> {
  const compare = comparison(distance, rows, queries);
  const tops = Array.from({ length: queries.rows }, () => new Top(k));
  const left = tops.map((_, query) => without?.(query));
  const near = new Float64Array(queries.rows);
  const step = Math.max(1, Math.floor(TURN / Math.max(1, queries.rows)));
  for (let row = 0; row < rows.rows; row += 1) {
    compare(row, near);
    for (let query = 0; query < tops.length; query += 1) {
      if (left[query] !== row) tops[query]?.offer(row, near[query] ?? 0);
    }
    if (row % step === step - 1) {
      signal?.throwIfAborted();
      await turn();
    }
  }
  return tops.map((top) => top.rows);
}

/** Fills an array with the similarities of one row to all queries. */
function comparison(distance: Distance, rows: Matrix, queries: Matrix): (row: number, near: Float64Array) => void {
  if (distance === 'Cosine' || distance === 'Dot') {
    const [ours, theirs] = distance === 'Cosine' ? [unit(rows), unit(queries)] : [rows, queries];
    return (row, near) => multiply(ours, row, { centres: theirs, near });
  }
  const vectors = Array.from({ length: queries.rows }, (_, query) => rowOf(queries, query));
  return (row, near) => {
    const vector = rowOf(rows, row);
    vectors.forEach((query, place) => {
      near[place] = similarity(distance, query, vector);
    });
  };
}

/** The best so far, best first. */
class Top {
  readonly rows: number[] = [];
  readonly #near: number[] = [];
  readonly #k: number;

  constructor(k: number) {
    this.#k = k;
  }

  offer(row: number, near: number): void {
    const full = this.rows.length >= this.#k;
    if (full && near <= (this.#near.at(-1) ?? Number.POSITIVE_INFINITY)) return;
    const place = this.#near.findIndex((other) => other < near);
    const at = place < 0 ? this.rows.length : place;
    this.rows.splice(at, 0, row);
    this.#near.splice(at, 0, near);
    if (full) {
      this.rows.pop();
      this.#near.pop();
    }
  }
}
