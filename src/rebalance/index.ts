export { rebalanceController } from './controller.ts';
export {
  DOMAIN_LIBRARIES,
  QDRANT_CLUSTERS,
  REBALANCE_POLICIES,
  type RebalanceDeps,
  type RebalanceInformers,
} from './deps.ts';
export { START_PREDICATES } from './execution.ts';
export { GATE_PREDICATES } from './gate.ts';
export { LIBRARY_PREDICATES, TARGET_PREDICATES } from './plan/constraints.ts';
export { REBALANCE_RULES } from './rbac.ts';
export { REASONS, type Reason } from './reasons.ts';
