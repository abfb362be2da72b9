import { type Distance, type Matrix, match, neighbours, pick, rowOf, type Sketch, zeros } from '../../vectors/index.ts';

/** A library's sketch and a few of its points, which were drawn at random. */
export type Sampled = { readonly sketch: Sketch; readonly points: Matrix };

export type Margin = {
  /** How far below the best library's score one must still be asked. */
  readonly margin: number;
  /** Share of the sampled neighbours that lie in the libraries which are asked then. */
  readonly recall: number;
  /** Mean number of libraries that are asked then. */
  readonly asked: number;
};

type Calibration = {
  readonly distance: Distance /** Share, 0 to 1. */;
  readonly target: number;
  readonly signal?: AbortSignal;
};

const QUERIES = 256;
const NEIGHBOURS = 10;

/**
 * The smallest margin by which `target` of the true neighbours of sampled points lie in the libraries that are asked.
 * Sampled points play the queries; a fixed margin would be too small where domains overlap, and too large where not.
 *
 * @returns undefined where there are too few points to say anything
 */
export async function calibrate(
  sampled: readonly Sampled[],
  { distance, target, signal }: Calibration,
): Promise<Margin | undefined> {
  const all = joined(sampled.map(({ points }) => points));
  const owners = sampled.flatMap(({ points }, library) => Array.from({ length: points.rows }, () => library));
  if (sampled.length < 2 || all.rows < 2 * NEIGHBOURS) return undefined;
  const step = Math.max(1, Math.floor(all.rows / QUERIES));
  const places = Array.from({ length: Math.floor(all.rows / step) }, (_, index) => index * step);
  const queries = pick(all, places);
  const without = (query: number): number | undefined => places[query];
  const near = await neighbours(all, queries, { k: NEIGHBOURS, distance, without, signal });
  const below = places.map((_, query) => belowBest(sampled, rowOf(queries, query)));
  const gaps = near
    .flatMap((rows, query) => rows.map((row) => below[query]?.[owners[row] ?? 0] ?? 0))
    .toSorted((a, b) => a - b);
  const margin = gaps[Math.max(0, Math.ceil(target * gaps.length) - 1)] ?? 0;
  const within = (gap: number): boolean => gap <= margin;
  return {
    margin,
    recall: gaps.filter(within).length / gaps.length,
    asked: below.reduce((sum, gap) => sum + gap.filter(within).length, 0) / below.length,
  };
}

/** How far each library's score is below the best one's. */
function belowBest(sampled: readonly Sampled[], query: Float32Array): number[] {
  const scores = sampled.map(({ sketch }) => match(sketch, query).score);
  const best = Math.max(...scores);
  return scores.map((score) => best - score);
}

/** @returns the rows of all, in their order */
function joined(parts: readonly Matrix[]): Matrix {
  const columns = parts.find(({ rows }) => rows > 0)?.columns ?? 0;
  const all = zeros(
    parts.reduce((sum, { rows }) => sum + rows, 0),
    columns,
  );
  let at = 0;
  for (const { data } of parts) {
    all.data.set(data, at);
    at += data.length;
  }
  return all;
}
