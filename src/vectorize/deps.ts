import {
  DOMAIN_LIBRARY,
  type DomainLibrary,
  QDRANT_CLUSTER,
  type QdrantCluster,
  VECTORIZATION_JOB,
  type VectorizationJob,
} from '../api/index.ts';
import {
  type ConfigMap,
  type EventRecorder,
  type Informer,
  type Job,
  type KubeClient,
  type PersistentVolumeClaim,
  type Pod,
  resourceType,
  type Secret,
} from '../kube/index.ts';
import type { ClientPool } from '../qdrant/index.ts';
import type { Logger, Registry } from '../telemetry/index.ts';
import type { VectorizeSettings } from './world.ts';

export const VECTORIZATION_JOBS = resourceType<VectorizationJob>(VECTORIZATION_JOB);
export const DOMAIN_LIBRARIES = resourceType<DomainLibrary>(DOMAIN_LIBRARY);
export const QDRANT_CLUSTERS = resourceType<QdrantCluster>(QDRANT_CLUSTER);

/** Caches that the controller reads; started and stopped by the caller. Of other people's objects names are enough. */
export type VectorizeInformers = {
  readonly vectorizationJobs: Informer<VectorizationJob>;
  readonly libraries: Informer<DomainLibrary>;
  readonly clusters: Informer<QdrantCluster>;
  readonly secrets: Informer<Secret>;
  readonly configMaps: Informer<ConfigMap>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly jobs: Informer<Job>;
  readonly pods: Informer<Pod>;
};

/** What must be given; the rest has defaults, see `completeSettings`. */
export type VectorizeControllerSettings = Pick<VectorizeSettings, 'resyncSeconds' | 'busySeconds' | 'workerImage'> &
  Partial<VectorizeSettings> & {
    /** Objects worked on at once; 4 when not given. */
    readonly workers?: number;
  };

export type VectorizeDeps = {
  readonly kube: KubeClient;
  readonly informers: VectorizeInformers;
  readonly pool: ClientPool;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly metrics: Registry;
  readonly log: Logger;
  readonly settings: VectorizeControllerSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly assertLeading?: () => void;
};

export const completeSettings = (given: VectorizeControllerSettings): VectorizeSettings => ({
  workerPullSecrets: [],
  workerEnvironment: {},
  patienceSeconds: 300,
  againSeconds: 5,
  mostAgainSeconds: 600,
  restSeconds: 3,
  silenceSeconds: 60,
  stallSeconds: 600,
  ...given,
});
