import type { PointId } from '../../src/qdrant/index.ts';

export type Hit = {
  readonly library: string;
  readonly id: PointId;
  /** Greater is nearer. */
  readonly score: number;
  readonly payload?: Readonly<Record<string, unknown>>;
};

/** What a search across libraries says of itself. */
export type Coverage = {
  readonly libraries: {
    readonly known: number;
    readonly asked: readonly string[];
    readonly unsketched: readonly string[];
    readonly failed: readonly { readonly library: string; readonly reason: string }[];
    readonly notOpened: number;
  };
  readonly clusters: { readonly known: number; readonly asked: number };
  readonly points: { readonly total: number; readonly searched: number };
};

export type Answer = { readonly hits: readonly Hit[]; readonly coverage: Coverage };

/** Scores that differ by less are equal: the one was computed from a vector that had been through float32. */
const EQUAL = 1e-5;

/** The nearest of all. */
export const bestOf = (lists: readonly (readonly Hit[])[], limit: number): Hit[] =>
  lists
    .flat()
    .toSorted((a, b) => b.score - a.score)
    .slice(0, limit);

/**
 * Share of the best hits there are that were found, 0 to 1. Where more points are as near as the last of the best, any of
 * them will do.
 *
 * @param exact the best hits there are
 */
export function recallOf(found: readonly Hit[], exact: readonly Hit[]): number {
  if (exact.length === 0) return 1;
  const least = Math.min(...exact.map(({ score }) => score)) - EQUAL;
  const good = found.filter(({ score }) => score >= least).map(({ library, id }) => `${library} ${id}`);
  return Math.min(1, new Set(good).size / exact.length);
}

/** Of the first hit of a library, from 1; undefined = it has none. */
export function placeOf(hits: readonly Hit[], library: string): number | undefined {
  const at = hits.findIndex((hit) => hit.library === library);
  return at === -1 ? undefined : at + 1;
}

/** @returns 0 of none */
export const meanOf = (numbers: readonly number[]): number =>
  numbers.length === 0 ? 0 : numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

export const percent = (share: number): string => `${(100 * share).toFixed(1).replace(/\.0$/, '')} %`;

/** The mean share of `known` that was asked, in percent. */
export const shareOf = (asked: readonly number[], known: number): string =>
  asked.length === 0 ? 'none asked' : `${percent(meanOf(asked) / known)} (${meanOf(asked).toFixed(1)} of ${known})`;
