import type { QdrantCluster } from '../api/index.ts';
import type { ClusterView } from '../qdrant/index.ts';
import type { Reason } from './reasons.ts';

/** How the last run of a container ended. */
export type Exit = {
  readonly code: number;
  /** End of its log. */
  readonly message: string;
  /** How long it ran. */
  readonly seconds: number;
};

/** A pod as the API server knows it. Times are milliseconds since the epoch. */
export type PodFacts = {
  readonly name: string;
  readonly ordinal: number;
  readonly uid: string;
  /** Digest of the template that it was made from. */
  readonly template: string | undefined;
  readonly ready: boolean;
  readonly terminating: boolean;
  /** Whether the Qdrant container runs now. */
  readonly running: boolean;
  readonly restarts: number;
  readonly lastExit: Exit | undefined;
  /** Whether it gets traffic of the client Service, and if not, since when. */
  readonly serving: boolean;
  readonly withdrawnAt: number | undefined;
};

/** A volume claim of a pod of this cluster. */
export type ClaimFacts = {
  readonly name: string;
  readonly ordinal: number;
  readonly volume: string;
  readonly uid: string;
  readonly createdAt: number;
  readonly terminating: boolean;
  /** Peer that was seen to live on it. */
  readonly peer: string | undefined;
  /** Peer whose removal from the cluster was verified. */
  readonly removedPeer: string | undefined;
};

export type ClaimTemplate = {
  readonly name: string;
  readonly size: string;
  readonly storageClassName: string | undefined;
};

export type StatefulSetFacts = {
  readonly replicas: number;
  readonly image: string | undefined;
  /** Claim templates as they are on the live object: Kubernetes doesn't let them change. */
  readonly claims: readonly ClaimTemplate[];
};

/** What the `<name>-peers` ConfigMap tells starting pods. */
export type Announcement = { readonly founder: string | undefined; readonly members: readonly string[] };

/** Why a Secret or the cluster can't be used as the spec says. */
export type Problem = { readonly reason: Reason; readonly message: string };

/** Everything that is known when a pass begins; deciding reads nothing else. */
export type World = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly settleSeconds: number;
  /** With defaults applied. */
  readonly cluster: QdrantCluster;
  /** Names of predicates that the annotation switches off; `*` = all. */
  readonly disabled: ReadonlySet<string>;
  readonly statefulSet: StatefulSetFacts | undefined;
  readonly pods: readonly PodFacts[];
  readonly claims: readonly ClaimFacts[];
  readonly announced: Announcement | undefined;
  /** Digest of the pod template that the spec asks for. */
  readonly template: string;
  readonly view: ClusterView | undefined;
  /** Replication factor by collection; one that couldn't be read is missing. */
  readonly replicationFactors: ReadonlyMap<string, number>;
  /** Since when nothing has been unsettled; undefined while something is. */
  readonly settledSince: number | undefined;
  /** Whether the PodDisruptionBudget that is there lets a pod go; undefined without one. */
  readonly budgetOpen: boolean | undefined;
  /** First seen, by `transferKey`. */
  readonly transfersSince: ReadonlyMap<string, number>;
  /** Secrets, keys, connection: why the cluster can't be reached as the spec says. */
  readonly problem: Problem | undefined;
  /** DomainLibraries that live on it or are to. */
  readonly libraries: readonly string[];
  /** Objects of our names that aren't ours, as `Kind/name`. */
  readonly taken: readonly string[];
};

export const isExternal = (cluster: QdrantCluster): boolean => cluster.spec.external !== undefined;

/** Peers wanted; 0 for a cluster that the operator doesn't run. */
export const sizeOf = (cluster: QdrantCluster): number => cluster.spec.size ?? 0;
