import type { Point, VectorValue } from '../qdrant/types.ts';
import type { Projection } from './projection.ts';
import { idFrom, rangeStart } from './ranges.ts';
import type { Neighbour, Side } from './side.ts';

/** What asking both sides for the nearest points of sampled ones came to. */
export type Agreement = {
  /** Searches that both sides answered. */
  readonly compared: number;
  /** Why they don't agree, in words; undefined: they do. */
  readonly against: string | undefined;
};

const SAMPLES = 6;
const NEIGHBOURS = 10;
/** Sums are taken in another order on another machine. */
const TOLERANCE = 1e-4;

/**
 * Searches both sides exactly for the neighbours of a few points, spread over the ranges: digests prove what is stored,
 * this that it is found. Vectors that change on their way, sparse ones and several rows are left out, and so are
 * collections whose limits refuse such a search.
 */
export async function neighboursAgree(
  source: Side,
  target: Side,
  { ranges, projection }: { readonly ranges: readonly number[]; readonly projection: Projection },
): Promise<Agreement> {
  let compared = 0;
  if (source.nearest === undefined || target.nearest === undefined) return { compared, against: undefined };
  for (const range of spread(ranges, SAMPLES)) {
    const { points } = await source.page(idFrom(rangeStart(range)), 1);
    for (const { name, vector } of points.slice(0, 1).flatMap((point) => denseOf(point, projection))) {
      const query = { vector, limit: NEIGHBOURS, ...(name === '' ? {} : { using: name }) };
      const [a, b] = await Promise.all([source.nearest(query), target.nearest(query)]);
      if (a === undefined || b === undefined) continue;
      compared += 1;
      if (!sameNeighbours(a, b)) {
        const what = name === '' ? 'the unnamed vector' : `vector ${name}`;
        return { compared, against: `the neighbours of point ${String(points[0]?.id)} by ${what} differ` };
      }
    }
  }
  return { compared, against: undefined };
}

const spread = <T>(items: readonly T[], most: number): T[] => {
  const step = Math.max(1, items.length / most);
  return Array.from({ length: Math.min(most, items.length) }, (_, at) => items[Math.floor(at * step)]).flatMap(
    (item) => (item === undefined ? [] : [item]),
  );
};

type Dense = { readonly name: string; readonly vector: readonly number[] };

function denseOf({ vector }: Point, { vectors: rules }: Projection): Dense[] {
  const all: [string, VectorValue | undefined][] = Array.isArray(vector)
    ? [['', vector as VectorValue]]
    : Object.entries(vector as Record<string, VectorValue>);
  return all.flatMap(([name, value]) =>
    rules[name] === undefined && Array.isArray(value) && typeof value[0] === 'number'
      ? [{ name, vector: value as readonly number[] }]
      : [],
  );
}

/** Whether two answers name the same points with the same scores; those that tie for the last place may differ. */
export function sameNeighbours(a: readonly Neighbour[], b: readonly Neighbour[]): boolean {
  if (a.length !== b.length) return false;
  const last = a.at(-1)?.score ?? 0;
  return contained(a, b, last) && contained(b, a, last);
}

function contained(a: readonly Neighbour[], b: readonly Neighbour[], last: number): boolean {
  const scores = new Map(b.map(({ id, score }) => [String(id), score]));
  return a.every(({ id, score }) => {
    const other = scores.get(String(id));
    return other === undefined ? near(score, last) : near(score, other);
  });
}

const near = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
