import { drawn, type Matrix, pick, randomNumbers } from '../../vectors/index.ts';
import { type Candidate, type CandidateOptions, candidate, cellCounts, domainsOf } from './candidates.ts';
import { routing, sharesOf } from './route.ts';
import { GOALS, judge, type Routing, type Ruling } from './rules.ts';

export type FindOptions = {
  readonly maxDomains: number;
  /** 0 to 1. */
  readonly minShare: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Told what was looked at, to show progress. */
  readonly tell?: (done: number, of: number) => void;
};

/** One way to cut that was looked at. */
export type Tried = Pick<Candidate, 'cells' | 'silhouette' | 'stability'> & { readonly domains: number };

export type Found = {
  /** Whether every rule held. */
  readonly hasDomains: boolean;
  readonly rulings: readonly Ruling[];
  /** The domain of each row; all 0 where no two were found apart. */
  readonly labels: Int32Array;
  /** Shares of the points, largest first. */
  readonly shares: readonly number[];
  readonly routing: Routing | undefined;
  readonly tried: readonly Tried[];
};

/** More rows tell no better how many domains there are. */
const ROWS_TO_CHOOSE = 4000;
const RESAMPLES = 5;
const QUERIES = 500;
/** Halves of one cloud of many dimensions come to much less, documentation of two related projects to more (0.91). */
const NEARNESS = 0.85;

/**
 * Looks for domains in unit rows: cells of k-means of different number, put together where they are not apart; of those
 * that other samples confirm the clearest; and whether searches could be routed between them.
 *
 * The same rows, options and seed give the same answer. @throws whatever the signal was aborted with
 */
export async function findDomains(points: Matrix, options: FindOptions): Promise<Found> {
  const { maxDomains, minShare, seed, signal, tell } = options;
  const rows = drawn(points.rows, ROWS_TO_CHOOSE, randomNumbers(seed));
  const part = rows.length === points.rows ? points : pick(points, rows);
  const rules: CandidateOptions = { maxDomains, minShare, nearness: NEARNESS, seed, resamples: RESAMPLES, signal };
  const counts = cellCounts(part.rows, Math.max(maxDomains, 2));
  const candidates: Candidate[] = [];
  for (const cells of counts) {
    candidates.push(await candidate(part, cells, rules));
    tell?.(candidates.length, counts.length);
  }
  const tried = candidates.map(({ cells, count, silhouette, stability }) => ({
    cells,
    domains: count,
    silhouette,
    stability,
  }));
  const chosen = choose(candidates);
  if (chosen === undefined) return nothing(points, tried);
  const labels = await domainsOf(points, chosen, signal);
  const routed = await routing(points, { labels, count: chosen.count }, { queries: QUERIES, seed, signal });
  const rulings = judge({ domains: chosen.count, stability: chosen.stability, routing: routed });
  return {
    hasDomains: rulings.every(({ held }) => held),
    rulings,
    labels,
    shares: sharesOf(labels, chosen.count),
    routing: routed,
    tried,
  };
}

/** Differences of the silhouette below this say nothing. */
const AS_CLEAR = 0.01;

/**
 * Of the stable ones the clearest; of those as clear the number of domains that most cuts come to, for a cut into fewer
 * cells than there are domains is as clear; of these the most stable. Where none is stable, the most stable.
 */
export function choose(candidates: readonly Candidate[]): Candidate | undefined {
  const several = candidates.filter(({ count }) => count > 1);
  const stable = several.filter(({ stability }) => stability >= GOALS.stable);
  if (stable.length === 0) return several.toSorted(steadier)[0];
  const clearest = Math.max(...stable.map(({ silhouette }) => silhouette));
  const best = stable.filter(({ silhouette }) => silhouette > clearest - AS_CLEAR);
  const agreeing = ({ count }: Candidate): number => best.filter((other) => other.count === count).length;
  return best.toSorted((a, b) => agreeing(b) - agreeing(a) || steadier(a, b))[0];
}

const steadier = (a: Candidate, b: Candidate): number => b.stability - a.stability || a.cells - b.cells;

const nothing = (points: Matrix, tried: readonly Tried[]): Found => ({
  hasDomains: false,
  rulings: judge({ domains: 1, stability: 0, routing: undefined }),
  labels: new Int32Array(points.rows),
  shares: points.rows === 0 ? [] : [1],
  routing: undefined,
  tried,
});
