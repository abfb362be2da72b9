import { type Distance, match, type Sketch } from '../../vectors/index.ts';
import type { Ask } from './request.ts';

/** A library that can answer a query. */
export type Candidate = {
  readonly name: string;
  readonly distance: Distance;
  readonly sketch: Sketch | undefined;
  /** Whether the sketch holds for every point that the library has now, as far as can be seen. */
  readonly whole: boolean;
  /** Milliseconds since the epoch, when the sketch was drawn. */
  readonly drawnAt: number | undefined;
};

export type Ranked = Candidate & {
  /** Similarity of the nearest cell; undefined without a sketch. */
  readonly score: number | undefined;
  /** No point that the sketch has seen is more similar; undefined without a sketch. */
  readonly bound: number | undefined;
};

/** Most promising first; those without a sketch before all: nothing is known against them. */
export function rank(candidates: readonly Candidate[], query: readonly number[]): Ranked[] {
  const ranked = candidates.map((candidate): Ranked => {
    const { sketch } = candidate;
    if (sketch === undefined || sketch.centres.columns !== query.length)
      return { ...candidate, score: undefined, bound: undefined };
    return { ...candidate, ...match(sketch, query) };
  });
  const place = ({ score }: Ranked): number => score ?? Number.POSITIVE_INFINITY;
  return ranked.toSorted((a, b) => (place(b) === place(a) ? 0 : place(b) - place(a)));
}

/**
 * Whom to ask first.
 *
 * @param margin libraries whose score is so much below the best one's, or less, are asked; undefined = all
 */
export function firstWave(ranked: readonly Ranked[], ask: Ask, margin: number | undefined): Ranked[] {
  if (ask === 'all' || margin === undefined) return [...ranked];
  const best = Math.max(...ranked.map(({ score }) => score ?? Number.NEGATIVE_INFINITY));
  return ranked.filter(({ score }) => score === undefined || score >= best - margin);
}

/** Whom to ask next, after the wave before gave `found` hits; empty = enough. `worst`: similarity of the last of them. */
export function nextWave(
  left: readonly Ranked[],
  { ask, found, limit, worst }: { ask: Ask; found: number; limit: number; worst: number },
): Ranked[] {
  // Too few hits, by a filter or a small library: nothing speaks against any of the others.
  if (found < limit) return [...left];
  return ask === 'proved' ? left.filter((one) => !outOfReach(one, worst)) : [];
}

/** Whether no point of a library can be nearer than `worst`. */
export const outOfReach = ({ bound, whole }: Ranked, worst: number): boolean =>
  whole && bound !== undefined && bound < worst;
