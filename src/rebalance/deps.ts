import {
  DOMAIN_LIBRARY,
  type DomainLibrary,
  QDRANT_CLUSTER,
  type QdrantCluster,
  REBALANCE_POLICY,
  type RebalancePolicy,
} from '../api/index.ts';
import {
  type ConfigMap,
  type EventRecorder,
  type Informer,
  type KubeClient,
  resourceType,
  type Secret,
} from '../kube/index.ts';
import type { ClientPool } from '../qdrant/index.ts';
import type { Logger, Registry } from '../telemetry/index.ts';

export const REBALANCE_POLICIES = resourceType<RebalancePolicy>(REBALANCE_POLICY);
export const DOMAIN_LIBRARIES = resourceType<DomainLibrary>(DOMAIN_LIBRARY);
export const QDRANT_CLUSTERS = resourceType<QdrantCluster>(QDRANT_CLUSTER);

/** Caches that the controller reads; started and stopped by the caller. */
export type RebalanceInformers = {
  readonly policies: Informer<RebalancePolicy>;
  readonly clusters: Informer<QdrantCluster>;
  readonly libraries: Informer<DomainLibrary>;
  readonly secrets: Informer<Secret>;
  readonly configMaps: Informer<ConfigMap>;
};

export type RebalanceSettings = {
  /** Seconds between two looks while a plan is executed. */
  readonly busySeconds: number;
  /** Policies worked on at once; 2 when not given. */
  readonly workers?: number;
};

export type RebalanceDeps = {
  readonly kube: KubeClient;
  readonly informers: RebalanceInformers;
  readonly pool: ClientPool;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly metrics: Registry;
  readonly log: Logger;
  readonly settings: RebalanceSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly assertLeading?: () => void;
};
