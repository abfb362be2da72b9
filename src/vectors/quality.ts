import { type Clustering, type KMeansOptions, kMeans } from './k-means.ts';
import { type Matrix, pick } from './matrix.ts';
import { type Nearest, nearest } from './nearest.ts';
import { randIndex } from './rand-index.ts';
import { drawn, randomNumbers } from './random.ts';

/**
 * How much nearer rows lie to their own centre than to the next one, by 1 - cosine: mean over rows, -1 to 1.
 *
 * 0 where there is one centre only. Source: simplified silhouette, Hruschka et al. 2004.
 */
export function silhouette({ best, second }: Pick<Nearest, 'best' | 'second'>): number {
  let sum = 0;
  for (let row = 0; row < best.length; row += 1) {
    const own = Math.max(0, 1 - (best[row] ?? 0));
    const next = Math.max(0, 1 - (second[row] ?? 0));
    if (Number.isFinite(next) && next > 0) sum += (next - own) / next;
  }
  return best.length === 0 ? 0 : sum / best.length;
}

export type StabilityOptions = KMeansOptions & {
  /** Times that a part of the rows is clustered anew. */
  readonly resamples?: number;
  /** How much of the rows that part is, in percent. */
  readonly sharePercent?: number;
};

/**
 * Whether other samples give the same cells: a part of the rows is clustered anew, all rows go to the nearest of the new
 * centres, and these cells are compared with those of `base`.
 *
 * @returns the mean adjusted Rand index; 1 = always the same cells. Cells of one centre only are always the same
 * Source: stability by resampling, Ben-Hur et al. 2002. For unit rows.
 */
export async function stability(
  rows: Matrix,
  base: Pick<Clustering, 'labels'>,
  { resamples = 5, sharePercent = 70, ...options }: StabilityOptions,
): Promise<number> {
  const random = randomNumbers(options.seed ^ 0x5bd1e995);
  const size = Math.max(options.k, Math.round((rows.rows * sharePercent) / 100));
  let sum = 0;
  for (let resample = 1; resample <= resamples; resample += 1) {
    const part = pick(rows, drawn(rows.rows, size, random));
    const { centres } = await kMeans(part, { ...options, seed: options.seed + resample * 104729 });
    const { labels } = await nearest(rows, centres, { signal: options.signal });
    sum += randIndex(base.labels, labels);
  }
  return sum / resamples;
}
