import { similarity } from './distance.ts';
import { dot, norm, rowOf } from './matrix.ts';
import type { Sketch } from './sketch.ts';

/** What the arithmetic of servers in float32 may add to a cosine. */
const ROUNDING = 1e-6;
const EXACT = 1e-12;

export type Match = {
  /** Similarity of the nearest centre: which library to ask first. -Infinity without any cell. */
  readonly score: number;
  /** No seen point is more similar than this. -Infinity where none was seen. */
  readonly bound: number;
};

/**
 * How near a query is to a library, by its sketch. Similarities as in `similarity`: greater is nearer, so for Euclid and
 * Manhattan it is Qdrant's score with its sign changed.
 *
 * `bound` is the greatest similarity that any point which the sketch has seen can reach: by the angle inequality with
 * Cosine, by Cauchy and Schwarz's with Dot, by the triangle inequality with Euclid and Manhattan. It promises nothing of
 * points that were not seen: for a sketch of a sample it is an estimate that a few points may exceed.
 * @throws TypeError for a query of another length
 */
export function match(sketch: Sketch, query: ArrayLike<number>): Match {
  const { centres, radii, blank, distance, seen } = sketch;
  if (query.length !== centres.columns && seen > 0) {
    throw new TypeError(`a query of ${query.length} numbers, the sketch has ${centres.columns}`);
  }
  const length = norm(query);
  let score = Number.NEGATIVE_INFINITY;
  // What has no direction has cosine 0 with everything.
  let bound = blank > 0 && distance === 'Cosine' ? 0 : Number.NEGATIVE_INFINITY;
  for (let cell = 0; cell < centres.rows; cell += 1) {
    const centre = rowOf(centres, cell);
    const near = distance === 'Cosine' ? cosine(query, centre, length) : similarity(distance, query, centre);
    const reach = reachable(sketch, near, { radius: radii[cell] ?? 0, length, centre });
    if (near > score) score = near;
    if (reach > bound) bound = reach;
  }
  return { score, bound };
}

/** See `match`. */
export const score = (sketch: Sketch, query: ArrayLike<number>): number => match(sketch, query).score;

/** See `match`. */
export const bound = (sketch: Sketch, query: ArrayLike<number>): number => match(sketch, query).bound;

/** Of a centre of length 1. */
const cosine = (query: ArrayLike<number>, centre: Float32Array, length: number): number =>
  length === 0 ? 0 : Math.max(-1, Math.min(1, dot(query, centre) / length));

type Cell = { readonly radius: number; readonly length: number; readonly centre: Float32Array };

function reachable({ distance }: Sketch, near: number, { radius, length, centre }: Cell): number {
  switch (distance) {
    case 'Cosine':
      if (length === 0) return 0;
      return Math.min(1, Math.cos(Math.max(0, Math.acos(near) - radius)) + ROUNDING);
    case 'Dot':
      return near + length * radius + EXACT * length * norm(centre);
    case 'Euclid':
    case 'Manhattan':
      return Math.min(0, near + radius);
  }
}
