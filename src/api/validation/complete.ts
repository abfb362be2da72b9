import { type AnyLibrarianObject, kindNamed } from '../kinds.ts';
import type { QdrantCluster } from '../qdrant-cluster/index.ts';
import type { QdrantClusterSpec } from '../qdrant-cluster/spec.ts';
import { applySchemaDefaults } from './defaults.ts';

/** Parts of a managed cluster that exist even where the manifest is silent about them. */
const MANAGED_PARTS = [
  'image',
  'persistence',
  'snapshotPersistence',
  'service',
  'podDisruptionBudget',
  'networkPolicy',
] as const;

type Complete<Part> = Part extends object ? { [Key in keyof Part]: Part[Key] } : Part;

/** The spec of a cluster that the operator runs, every default filled in. */
export type ManagedClusterSpec = QdrantClusterSpec & {
  version: string;
  size: number;
  apiKey: NonNullable<QdrantClusterSpec['apiKey']>;
  readOnlyApiKey: NonNullable<QdrantClusterSpec['readOnlyApiKey']>;
  image: Complete<NonNullable<QdrantClusterSpec['image']>> & { repository: string; pullPolicy: string };
  persistence: NonNullable<QdrantClusterSpec['persistence']> & { size: string };
  snapshotPersistence: NonNullable<QdrantClusterSpec['snapshotPersistence']> & { enabled: boolean; size: string };
  service: NonNullable<QdrantClusterSpec['service']> & { type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' };
  podDisruptionBudget: { enabled: boolean; maxUnavailable: number };
  networkPolicy: NonNullable<QdrantClusterSpec['networkPolicy']> & { enabled: boolean };
  deletionPolicy: 'Retain' | 'Delete';
};

function completeCluster(cluster: QdrantCluster): QdrantCluster {
  if (cluster.spec.external !== undefined) return cluster;
  const parts = Object.fromEntries(MANAGED_PARTS.map((part) => [part, cluster.spec[part] ?? {}]));
  const generated = { apiKey: { generate: true }, readOnlyApiKey: { generate: true } };
  return { ...cluster, spec: { ...generated, ...cluster.spec, ...parts } };
}

/**
 * A copy with every default filled in: those of the CRD, and for a managed cluster those of the parts that a manifest
 * may leave out (the CRD can't default them, because an external cluster must not have them).
 * What a library takes from its profile is not filled in here.
 */
export function applyDefaults<Object extends AnyLibrarianObject>(object: Object): Object;
export function applyDefaults(object: AnyLibrarianObject): AnyLibrarianObject {
  const schema = kindNamed(object.kind)?.schema ?? {};
  return applySchemaDefaults(schema, object.kind === 'QdrantCluster' ? completeCluster(object) : object);
}

const isManaged = (spec: QdrantClusterSpec): spec is ManagedClusterSpec =>
  spec.external === undefined && spec.version !== undefined && spec.size !== undefined;

/** The completed spec of a cluster that the operator runs; undefined where it is external, or lacks version or size. */
export function managedSpec(cluster: QdrantCluster): ManagedClusterSpec | undefined {
  const { spec } = applyDefaults(cluster);
  return isManaged(spec) ? spec : undefined;
}
