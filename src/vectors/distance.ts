import { dot, norm } from './matrix.ts';

/** Qdrant's words. */
export const DISTANCES = ['Cosine', 'Dot', 'Euclid', 'Manhattan'] as const;
export type Distance = (typeof DISTANCES)[number];

/**
 * How near two vectors are; greater is nearer. Cosine: the cosine (0 with a vector of zeros). Dot: the inner product.
 * Euclid and Manhattan: minus the distance, so Qdrant's score with its sign changed.
 *
 * @throws TypeError for vectors of unequal length
 */
export function similarity(distance: Distance, a: ArrayLike<number>, b: ArrayLike<number>): number {
  switch (distance) {
    case 'Cosine': {
      const lengths = norm(a) * norm(b);
      return lengths === 0 ? 0 : Math.max(-1, Math.min(1, dot(a, b) / lengths));
    }
    case 'Dot':
      return dot(a, b);
    case 'Euclid':
      return -apart(a, b, 2);
    case 'Manhattan':
      return -apart(a, b, 1);
  }
}

/** Distance by the sum of differences (`power` 1) or by the root of the sum of their squares (2). */
export function apart(a: ArrayLike<number>, b: ArrayLike<number>, power: 1 | 2): number {
  if (a.length !== b.length) throw new TypeError(`${a.length} numbers against ${b.length}`);
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) {
    const difference = Math.abs((a[index] ?? 0) - (b[index] ?? 0));
    sum += power === 1 ? difference : difference * difference;
  }
  return power === 1 ? sum : Math.sqrt(sum);
}
