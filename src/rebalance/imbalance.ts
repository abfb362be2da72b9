import { type Capacity, capacityOf, DIMENSIONS, type Dimension, type Load, mapLoad } from './load.ts';

export type LoadedCluster = { readonly name: string; readonly capacity: Capacity; readonly load: Load };

/**
 * Below this mean an imbalance is noise: shares of the capacity where there is one, else for a cluster of mean size.
 * Source: CockroachDB `mmaprototype/load.go` for CPU; memory and disk do no harm below a half; the others by judgement.
 */
export const FLOORS: Load = { busy: 0.05, memory: 0.5, disk: 0.5, requests: 10, points: 100_000 };
const OF_CAPACITY: ReadonlySet<Dimension> = new Set(['busy', 'memory', 'disk']);

/**
 * What one unit of capacity carries where all clusters are loaded alike, but no less than the floor. A move between
 * the clusters does not change it.
 */
export function references(clusters: readonly LoadedCluster[], floors: Load = FLOORS): Load {
  return mapLoad((dimension) => {
    const capacity = clusters.reduce((sum, cluster) => sum + capacityOf(cluster.capacity)[dimension], 0);
    const load = clusters.reduce((sum, cluster) => sum + cluster.load[dimension], 0);
    if (capacity === 0) return 1;
    const floor = OF_CAPACITY.has(dimension) ? floors[dimension] : (floors[dimension] * clusters.length) / capacity;
    return Math.max(load / capacity, floor);
  });
}

export type ClusterImbalance = {
  readonly name: string;
  /** Load as a multiple of the capacity-weighted mean, or of the floor where the mean lies below it; 1 = balanced. */
  readonly relative: Load;
  /** Share of the capacity; for requests and points by core and by byte. */
  readonly utilisation: Load;
  /** The dimension in which it is loaded most. */
  readonly worst: Dimension;
};

/** How far each cluster lies from the mean. */
export function imbalance(clusters: readonly LoadedCluster[], floors: Load = FLOORS): ClusterImbalance[] {
  const reference = references(clusters, floors);
  return clusters.map(({ name, capacity, load }) => {
    const has = capacityOf(capacity);
    const utilisation = mapLoad((dimension) => (has[dimension] > 0 ? load[dimension] / has[dimension] : 0));
    const relative = mapLoad((dimension) => utilisation[dimension] / reference[dimension]);
    return { name, relative, utilisation, worst: highest(relative) };
  });
}

export const highest = (load: Load): Dimension =>
  DIMENSIONS.reduce((best, dimension) => (load[dimension] > load[best] ? dimension : best));

/** The hottest cluster and how hot it is; undefined without clusters. */
export function hottest(
  clusters: readonly ClusterImbalance[],
): { name: string; dimension: Dimension; relative: number } | undefined {
  const [first] = clusters
    .map(({ name, worst, relative }) => ({ name, dimension: worst, relative: relative[worst] }))
    .toSorted((a, b) => b.relative - a.relative || a.name.localeCompare(b.name));
  return first;
}
