import type { DomainLibrary } from '../api/index.ts';
import { matchesSelector } from '../kube/index.ts';
import { storedLoad, storedOf } from './observe/history.ts';
import type { Stored } from './observe/telemetry.ts';
import type { LastMove, PlanCluster, PlanLibrary, Problem } from './plan/problem.ts';
import { boundsOf, placingLoad } from './settings.ts';
import type { ClusterFacts, LibraryFacts, World } from './world.ts';

/** A cluster whose load and size are known. */
export type Participant = ClusterFacts & {
  readonly seen: NonNullable<ClusterFacts['seen']>;
  readonly capacity: NonNullable<ClusterFacts['capacity']>;
};

/** Clusters that take part: one that can't be looked at, or whose size nobody tells, neither gives nor takes. */
export const participants = (clusters: readonly ClusterFacts[]): Participant[] =>
  clusters.filter((cluster): cluster is Participant => cluster.seen !== undefined && cluster.capacity !== undefined);

/** The question that a planner is asked: what the present looks like, sized by nearly the worst of a day. */
export function problemOf({ policy, clusters, libraries, kept, now }: World): Problem {
  const known = participants(clusters);
  const planned = libraries.flatMap((library): PlanLibrary[] => {
    const cluster = known.find(({ name }) => name === library.object.status?.cluster);
    return cluster === undefined ? [] : [planLibrary(library, { cluster, clusters: known, moved: kept.moved, now })];
  });
  return {
    clusters: known.map((cluster) => planCluster(cluster, planned, now)),
    libraries: planned,
    ...boundsOf(policy.spec),
  };
}

type Subject = {
  readonly cluster: Participant;
  readonly clusters: readonly Participant[];
  readonly moved: World['kept']['moved'];
  readonly now: number;
};

function planLibrary({ name, object, demand, busy }: LibraryFacts, subject: Subject): PlanLibrary {
  const { cluster, clusters, moved, now } = subject;
  const { clusterRef, clusterSelector } = object.spec.placement;
  const parts = storedParts(object, cluster);
  const stored = storedLoad(parts);
  const last = moved[name];
  return {
    name,
    cluster: cluster.name,
    load: {
      requests: placingLoad(demand.requests, now) ?? 0,
      busy: placingLoad(demand.busy, now) ?? 0,
      ...stored,
    },
    // Replicas are copied by the target itself.
    bytes: Math.ceil(stored.disk / (object.spec.shards?.replicationFactor ?? 1)),
    pinned: clusterRef !== undefined,
    busy: busy || object.status?.change !== undefined,
    ...(clusterSelector === undefined
      ? {}
      : {
          targets: clusters
            .filter((candidate) => matchesSelector(clusterSelector, candidate.object.metadata.labels))
            .map((candidate) => candidate.name),
        }),
    ...(last === undefined ? {} : { lastMove: lastMove(last) }),
  };
}

const lastMove = ({ from, endedAt, seconds }: LastMove): LastMove => ({ from, endedAt, seconds });

/** The active generation; retired ones stay behind when it moves. */
function storedParts({ status }: DomainLibrary, { seen }: Participant): Stored[] {
  const part = seen.stored.get(status?.collection ?? '');
  return part === undefined ? [] : [part];
}

/** What no move takes away is all that is not of a library that may be asked to move. */
function planCluster(cluster: Participant, libraries: readonly PlanLibrary[], now: number): PlanCluster {
  const { name, history, seen, capacity, version, ready, unknown } = cluster;
  const here = libraries.filter((library) => library.cluster === name);
  const stored = storedOf(seen);
  const rest = (dimension: 'memory' | 'disk' | 'points'): number =>
    Math.max(0, stored[dimension] - here.reduce((sum, { load }) => sum + load[dimension], 0));
  return {
    name,
    version: version ?? 'unknown',
    capacity,
    fixed: {
      requests: placingLoad(history.others.requests, now) ?? 0,
      busy: placingLoad(history.others.busy, now) ?? 0,
      memory: rest('memory'),
      disk: rest('disk'),
      points: rest('points'),
    },
    ready: ready && unknown === undefined,
  };
}
