import { match } from './match.ts';
import { type Matrix, rowOf } from './matrix.ts';
import type { Sketch } from './sketch.ts';

/** Places of the sketches, the most promising first; of equals the first. */
export const ranked = (sketches: readonly Sketch[], query: ArrayLike<number>): number[] =>
  sketches
    .map((sketch, place) => ({ place, score: match(sketch, query).score }))
    .toSorted((a, b) => b.score - a.score || a.place - b.place)
    .map(({ place }) => place);

export type Ceiling = {
  /** At place m - 1: share of the true neighbours that lie in the m best libraries; what no search in them can exceed. */
  readonly recall: readonly number[];
  /** At place m - 1: share of the queries whose neighbours all lie in the m best libraries. */
  readonly whole: readonly number[];
};

/**
 * What routing can find at best, were the search within each library exact.
 *
 * @param owners for each query the libraries (places in `sketches`) of its true nearest points, one entry a point
 * Source: routing ceiling, as in Gottesbüren et al., PVLDB 18(6).
 */
export function routingCeiling(
  sketches: readonly Sketch[],
  queries: Matrix,
  owners: readonly (readonly number[])[],
): Ceiling {
  const held = new Float64Array(sketches.length);
  const whole = new Float64Array(sketches.length);
  let all = 0;
  for (let query = 0; query < queries.rows; query += 1) {
    const order = ranked(sketches, rowOf(queries, query));
    const places = (owners[query] ?? []).map((owner) => order.indexOf(owner));
    all += places.length;
    for (let asked = 0; asked < sketches.length; asked += 1) {
      const inside = places.filter((place) => place <= asked).length;
      held[asked] = (held[asked] ?? 0) + inside;
      whole[asked] = (whole[asked] ?? 0) + (inside === places.length ? 1 : 0);
    }
  }
  return {
    recall: Array.from(held, (count) => (all === 0 ? 1 : count / all)),
    whole: Array.from(whole, (count) => (queries.rows === 0 ? 1 : count / queries.rows)),
  };
}
