import type { VectorizationJob } from '../api/index.ts';
import type { PeerAddress } from '../qdrant/index.ts';
import type { VectorizeProgress } from './progress.ts';

/** A vector of the collection that a library's name leads to. */
export type TargetVector = { readonly name: string; readonly size: number; readonly multi: boolean };

/** What the library's collection looks like. It is asked only when a run is to begin. */
export type TargetSight =
  | { readonly kind: 'notAsked' }
  | { readonly kind: 'blind'; readonly message: string }
  | { readonly kind: 'seen'; readonly vectors: readonly TargetVector[] };

export type LibraryFacts = {
  readonly name: string;
  /** Public name. */
  readonly collection: string;
  /** Its condition Ready; undefined: it says nothing yet. */
  readonly ready: { readonly status: string; readonly reason: string; readonly message: string } | undefined;
  /** The binding Secret and the address in it; undefined while there is none. */
  readonly binding: { readonly name: string; readonly uri: string } | undefined;
  /** Of its cluster; undefined while they aren't known. */
  readonly peers: readonly PeerAddress[] | undefined;
};

/** An object that the spec names. `problem` is a sentence without field and name. */
export type Reference = {
  readonly field: string;
  readonly kind: 'ConfigMap' | 'PersistentVolumeClaim' | 'QdrantCluster' | 'Secret';
  readonly name: string;
  readonly problem: string | undefined;
};

/** The Job of a run, as far as decisions go. */
export type WorkerJob = {
  readonly name: string;
  readonly run: string;
  /** How many workers of the run were ended before this one, because they hung. */
  readonly attempt: number;
  /** Whether a pod of it is at work: one that waits for its image or volume can't say anything. */
  readonly begun: boolean;
  /** `ending`: it is being deleted, and its pods may still run. */
  readonly state: 'running' | 'ending' | 'succeeded' | 'failed';
  /** Milliseconds since the epoch; when it ended. */
  readonly endedAt?: number;
  /** Why it failed, in Kubernetes' words; or what keeps its pod from beginning. */
  readonly message?: string;
};

export type VectorizeSettings = {
  readonly resyncSeconds: number;
  readonly busySeconds: number;
  readonly workerImage: string;
  /** Secrets in the job's own namespace with which the worker's image is pulled. */
  readonly workerPullSecrets: readonly string[];
  /** Variables that the worker gets from the operator. */
  readonly workerEnvironment: Readonly<Record<string, string>>;
  /** How long a worker waits for its embedder, its source or its target before the run fails. */
  readonly patienceSeconds: number;
  /** Until a run that failed is repeated for the first time; each time it doubles. */
  readonly againSeconds: number;
  readonly mostAgainSeconds: number;
  /** How long a ConfigMap must rest after a change before a run begins; one that never rests is waited for ten times that. */
  readonly restSeconds: number;
  /** After how long without a sign of life a worker is ended. */
  readonly silenceSeconds: number;
  /** After how long without getting on a worker is ended, beside the time that its embedder may take for an answer. */
  readonly stallSeconds: number;
};

/** The cluster of a source of kind `collection`. */
export type SourceCluster = {
  readonly peers: readonly PeerAddress[];
  readonly apiKey: { readonly name: string; readonly key: string } | undefined;
  readonly ca: { readonly name: string; readonly key: string } | undefined;
};

/** The ConfigMaps and Secrets that a job names, as they are now. */
export type Inputs = {
  /** Digest of the contents of the ConfigMaps; undefined without any, and while one of them is not there. */
  readonly digest: string | undefined;
  /** When the digest counts: until then more changes may come. Milliseconds since the epoch. */
  readonly settledAt: number;
  /** Digest of the versions of the Secrets; undefined without any. */
  readonly secrets: string | undefined;
};

/** Everything that a pass decides from, read before. */
export type World = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** With its defaults. */
  readonly job: VectorizationJob;
  readonly library: LibraryFacts | undefined;
  readonly target: TargetSight;
  readonly references: readonly Reference[];
  readonly inputs: Inputs;
  /** Since when this process has seen the worker without a break, milliseconds since the epoch. */
  readonly watchedSince: number;
  readonly sourceCluster: SourceCluster | undefined;
  readonly jobs: readonly WorkerJob[];
  readonly progress: VectorizeProgress | undefined;
  readonly settings: VectorizeSettings;
};
