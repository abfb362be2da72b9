import { setImmediate as turn } from 'node:timers/promises';
import { type Distance, similarity } from './distance.ts';
import { type Matrix, rowOf } from './matrix.ts';

export type NeighbourOptions = {
  readonly k: number;
  readonly distance: Distance;
  /** A row that is no neighbour of this query: itself. */
  readonly without?: (query: number) => number | undefined;
  readonly signal?: AbortSignal | undefined;
};

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
  const found: number[][] = [];
  for (let query = 0; query < queries.rows; query += 1) {
    signal?.throwIfAborted();
    const left = without?.(query);
    const vector = rowOf(queries, query);
    const top: { readonly row: number; readonly near: number }[] = [];
    for (let row = 0; row < rows.rows; row += 1) {
      if (row === left) continue;
      const near = similarity(distance, vector, rowOf(rows, row));
      if (top.length === k && near <= (top.at(-1)?.near ?? 0)) continue;
      const place = top.findIndex((other) => other.near < near);
      top.splice(place < 0 ? top.length : place, 0, { row, near });
      if (top.length > k) top.pop();
    }
    found.push(top.map(({ row }) => row));
    if (query % 4 === 3) await turn();
  }
  return found;
}
