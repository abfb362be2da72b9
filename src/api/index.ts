export { crdManifests, crdYaml, customResourceDefinition } from './crd.ts';
export type {
  Hnsw,
  Optimizers,
  PayloadIndex,
  Quantization,
  Shards,
  SparseVector,
  StrictMode,
  Vector,
} from './domain-library/collection.ts';
export { DOMAIN_LIBRARY, type DomainLibrary } from './domain-library/index.ts';
export { publicName } from './domain-library/public-name.ts';
export type {
  DomainLibrarySpec,
  LibraryProfile,
  Placement,
  SnapshotDestination,
} from './domain-library/spec.ts';
export type {
  ComparingStatus,
  ComparisonStatus,
  DomainLibraryStatus,
  GenerationChange,
  GenerationStatus,
  SnapshotStatus,
} from './domain-library/status.ts';
export { ApiError } from './error.ts';
export { type AnyLibrarianObject, KINDS, type Kind, kindNamed } from './kinds.ts';
export { ManifestError, type ManifestObject, readManifest } from './manifest/read.ts';
export { ANNOTATIONS, clusterLabels, FIELD_MANAGERS, FINALIZER } from './names.ts';
export {
  API_VERSION,
  GROUP,
  type KindDescriptor,
  type LibrarianObject,
  type ObjectMeta,
  type OwnerReference,
  PREFIX,
  type PrinterColumn,
  type ScaleSubresource,
  VERSION,
} from './object.ts';
export { disabledPredicates, isDisabled, overruled, overruledEvent } from './predicates-off.ts';
export { QDRANT_CLUSTER, type QdrantCluster } from './qdrant-cluster/index.ts';
export type { ApiKeySource, ExternalCluster, QdrantClusterSpec } from './qdrant-cluster/spec.ts';
export type { ClusterOperation, PeerStatus, QdrantClusterStatus } from './qdrant-cluster/status.ts';
export { REBALANCE_POLICY, type RebalancePolicy } from './rebalance-policy/index.ts';
export type { RebalancePolicySpec } from './rebalance-policy/spec.ts';
export type { RebalancePolicyStatus } from './rebalance-policy/status.ts';
export type { Blocker, Condition } from './schema/shapes.ts';
export type { CelRule, JsonValue, StructuralSchema } from './schema/types.ts';
export { applyDefaults, type ManagedClusterSpec, managedSpec } from './validation/complete.ts';
export { applySchemaDefaults } from './validation/defaults.ts';
export { isRecord } from './validation/json.ts';
export { isQuantity, parseQuantity } from './validation/quantity.ts';
export { evaluateRules, type RuleViolation } from './validation/rules.ts';
export { validateStructural } from './validation/structural.ts';
export { pruneUnknown } from './validation/unknown-fields.ts';
export { validate } from './validation/validate.ts';
export type { Violation } from './validation/violation.ts';
export { VECTORIZATION_JOB, type VectorizationJob } from './vectorization-job/index.ts';
export type { VectorizationJobSpec } from './vectorization-job/spec.ts';
export type {
  RunCause,
  VectorizationJobStatus,
  VectorizationProgress,
  VectorizationQuality,
  VectorizationRun,
} from './vectorization-job/status.ts';
