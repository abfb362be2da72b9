import { type Matrix, rowOf } from '../../vectors/index.ts';

export type MergeRules = {
  /** Two parts are one domain when their centres are nearer to each other than so many times their points to them. */
  readonly nearness: number;
  readonly maxDomains: number;
  /** Share of the points below which a part is no domain, 0 to 1. */
  readonly minShare: number;
};

/** Points together: how many, and their vectors added up, from which both centre and closeness follow. */
type Part = {
  readonly cells: readonly number[];
  readonly count: number;
  readonly sum: Float64Array;
  /** Of the sum. */
  readonly length: number;
};

/**
 * Puts cells of k-means together until what is left are domains: clearly apart, not too small, not too many.
 *
 * @param points unit rows
 * @param labels the cell of each row
 * @returns for each cell its domain, numbered from the largest domain down
 */
export function merged(points: Matrix, labels: Int32Array, rules: MergeRules): Int32Array {
  let parts = partsOf(points, labels);
  const cells = parts.reduce((most, part) => Math.max(most, ...part.cells), -1) + 1;
  for (;;) {
    const pair = nextPair(parts, points.rows, rules);
    if (pair === undefined) break;
    const [a, b] = pair;
    parts = [...parts.filter((part) => part !== a && part !== b), together(a, b)];
  }
  const domains = new Int32Array(cells);
  parts
    .toSorted((a, b) => b.count - a.count || (a.cells[0] ?? 0) - (b.cells[0] ?? 0))
    .forEach((part, domain) => {
      for (const cell of part.cells) domains[cell] = domain;
    });
  return domains;
}

/** Empty cells belong to no part. */
function partsOf(points: Matrix, labels: Int32Array): Part[] {
  const parts = new Map<number, { cells: number[]; count: number; sum: Float64Array }>();
  for (let row = 0; row < points.rows; row += 1) {
    const cell = labels[row] ?? 0;
    const part = parts.get(cell) ?? { cells: [cell], count: 0, sum: new Float64Array(points.columns) };
    parts.set(cell, part);
    part.count += 1;
    rowOf(points, row).forEach((value, column) => {
      part.sum[column] = (part.sum[column] ?? 0) + value;
    });
  }
  return [...parts.values()].map((part) => ({ ...part, length: lengthOf(part.sum) }));
}

function nextPair(parts: readonly Part[], rows: number, rules: MergeRules): readonly [Part, Part] | undefined {
  const pairs = parts.flatMap((a, index) => parts.slice(index + 1).map((b) => ({ a, b, near: -apartness(a, b) })));
  const nearest = greatest(pairs);
  if (nearest === undefined) return undefined;
  if (-nearest.near < rules.nearness) return [nearest.a, nearest.b];
  // The smallest first: what it joins may be large enough then.
  const small = parts
    .filter(({ count }) => count < rules.minShare * rows)
    .toSorted((a, b) => a.count - b.count)
    .at(0);
  const joined = greatest(
    small === undefined
      ? parts.length > rules.maxDomains
        ? pairs
        : []
      : pairs
          .filter(({ a, b }) => a === small || b === small)
          .map((pair) => ({ ...pair, near: cosine(pair.a, pair.b) })),
  );
  return joined === undefined ? undefined : [joined.a, joined.b];
}

function greatest<Pair extends { readonly near: number }>(pairs: readonly Pair[]): Pair | undefined {
  return pairs.reduce<Pair | undefined>(
    (best, pair) => (best === undefined || pair.near > best.near ? pair : best),
    undefined,
  );
}

/** How far the two centres are from each other, by 1 - cosine, as a multiple of the mean of the points' distances to theirs. */
const apartness = (a: Part, b: Part): number =>
  (1 - cosine(a, b)) / Math.max(SMALLEST, 1 - Math.min(closeness(a), closeness(b)));

/** What rounding makes of equal vectors. */
const SMALLEST = 1e-6;

const cosine = (a: Part, b: Part): number => product(a.sum, b.sum) / Math.max(1e-9, a.length * b.length);

/** The mean cosine of unit vectors to their own centre is the length of their mean. */
const closeness = (part: Part): number => part.length / part.count;

const lengthOf = (sum: Float64Array): number => Math.sqrt(product(sum, sum));

function product(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let column = 0; column < a.length; column += 1) total += (a[column] ?? 0) * (b[column] ?? 0);
  return total;
}

function together(a: Part, b: Part): Part {
  const sum = a.sum.map((value, column) => value + (b.sum[column] ?? 0));
  return { cells: [...a.cells, ...b.cells], count: a.count + b.count, sum, length: lengthOf(sum) };
}
