import { type Matrix, pick } from './matrix.ts';
import { nearest } from './nearest.ts';

type Seeding = {
  readonly k: number;
  /** Squared lengths of the rows on the plane; undefined on the sphere. */
  readonly squares: Float64Array | undefined;
  readonly random: () => number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Places of `k` different rows: each next one is drawn by how badly those before it stand for it.
 *
 * Source: k-means++, Arthur and Vassilvitskii 2007.
 */
export async function seeding(rows: Matrix, { k, squares, random, signal }: Seeding): Promise<number[]> {
  const places = [Math.floor(random() * rows.rows)];
  const costs = new Float64Array(rows.rows).fill(Number.POSITIVE_INFINITY);
  while (places.length < k) {
    const place = places.at(-1) ?? 0;
    const { best } = await nearest(rows, pick(rows, [place]), { signal });
    for (let row = 0; row < rows.rows; row += 1) {
      const similarity = best[row] ?? 0;
      const cost =
        squares === undefined ? 1 - similarity : (squares[row] ?? 0) + (squares[place] ?? 0) - 2 * similarity;
      costs[row] = Math.min(costs[row] ?? 0, Math.max(0, cost));
    }
    for (const taken of places) costs[taken] = 0;
    places.push(byWeight(costs, random, new Set(places)));
  }
  return places;
}

function byWeight(weights: Float64Array, random: () => number, taken: ReadonlySet<number>): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let place = 0; place < weights.length; place += 1) {
    left -= weights[place] ?? 0;
    if (left < 0 && !taken.has(place)) return place;
  }
  // All other rows equal one that was taken.
  const free = weights.findIndex((_, place) => !taken.has(place));
  return Math.max(0, free);
}
