export { clusterController } from './controller.ts';
export {
  type ClusterDeps,
  type ClusterInformers,
  type ClusterSettings,
  DOMAIN_LIBRARIES,
  QDRANT_CLUSTERS,
} from './deps.ts';
export { ALL_PREDICATES, PREDICATES, type Predicate } from './predicates.ts';
export { CLUSTER_RULES } from './rbac.ts';
export { REASONS, type Reason } from './reasons.ts';
