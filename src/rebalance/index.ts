export { refusedStart, START_PREDICATES, type StartSubject } from './execution.ts';
export { type Backtest, backtest } from './forecast/backtest.ts';
export { type Crossing, crossing, type Forecast, forecast, type MethodName } from './forecast/forecast.ts';
export { GATE_PREDICATES, type GateSubject, refusedByGate } from './gate.ts';
export { type ClusterImbalance, FLOORS, hottest, imbalance, type LoadedCluster } from './imbalance.ts';
export { type LifecycleFacts, type LifecycleReason, type Next, next, TRANSITIONS } from './lifecycle.ts';
export { type Capacity, DIMENSIONS, type Dimension, type Load } from './load.ts';
export { type Counters, type PeerCounters, peerCounters } from './observe/counters.ts';
export { quantile } from './observe/histogram.ts';
export { clusterRates, type Interval, interval, type PeerSample, type Rates } from './observe/rates.ts';
export {
  COARSE,
  completeness,
  decodeRing,
  type EncodedRing,
  emptyRing,
  encodeRing,
  FINE,
  lastValues,
  percentile,
  push,
  type Ring,
} from './observe/ring.ts';
export { type PeerStorage, peerStorage, type Stored } from './observe/telemetry.ts';
export { LIBRARY_PREDICATES, TARGET_PREDICATES } from './plan/constraints.ts';
export { type PlanDocument, PlanError, planDigest, planDocument, readPlan, writePlan } from './plan/document.ts';
export { drift } from './plan/drift.ts';
export { makePlan, type Plan, type PlannedMove, type PlanOptions } from './plan/plan.ts';
export type { LastMove, Move, PlanCluster, PlanLibrary, Problem } from './plan/problem.ts';
export { boundsOf, callingLoad, horizonSeconds, placingLoad, thresholdsOf, windowSeconds } from './settings.ts';
export { type Alarm, closesAt, type Observed, type Thresholds, trigger } from './trigger.ts';
export { answer, PLAN_STATES, type PlanFacts, type PlanState, parseVerb, VERB_TABLE, type Verb } from './verbs.ts';
export { type Window, type WindowState, windowState } from './windows.ts';
export { escalation, type Worth, worth } from './worth.ts';
