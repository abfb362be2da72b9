import { type Matrix, norm, pick, rowOf, scaleToUnit, zeros } from './matrix.ts';
import { nearest } from './nearest.ts';
import { randomNumbers } from './random.ts';
import { seeding } from './seeding.ts';

export type KMeansOptions = {
  /** Cells wanted; at most as many as there are rows. */
  readonly k: number;
  readonly seed: number;
  /** `sphere`: rows have length 1, and nearness is the cosine. `plane`: nearness is Euclid's distance. */
  readonly geometry?: 'sphere' | 'plane';
  /** Runs from other first centres, of which the best is kept. */
  readonly starts?: number;
  readonly iterations?: number;
  readonly signal?: AbortSignal | undefined;
};

export type Clustering = {
  /** One row for each cell; of length 1 on the sphere. */
  readonly centres: Matrix;
  /** The cell of each row. */
  readonly labels: Int32Array;
  readonly counts: Uint32Array;
  /** After each round: mean of 1 - cosine on the sphere, mean squared distance on the plane. Never rises, but for rounding. */
  readonly objective: readonly number[];
};

const DEFAULTS = { starts: 3, iterations: 40 } as const;
/** A round that gains less than this share is the last. */
const ENOUGH = 1e-5;

/**
 * k-means with k-means++ seeding, several starts, and no empty cell as long as rows differ.
 *
 * Deterministic: the same rows, options and seed give the same cells. Other work gets its turn while it runs.
 * @throws RangeError for k below 1 or above the number of rows; whatever the signal was aborted with
 * Source: Dhillon and Modha 2001 (spherical), Arthur and Vassilvitskii 2007 (seeding).
 */
export async function kMeans(rows: Matrix, options: KMeansOptions): Promise<Clustering> {
  const { k, seed, starts = DEFAULTS.starts } = options;
  if (!Number.isInteger(k) || k < 1 || k > rows.rows) throw new RangeError(`k: ${k} cells of ${rows.rows} rows`);
  let best: Clustering | undefined;
  for (let start = 0; start < Math.max(1, k === 1 ? 1 : starts); start += 1) {
    const found = await run(rows, options, randomNumbers(seed + start * 7919));
    if (best === undefined || last(found) < last(best)) best = found;
  }
  if (best === undefined) throw new RangeError(`starts: ${starts}`);
  return best;
}

const last = ({ objective }: Clustering): number => objective.at(-1) ?? Number.POSITIVE_INFINITY;

async function run(rows: Matrix, options: KMeansOptions, random: () => number): Promise<Clustering> {
  const { k, geometry = 'sphere', iterations = DEFAULTS.iterations, signal } = options;
  const squares = geometry === 'plane' ? squaredNorms(rows) : undefined;
  let centres = pick(rows, await seeding(rows, { k, squares, random, signal }));
  const objective: number[] = [];
  for (;;) {
    const offsets = squares === undefined ? undefined : squaredNorms(centres).map((square) => -square / 2);
    const { labels, best } = await nearest(rows, centres, { ...(offsets && { offsets }), signal });
    const costs = best.map((similarity, row) =>
      squares === undefined ? 1 - similarity : Math.max(0, (squares[row] ?? 0) - 2 * similarity),
    );
    const counts = countOf(labels, k);
    fillEmpty({ rows, centres, labels, counts, costs });
    objective.push(costs.reduce((sum, cost) => sum + cost, 0) / rows.rows);
    const [before = 0, now = 0] = objective.slice(-2);
    const settled = objective.length > 1 && before - now <= ENOUGH * before;
    if (settled || objective.length >= iterations) {
      return { centres, labels, counts, objective };
    }
    centres = means(rows, { labels, counts, before: centres, onSphere: squares === undefined });
  }
}

export function countOf(labels: ArrayLike<number>, k: number): Uint32Array {
  const counts = new Uint32Array(k);
  for (let row = 0; row < labels.length; row += 1) {
    const label = labels[row] ?? 0;
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return counts;
}

const squaredNorms = (rows: Matrix): Float64Array =>
  Float64Array.from({ length: rows.rows }, (_, row) => norm(rowOf(rows, row)) ** 2);

type Round = {
  readonly rows: Matrix;
  readonly centres: Matrix;
  readonly labels: Int32Array;
  readonly counts: Uint32Array;
  readonly costs: Float64Array;
};

/** An empty cell takes the row that its own cell fits worst: what it costs falls to nothing. */
function fillEmpty({ rows, centres, labels, counts, costs }: Round): void {
  for (let cell = 0; cell < counts.length; cell += 1) {
    if (counts[cell] !== 0) continue;
    let worst = -1;
    for (let row = 0; row < costs.length; row += 1) {
      if ((counts[labels[row] ?? 0] ?? 0) < 2) continue;
      if (worst < 0 || (costs[row] ?? 0) > (costs[worst] ?? 0)) worst = row;
    }
    if (worst < 0) return;
    const from = labels[worst] ?? 0;
    counts[from] = (counts[from] ?? 0) - 1;
    counts[cell] = 1;
    labels[worst] = cell;
    costs[worst] = 0;
    rowOf(centres, cell).set(rowOf(rows, worst));
  }
}

type Cells = {
  readonly labels: Int32Array;
  readonly counts: Uint32Array;
  readonly before: Matrix;
  readonly onSphere: boolean;
};

function means(rows: Matrix, { labels, counts, before, onSphere }: Cells): Matrix {
  const { columns } = rows;
  const sums = new Float64Array(before.data.length);
  for (let row = 0; row < rows.rows; row += 1) {
    const to = (labels[row] as number) * columns;
    const from = row * columns;
    for (let column = 0; column < columns; column += 1) {
      sums[to + column] = (sums[to + column] as number) + (rows.data[from + column] as number);
    }
  }
  const centres = zeros(before.rows, columns);
  for (let cell = 0; cell < before.rows; cell += 1) {
    const sum = sums.subarray(cell * columns, (cell + 1) * columns);
    const centre = rowOf(centres, cell);
    const divisor = onSphere ? norm(sum) : (counts[cell] ?? 0);
    // Rows that cancel each other out have no direction.
    if (divisor < Number.EPSILON * (counts[cell] ?? 0) || divisor === 0) centre.set(rowOf(before, cell));
    else for (let column = 0; column < columns; column += 1) centre[column] = (sum[column] ?? 0) / divisor;
    if (onSphere) scaleToUnit(centre);
  }
  return centres;
}
