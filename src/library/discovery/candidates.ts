import {
  drawn,
  kMeans,
  type Matrix,
  nearest,
  pick,
  randIndex,
  randomNumbers,
  silhouette,
  unit,
  zeros,
} from '../../vectors/index.ts';
import { type MergeRules, merged } from './merge.ts';

/** Cells of k-means that were put together to domains. */
export type Partition = {
  readonly centres: Matrix;
  /** The domain of each cell. */
  readonly domains: Int32Array;
  readonly count: number;
};

/** What cutting into `cells` cells came to. */
export type Candidate = Partition & {
  readonly cells: number;
  /** How much nearer points are to their own domain than to the next, -1 to 1. */
  readonly silhouette: number;
  /** Mean adjusted Rand index against domains of other samples; 1 = the same. 0 where there is one domain only. */
  readonly stability: number;
};

export type CandidateOptions = MergeRules & {
  readonly seed: number;
  readonly resamples: number;
  readonly signal?: AbortSignal | undefined;
};

const SHARE_OF_RESAMPLE = 0.7;
const STARTS = { base: 4, resample: 2 } as const;

/** Numbers of cells worth trying: all small ones, then fewer, never so many that a cell has few points. */
export function cellCounts(rows: number, most: number): number[] {
  const highest = Math.min(most, Math.floor(Math.sqrt(rows / 2)));
  const counts: number[] = [];
  for (let cells = 2; cells <= highest; cells = cells < 6 ? cells + 1 : Math.ceil(cells * 1.3)) counts.push(cells);
  return counts;
}

/** Cuts unit rows into cells, puts them together, and looks how clear and how stable the domains are. */
export async function candidate(points: Matrix, cells: number, options: CandidateOptions): Promise<Candidate> {
  const { seed, signal } = options;
  const base = await partition(points, cells, { ...options, starts: STARTS.base });
  if (base.count < 2) return { ...base, cells, silhouette: 0, stability: 0 };
  const labels = await domainsOf(points, base, signal);
  const clear = silhouette(await nearest(points, centresOf(points, labels, base.count), { signal }));
  const random = randomNumbers(seed ^ 0x2545f491);
  let agreement = 0;
  for (let resample = 1; resample <= options.resamples; resample += 1) {
    const part = pick(points, drawn(points.rows, Math.ceil(points.rows * SHARE_OF_RESAMPLE), random));
    const other = await partition(part, cells, {
      ...options,
      seed: seed + resample * 104_729,
      starts: STARTS.resample,
    });
    agreement += randIndex(labels, await domainsOf(points, other, signal));
  }
  return { ...base, cells, silhouette: clear, stability: agreement / options.resamples };
}

/** The domain of each row, by the nearest cell. */
export async function domainsOf(
  points: Matrix,
  { centres, domains }: Partition,
  signal?: AbortSignal,
): Promise<Int32Array> {
  const { labels } = await nearest(points, centres, { signal });
  return labels.map((cell) => domains[cell] ?? 0);
}

async function partition(
  points: Matrix,
  cells: number,
  { seed, signal, starts, ...rules }: CandidateOptions & { readonly starts: number },
): Promise<Partition> {
  const { centres, labels } = await kMeans(points, { k: Math.min(cells, points.rows), seed, starts, signal });
  const domains = merged(points, labels, rules);
  return { centres, domains, count: domains.reduce((most, domain) => Math.max(most, domain), 0) + 1 };
}

/** The middle of each domain, of length 1. */
export function centresOf(points: Matrix, labels: Int32Array, count: number): Matrix {
  const sums = new Float64Array(count * points.columns);
  for (let row = 0; row < points.rows; row += 1) {
    const to = (labels[row] ?? 0) * points.columns;
    const from = row * points.columns;
    for (let column = 0; column < points.columns; column += 1) {
      sums[to + column] = (sums[to + column] ?? 0) + (points.data[from + column] ?? 0);
    }
  }
  const centres = zeros(count, points.columns);
  centres.data.set(sums);
  return unit(centres);
}
