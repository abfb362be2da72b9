import type { DomainLibrary, QdrantCluster, RebalancePolicy } from '../api/index.ts';
import type { Progress } from '../migration/index.ts';
import type { DiscoveryWorld } from './discovery/world.ts';
import type { Look } from './look.ts';
import type { Reason } from './reasons.ts';
import type { ReverseWorld } from './reverse/world.ts';
import type { SnapshotWorld } from './snapshots/world.ts';

/** Why the Qdrant cluster of a library can't be looked at. */
export type Blind = { readonly kind: 'blind'; readonly reason: Reason; readonly message: string };
export type Sight = Blind | { readonly kind: 'seen'; readonly look: Look };

/** Another library that wants the same collection of the same cluster. */
export type Rival = { readonly name: string; readonly uid: string; readonly createdAt: string };

/** Another cluster that concerns the library: it holds generations of it, or is to. */
export type Place = {
  readonly name: string;
  /** Undefined: there is no such QdrantCluster. */
  readonly cluster: QdrantCluster | undefined;
  readonly sight: Sight;
  readonly rivals: readonly Rival[];
  /** Vectors of all libraries that live there, as far as their status tells, in bytes of one replica each. */
  readonly vectorsBytes: number;
};
export type SeenPlace = Pick<Place, 'name' | 'rivals' | 'vectorsBytes'> & {
  readonly cluster: QdrantCluster;
  readonly look: Look;
};

/** What a RebalancePolicy says of the moves that it orders. */
export type MoveRules = Pick<
  NonNullable<RebalancePolicy['spec']['migration']>,
  'engine' | 'fence' | 'verify' | 'keepSourceHours' | 'maxFreezeSeconds'
>;

/** The Job that copies a generation, as far as decisions go. */
export type CopyJob = {
  readonly name: string;
  readonly attempt: number;
  readonly state: 'running' | 'succeeded' | 'failed';
  /** Milliseconds since the epoch; when it ended. */
  readonly endedAt?: number;
};

/** A Job of another task than a copy: a snapshot, a restore, a discovery. */
export type TaskJob = CopyJob & {
  readonly task: string;
  /** Whether a pod of it may still run. */
  readonly alive: boolean;
};

/** What this process remembers between passes; losing it costs time, never safety. */
export type Memory = {
  /** Since when the collection is green with nothing queued; by name, milliseconds since the epoch. */
  readonly greenSince: ReadonlyMap<string, number>;
  /** Digest of the last patch sent to a collection that did not read back as sent. */
  readonly sentPatches: ReadonlyMap<string, { readonly digest: string; readonly at: number }>;
  /** When a fence was lifted last without a switch. */
  readonly unfencedAt: number | undefined;
  /** When the copy's worker was seen to have said something; undefined while it was not. */
  readonly workerHeardAt: number | undefined;
};

export type LibrarySettings = {
  readonly resyncSeconds: number;
  readonly busySeconds: number;
  readonly workerImage: string;
  /** Secrets in the library's own namespace with which the worker's image is pulled. */
  readonly workerPullSecrets: readonly string[];
  /** Variables that the worker gets from the operator. */
  readonly workerEnvironment: Readonly<Record<string, string>>;
  /** Longest time for which writes may be held back. */
  readonly maxFreezeSeconds: number;
  /** How long a new generation must be green before the switch: green flickers between two rebuilds (measured, 13). */
  readonly greenSeconds: number;
  /** How long a retired generation is kept at least. */
  readonly retireSeconds: number;
  /** Attempts of a copy before the change is given up. */
  readonly copyAttempts: number;
};

/** Everything that a pass decides from, read before. */
export type World = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly library: DomainLibrary;
  readonly cluster: QdrantCluster | undefined;
  readonly sight: Sight;
  readonly rivals: readonly Rival[];
  /** Other clusters: where the library is to live, where a move goes or comes from, where generations lie. */
  readonly places: readonly Place[];
  /** Of the policy that ordered the move; undefined where none did. */
  readonly moveRules: MoveRules | undefined;
  readonly job: CopyJob | undefined;
  /** Jobs of earlier attempts or generations that still run. */
  readonly otherJobs: readonly string[];
  /** Jobs of other tasks than copies, in no order. */
  readonly tasks: readonly TaskJob[];
  readonly snapshots: SnapshotWorld;
  readonly discovery: DiscoveryWorld;
  readonly reverse: ReverseWorld;
  readonly progress: Progress | undefined;
  /** Whether objects of a copy exist that no running change needs. */
  readonly leftovers: boolean;
  readonly memory: Memory;
  readonly settings: LibrarySettings;
};

/** The world, once the cluster could be looked at. */
export type SeenWorld = World & { readonly cluster: QdrantCluster; readonly look: Look };

/** Undefined for a cluster that does not concern the library, or is its own. */
export const placeNamed = ({ places }: World, name: string): Place | undefined =>
  places.find((place) => place.name === name);

export const seenPlace = ({ name, cluster, sight, rivals, vectorsBytes }: Place): SeenPlace | undefined =>
  cluster === undefined || sight.kind !== 'seen'
    ? undefined
    : { name, cluster, look: sight.look, rivals, vectorsBytes };
