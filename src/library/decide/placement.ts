import type { DomainLibrary, Placement, QdrantCluster } from '../../api/index.ts';
import { matchesSelector } from '../../kube/index.ts';
import { generationsOf } from '../plan.ts';
import type { Reason } from '../reasons.ts';

export type Placed = {
  /** Name of the cluster; undefined: none can be named yet. */
  readonly name: string | undefined;
  /** Set when the name leads nowhere, or there is none. */
  readonly problem?: { readonly reason: Reason; readonly message: string };
  /** What orders a move, which nothing carries out yet. */
  readonly move?: string;
};

/** The cluster of a library that has a collection, or the one that its spec names; undefined: one is to be chosen. */
export const namedCluster = ({ spec, status }: DomainLibrary): string | undefined =>
  (generationsOf(status).length > 0 ? status?.cluster : undefined) ?? spec.placement.clusterRef?.name;

/**
 * Where the library lives. Once it has a collection it stays: what the operator chose stands in the status, and nothing
 * that is edited later moves data by itself.
 *
 * @param clusters the one that `namedCluster` names; all of the library's namespace when it names none
 */
export function place(library: DomainLibrary, clusters: readonly QdrantCluster[]): Placed {
  const { placement } = library.spec;
  const current = library.status?.cluster;
  const settled = generationsOf(library.status).length > 0;
  if (current !== undefined && settled) return stay(library, current, clusters);
  const name = placement.clusterRef?.name ?? choose(placement, current, clusters);
  if (name === undefined) {
    return {
      name,
      problem: {
        reason: 'NoClusterMatches',
        message: 'no QdrantCluster that is Ready matches spec.placement.clusterSelector',
      },
    };
  }
  return checked(name, clusters, 'spec.placement.clusterRef.name');
}

function stay(library: DomainLibrary, current: string, clusters: readonly QdrantCluster[]): Placed {
  const placed = checked(current, clusters, 'status.cluster');
  const wanted = library.spec.placement.clusterRef?.name;
  const assigned = library.status?.assignment?.cluster;
  if (wanted !== undefined && wanted !== current) {
    return {
      ...placed,
      move: `spec.placement.clusterRef.name: the library stays on ${current}; moving it to ${wanted} is not built yet`,
    };
  }
  if (wanted === undefined && assigned !== undefined && assigned !== current) {
    return {
      ...placed,
      move: `status.assignment.cluster: the library stays on ${current}; moving it to ${assigned} is not built yet`,
    };
  }
  return placed;
}

function checked(name: string, clusters: readonly QdrantCluster[], field: string): Placed {
  if (clusters.some(({ metadata }) => metadata.name === name)) return { name };
  return { name, problem: { reason: 'ClusterNotFound', message: `${field}: QdrantCluster ${name} does not exist` } };
}

const isReady = ({ status, metadata }: QdrantCluster): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;

/** Among the clusters that match and are Ready: the one chosen before, else the one with the fewest points. */
function choose(
  placement: Placement,
  current: string | undefined,
  clusters: readonly QdrantCluster[],
): string | undefined {
  const fitting = clusters.filter(
    (cluster) => isReady(cluster) && matchesSelector(placement.clusterSelector ?? {}, cluster.metadata.labels),
  );
  if (fitting.some(({ metadata }) => metadata.name === current)) return current;
  const load = ({ status }: QdrantCluster) => [status?.points ?? 0, status?.collections ?? 0] as const;
  const [first] = fitting.toSorted((a, b) => {
    const [pointsA, collectionsA] = load(a);
    const [pointsB, collectionsB] = load(b);
    return pointsA - pointsB || collectionsA - collectionsB || a.metadata.name.localeCompare(b.metadata.name);
  });
  return first?.metadata.name;
}
