import type { DomainLibrary, QdrantCluster } from '../api/index.ts';
import { DOMAIN_LIBRARY, QDRANT_CLUSTER } from '../api/index.ts';
import {
  type ConfigMap,
  type EventRecorder,
  type Informer,
  type KubeClient,
  type NetworkPolicy,
  type PersistentVolumeClaim,
  type Pod,
  type PodDisruptionBudget,
  resourceType,
  type Secret,
  type Service,
  type StatefulSet,
} from '../kube/index.ts';
import type { ClientPool } from '../qdrant/index.ts';
import type { Logger, Registry } from '../telemetry/index.ts';

export const QDRANT_CLUSTERS = resourceType<QdrantCluster>(QDRANT_CLUSTER);
export const DOMAIN_LIBRARIES = resourceType<DomainLibrary>(DOMAIN_LIBRARY);

/** Caches that the controller reads; started and stopped by the caller. Pods, claims and Secrets with all their labels. */
export type ClusterInformers = {
  readonly clusters: Informer<QdrantCluster>;
  readonly libraries: Informer<DomainLibrary>;
  readonly statefulSets: Informer<StatefulSet>;
  readonly pods: Informer<Pod>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly secrets: Informer<Secret>;
  readonly services: Informer<Service>;
  readonly configMaps: Informer<ConfigMap>;
  readonly podDisruptionBudgets: Informer<PodDisruptionBudget>;
  readonly networkPolicies: Informer<NetworkPolicy>;
};

export type ClusterSettings = {
  /** Seconds between two looks at a cluster at rest. */
  readonly resyncSeconds: number;
  /** Seconds between two looks while an operation runs. */
  readonly busySeconds: number;
  /** Seconds for which nothing may be unsettled before a peer is stopped. */
  readonly settleSeconds: number;
  /** Clusters worked on at once; 4 when not given. */
  readonly workers?: number;
};

export type ClusterDeps = {
  readonly kube: KubeClient;
  readonly informers: ClusterInformers;
  readonly pool: ClientPool;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly metrics: Registry;
  readonly log: Logger;
  readonly settings: ClusterSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly assertLeading?: () => void;
};
