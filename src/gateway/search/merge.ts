import type { Distance } from '../../vectors/index.ts';

export type Hit = {
  readonly library: string;
  readonly id: unknown;
  /** As Qdrant gives it. */
  readonly score: number;
  readonly payload?: unknown;
};

/** Hits whose scores can be compared: of one model, by one distance. */
export type Space = { readonly id: string; readonly distance: Distance; readonly hits: readonly Hit[] };

export type Merged = {
  readonly hits: readonly (Hit & { readonly fused?: number })[];
  readonly by: 'score' | 'reciprocalRank';
};

/** Similarity: greater is nearer, whatever the distance. */
export const similarityOf = (score: number, distance: Distance): number =>
  distance === 'Euclid' || distance === 'Manhattan' ? -score : score;

export const best = ({ hits, distance }: Space): Hit[] =>
  hits.toSorted((a, b) => similarityOf(b.score, distance) - similarityOf(a.score, distance) || order(a, b));

/** Source: Cormack, Clarke, Buettcher 2009: k = 60. */
const RANK_CONSTANT = 60;

/** The best of one space by score; of several by reciprocal rank, for raw scores of different models say nothing together. */
export function merge(spaces: readonly Space[], limit: number): Merged {
  const [only, ...others] = spaces;
  if (only === undefined) return { hits: [], by: 'score' };
  if (others.length === 0) return { hits: best(only).slice(0, limit), by: 'score' };
  const hits = spaces
    .flatMap((space) => best(space).map((hit, rank) => ({ ...hit, fused: 1 / (RANK_CONSTANT + rank + 1) })))
    .toSorted((a, b) => b.fused - a.fused || order(a, b));
  return { hits: hits.slice(0, limit), by: 'reciprocalRank' };
}

/** The same answer to the same question, whoever answered first. */
const order = (a: Hit, b: Hit): number => {
  const [one, other] = [`${a.library} ${String(a.id)}`, `${b.library} ${String(b.id)}`];
  return one < other ? -1 : one > other ? 1 : 0;
};
