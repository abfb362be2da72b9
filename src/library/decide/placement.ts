import type { DomainLibrary, Placement, QdrantCluster } from '../../api/index.ts';
import { matchesSelector } from '../../kube/index.ts';
import { generationsOf } from '../plan.ts';
import type { Reason } from '../reasons.ts';

export type Placed = {
  /** Name of the cluster; undefined: none can be named yet. */
  readonly name: string | undefined;
  /** Set when the name leads nowhere, or there is none. */
  readonly problem?: { readonly reason: Reason; readonly message: string };
};

/** An order to live elsewhere. */
export type MoveOrder = {
  readonly to: string;
  /** The field that gives it. */
  readonly field: string;
  /** RebalancePolicy that gives it; undefined: a person did. */
  readonly policy?: string | undefined;
};

/** The cluster of a library that has a collection, or the one that its spec names; undefined: one is to be chosen. */
export const namedCluster = ({ spec, status }: DomainLibrary): string | undefined =>
  (generationsOf(status).length > 0 ? status?.cluster : undefined) ?? spec.placement.clusterRef?.name;

/**
 * Where the library lives. Once it has a collection it stays there until a move has switched: see `orderedMove`.
 *
 * @param clusters the one that `namedCluster` names; all of the library's namespace when it names none
 */
export function place(library: DomainLibrary, clusters: readonly QdrantCluster[]): Placed {
  const { placement } = library.spec;
  const current = library.status?.cluster;
  const settled = generationsOf(library.status).length > 0;
  if (current !== undefined && settled) return checked(current, clusters, 'status.cluster');
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

/**
 * Where a library that has a collection is ordered to live; undefined: where it is. A pinned one goes where its spec
 * says, any other where a RebalancePolicy assigns it.
 */
export function orderedMove({ spec, status }: DomainLibrary): MoveOrder | undefined {
  const home = status?.cluster;
  if (home === undefined || generationsOf(status).length === 0) return undefined;
  const pinned = spec.placement.clusterRef?.name;
  if (pinned !== undefined) {
    return pinned === home ? undefined : { to: pinned, field: 'spec.placement.clusterRef.name' };
  }
  const { cluster, policy } = status?.assignment ?? {};
  return cluster === undefined || cluster === home
    ? undefined
    : { to: cluster, field: 'status.assignment.cluster', policy };
}

/**
 * Names of other clusters that matter now: where the library is ordered to live, between which it moves, where
 * generations of it lie. Under a fence the two of the move only: clients wait, and another one may be slow to answer.
 */
export function clustersBeside(library: DomainLibrary): string[] {
  const { status } = library;
  const { change } = status ?? {};
  const home = status?.cluster;
  const moving = [change?.fromCluster, change?.toCluster];
  const hurried = change?.step === 'Fenced' || change?.step === 'Verified';
  const all = hurried
    ? moving
    : [...moving, orderedMove(library)?.to, ...generationsOf(status).map(({ cluster }) => cluster)];
  return [...new Set(all)].filter((name): name is string => name !== undefined && name !== home);
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
