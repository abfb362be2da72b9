import {
  DOMAIN_LIBRARY,
  type DomainLibrary,
  QDRANT_CLUSTER,
  type QdrantCluster,
  type RebalancePolicy,
} from '../api/index.ts';
import {
  type ConfigMap,
  type EventRecorder,
  type Informer,
  type Job,
  type KubeClient,
  resourceType,
  type Secret,
} from '../kube/index.ts';
import type { ClientPool } from '../qdrant/index.ts';
import type { Logger, Registry } from '../telemetry/index.ts';
import type { LibrarySettings } from './world.ts';

export const DOMAIN_LIBRARIES = resourceType<DomainLibrary>(DOMAIN_LIBRARY);
export const QDRANT_CLUSTERS = resourceType<QdrantCluster>(QDRANT_CLUSTER);

/** Caches that the controller reads; started and stopped by the caller. */
export type LibraryInformers = {
  readonly libraries: Informer<DomainLibrary>;
  readonly clusters: Informer<QdrantCluster>;
  /** What they say of the moves that they order. */
  readonly policies: Pick<Informer<RebalancePolicy>, 'store'>;
  readonly secrets: Informer<Secret>;
  readonly jobs: Informer<Job>;
  readonly configMaps: Informer<ConfigMap>;
};

/** What must be given; the rest has defaults, see `completeSettings`. */
export type LibraryControllerSettings = Pick<LibrarySettings, 'resyncSeconds' | 'busySeconds' | 'workerImage'> &
  Partial<LibrarySettings> & {
    /** Libraries worked on at once; 4 when not given. */
    readonly workers?: number;
  };

export type LibraryDeps = {
  readonly kube: KubeClient;
  readonly informers: LibraryInformers;
  readonly pool: ClientPool;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly metrics: Registry;
  readonly log: Logger;
  readonly settings: LibraryControllerSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly assertLeading?: () => void;
};

export const completeSettings = (given: LibraryControllerSettings): LibrarySettings => ({
  maxFreezeSeconds: 20,
  greenSeconds: 2,
  retireSeconds: 300,
  copyAttempts: 10,
  workerPullSecrets: [],
  workerEnvironment: {},
  ...given,
});
