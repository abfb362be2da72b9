import {
  drawn,
  type Matrix,
  neighbours,
  pick,
  randomNumbers,
  ranked,
  routingCeiling,
  rowOf,
  type Sketch,
  sketchOf,
} from '../../vectors/index.ts';
import type { Routing } from './rules.ts';

export type RouteOptions = {
  /** Points that are asked for their neighbours; they are left out of the sketches. */
  readonly queries: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
};

const NEIGHBOURS = 10;
const SKETCH_CELLS = 64;
const SKETCH_POINTS = 2000;

/**
 * How well searches could be routed between these domains, were each a library of its own.
 *
 * @param points unit rows
 * @param labels the domain of each row, 0 to `count` - 1, none empty
 */
export async function routing(
  points: Matrix,
  { labels, count }: { readonly labels: Int32Array; readonly count: number },
  { queries, seed, signal }: RouteOptions,
): Promise<Routing> {
  const random = randomNumbers(seed ^ 0x9e3779b9);
  const held = drawn(points.rows, Math.min(queries, Math.floor(points.rows / 4)), random);
  const heldOut = new Set(held);
  const asking = pick(points, held);
  const sketches: Sketch[] = [];
  for (let domain = 0; domain < count; domain += 1) {
    const all = [...labels.keys()].filter((row) => labels[row] === domain);
    const known = all.filter((row) => !heldOut.has(row));
    // A domain whose every point is asked about is known by these.
    const rows = known.length > 0 ? known : all;
    const seen = [...drawn(rows.length, SKETCH_POINTS, random)].map((place) => rows[place] ?? 0);
    sketches.push(await sketchOf(pick(points, seen), { distance: 'Cosine', cells: SKETCH_CELLS, seed, signal }));
  }
  const truth = await neighbours(points, asking, {
    k: NEIGHBOURS,
    // Of unit rows it is the cosine, without another copy of them.
    distance: 'Dot',
    without: (query) => held[query],
    signal,
  });
  const owners = truth.map((rows) => rows.map((row) => labels[row] ?? 0));
  const { recall } = routingCeiling(sketches, asking, owners);
  return { recall, asked: sharesAsked(sketches, asking, sharesOf(labels, count)) };
}

export function sharesOf(labels: Int32Array, count: number): number[] {
  const shares = new Array<number>(count).fill(0);
  for (const label of labels) shares[label] = (shares[label] ?? 0) + 1 / labels.length;
  return shares;
}

function sharesAsked(sketches: readonly Sketch[], asking: Matrix, shares: readonly number[]): number[] {
  const asked = new Array<number>(sketches.length).fill(0);
  for (let query = 0; query < asking.rows; query += 1) {
    let sum = 0;
    ranked(sketches, rowOf(asking, query)).forEach((domain, place) => {
      sum += shares[domain] ?? 0;
      asked[place] = (asked[place] ?? 0) + sum / asking.rows;
    });
  }
  return asked;
}
