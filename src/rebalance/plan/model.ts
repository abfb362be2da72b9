import { references } from '../imbalance.ts';
import { addLoads, capacityOf, DIMENSIONS, type Dimension } from '../load.ts';
import { refusedLibrary, refusedTarget } from './constraints.ts';
import type { Problem } from './problem.ts';

/** What arrives counts for more on its target: a load measured elsewhere may turn out larger. Source: CockroachDB MMA. */
export const TARGET_PESSIMISM = 1.1;
/** What a copy that is kept still takes. */
const STORED: ReadonlySet<Dimension> = new Set(['memory', 'disk', 'points']);

/**
 * A problem as arrays: libraries i, clusters j, dimensions r; matrices are stored by row. `scale[j,r]` turns a load on
 * cluster j into a multiple of the mean. `cap[j,r]` is how much load may be put on a cluster: its limit, or what it
 * carries already where that is more.
 */
export type Model = {
  readonly items: number;
  readonly clusters: number;
  readonly dimensions: number;
  readonly load: Float64Array;
  readonly fixed: Float64Array;
  readonly scale: Float64Array;
  readonly cap: Float64Array;
  readonly bytes: Float64Array;
  readonly home: Int32Array;
  readonly allowed: Uint8Array;
  /** For each dimension whether a cluster that is left goes on carrying it. */
  readonly kept: Uint8Array;
  readonly maxMoves: number;
  readonly maxBytes: number;
  readonly goal: number;
};

/** @param now milliseconds since the epoch, by which cooldowns are judged */
export function modelOf(problem: Problem, now: number): Model {
  const clusters = problem.clusters;
  const place = new Map(clusters.map(({ name }, index) => [name, index]));
  // What lives on a cluster that takes no part is nobody's load here.
  const libraries = problem.libraries.filter(({ cluster }) => place.has(cluster));
  const carried = clusters.map(({ name, fixed }) =>
    addLoads([fixed, ...libraries.filter(({ cluster }) => cluster === name).map(({ load }) => load)]),
  );
  const reference = references(
    clusters.map(({ name, capacity }, index) => ({ name, capacity, load: carried[index] ?? addLoads([]) })),
  );
  const allowed = libraries.flatMap((library) => {
    const source = clusters.find(({ name }) => name === library.cluster);
    const stays = refusedLibrary({ library, source, now }) !== undefined;
    return clusters.map((target) => {
      if (target.name === library.cluster) return 1;
      return stays || refusedTarget({ library, source, target, now }) !== undefined ? 0 : 1;
    });
  });
  const cells = <T>(cell: (index: number, dimension: Dimension) => T): T[] =>
    clusters.flatMap((_, index) => DIMENSIONS.map((dimension) => cell(index, dimension)));
  const capacity = clusters.map((cluster) => capacityOf(cluster.capacity));
  return {
    items: libraries.length,
    clusters: clusters.length,
    dimensions: DIMENSIONS.length,
    load: Float64Array.from(libraries.flatMap(({ load }) => DIMENSIONS.map((dimension) => load[dimension]))),
    fixed: Float64Array.from(cells((index, dimension) => clusters[index]?.fixed[dimension] ?? 0)),
    scale: Float64Array.from(
      cells((index, dimension) => {
        const has = capacity[index]?.[dimension] ?? 0;
        return has > 0 ? 1 / (has * reference[dimension]) : 0;
      }),
    ),
    cap: Float64Array.from(
      cells((index, dimension) => {
        const limit = problem.limits[dimension];
        if (limit === undefined) return Number.POSITIVE_INFINITY;
        return Math.max(limit * (capacity[index]?.[dimension] ?? 0), carried[index]?.[dimension] ?? 0);
      }),
    ),
    bytes: Float64Array.from(libraries.map(({ bytes }) => bytes)),
    home: Int32Array.from(libraries.map(({ cluster }) => place.get(cluster) ?? 0)),
    allowed: Uint8Array.from(allowed),
    kept: Uint8Array.from(DIMENSIONS.map((dimension) => Number(problem.keepsSource && STORED.has(dimension)))),
    maxMoves: problem.maxMoves,
    maxBytes: problem.maxBytes ?? Number.POSITIVE_INFINITY,
    goal: problem.goal,
  };
}
