import { coarseRows } from './coarse.ts';
import { apart, type Distance, similarity } from './distance.ts';
import { kMeans } from './k-means.ts';
import { assertFinite, type Matrix, norm, pick, rowOf, unit, zeros } from './matrix.ts';
import { nearest } from './nearest.ts';

/**
 * A library in a few hundred numbers a cell: where its points lie, how many, and how far from the middle of their cell.
 *
 * What the radii cover are the `seen` points. `bound` holds for these and for no other: for the whole library only where
 * all of it was seen (`seen` = `population`) and nothing was written since. Of a sample it is an estimate.
 */
export type Sketch = {
  readonly distance: Distance;
  /** One row for each cell; of length 1 with Cosine. Rounded so that 8 bits a number keep them whole. */
  readonly centres: Matrix;
  /** Seen points in each cell. */
  readonly counts: Uint32Array;
  /**
   * The farthest seen point of each cell from its centre, rounded up: an angle in radians with Cosine, Euclid's distance
   * with Dot and Euclid, the sum of differences with Manhattan.
   */
  readonly radii: Float32Array;
  /** Points that the counts and radii are about. */
  readonly seen: number;
  /** Seen points of length 0: with Cosine no direction stands for them. They are in no cell. */
  readonly blank: number;
  /** Points in the library when it was drawn. */
  readonly population: number;
};

export type SketchOptions = {
  readonly distance: Distance;
  /** At most, 1 to 256; fewer where there are fewer different points. Below 64 it says little about a library. */
  readonly cells: number;
  readonly seed: number;
  /** Points in the library; the given rows where not given. */
  readonly population?: number;
  readonly signal?: AbortSignal | undefined;
};

export const MAX_CELLS = 256;
/** Keeps what is rounded in float32 and in acos within the bound. */
const MARGIN = 1e-6;

/**
 * Draws the sketch of these points, the rows as they stand in the library.
 *
 * @throws RangeError for cells or a population out of range, TypeError for a number that is not finite
 */
export async function sketchOf(points: Matrix, options: SketchOptions): Promise<Sketch> {
  const { distance, cells, seed, population = points.rows, signal } = options;
  if (!Number.isInteger(cells) || cells < 1 || cells > MAX_CELLS) throw new RangeError(`cells: ${cells}, 1 to 256`);
  assertFinite(points);
  const rows = shaped(points, distance);
  if (rows.rows === 0) {
    return widened(empty(distance, points.columns, population), points, signal);
  }
  const { centres } = await kMeans(rows, {
    k: Math.min(cells, rows.rows),
    seed,
    geometry: distance === 'Cosine' ? 'sphere' : 'plane',
    starts: 1,
    iterations: 10,
    signal,
  });
  const blank = { ...empty(distance, points.columns, population), ...blankCells(coarseRows(centres, distance)) };
  return withoutEmpty(await widened(blank, points, signal));
}

/**
 * The sketch with these points seen, too: its counts and radii grow, its centres stay.
 *
 * To sketch a library of any size, draw it from a sample and let it see what the sample left out, page by page.
 * @throws TypeError for another length of vectors or a number that is not finite
 */
export async function widened(sketch: Sketch, points: Matrix, signal?: AbortSignal): Promise<Sketch> {
  assertFinite(points);
  if (points.columns !== sketch.centres.columns && points.rows > 0) {
    throw new TypeError(`points of ${points.columns} numbers, the sketch has ${sketch.centres.columns}`);
  }
  const { distance, centres } = sketch;
  const rows = shaped(points, distance);
  const seen = sketch.seen + points.rows;
  const population = Math.max(sketch.population, seen);
  const blank = sketch.blank + points.rows - rows.rows;
  if (rows.rows === 0) return { ...sketch, seen, population, blank };
  const counts = sketch.counts.slice();
  const radii = sketch.radii.slice();
  const offsets = distance === 'Cosine' ? undefined : halfSquares(centres);
  const { labels } = await nearest(rows, centres, { ...(offsets && { offsets }), signal });
  for (let row = 0; row < rows.rows; row += 1) {
    const cell = labels[row] ?? 0;
    counts[cell] = (counts[cell] ?? 0) + 1;
    const far = roundedUp(farness(distance, rowOf(rows, row), rowOf(centres, cell)));
    if (far > (radii[cell] ?? 0)) radii[cell] = far;
  }
  return { ...sketch, counts, radii, seen, population, blank };
}

/** Whether `bound` holds for every point that the library had when the sketch was drawn. */
export const isComplete = ({ seen, population }: Sketch): boolean => seen >= population;

/** Direction only with Cosine, for Qdrant keeps no more; points without one are left out. */
function shaped(points: Matrix, distance: Distance): Matrix {
  if (distance !== 'Cosine') return points;
  const places = Array.from({ length: points.rows }, (_, row) => row).filter((row) => norm(rowOf(points, row)) > 0);
  return unit(places.length === points.rows ? points : pick(points, places));
}

const empty = (distance: Distance, columns: number, population: number): Sketch => ({
  distance,
  ...blankCells(zeros(0, columns)),
  seen: 0,
  blank: 0,
  population,
});

const blankCells = (centres: Matrix): Pick<Sketch, 'centres' | 'counts' | 'radii'> => ({
  centres,
  counts: new Uint32Array(centres.rows),
  radii: new Float32Array(centres.rows),
});

const halfSquares = (centres: Matrix): Float64Array =>
  Float64Array.from({ length: centres.rows }, (_, row) => -(norm(rowOf(centres, row)) ** 2) / 2);

function farness(distance: Distance, point: Float32Array, centre: Float32Array): number {
  if (distance === 'Cosine') return Math.acos(similarity('Cosine', point, centre));
  return apart(point, centre, distance === 'Manhattan' ? 1 : 2);
}

const roundedUp = (far: number): number => Math.fround(far * (1 + MARGIN) + MARGIN);

function withoutEmpty(sketch: Sketch): Sketch {
  const places = [...sketch.counts.keys()].filter((cell) => (sketch.counts[cell] ?? 0) > 0);
  if (places.length === sketch.counts.length) return sketch;
  return {
    ...sketch,
    centres: pick(sketch.centres, places),
    counts: Uint32Array.from(places, (cell) => sketch.counts[cell] ?? 0),
    radii: Float32Array.from(places, (cell) => sketch.radii[cell] ?? 0),
  };
}
