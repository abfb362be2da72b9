import type { DomainLibrary, QdrantCluster, RebalancePolicy } from '../api/index.ts';
import type { Execution, Kept } from './kept.ts';
import type { Capacity } from './load.ts';
import type { ClusterHistory, Demand } from './observe/history.ts';
import type { Observation } from './observe/look.ts';
import type { Prediction } from './outlook.ts';
import type { PlanDocument } from './plan/document.ts';
import type { Plan } from './plan/plan.ts';
import type { Problem } from './plan/problem.ts';
import type { Claim } from './selection.ts';

/** A cluster that the policy selects. */
export type ClusterFacts = {
  readonly name: string;
  readonly object: QdrantCluster;
  readonly ready: boolean;
  /** Of the last look; undefined: there was none yet. */
  readonly seen: Observation | undefined;
  /** Why it can't be looked at. */
  readonly unknown: string | undefined;
  readonly capacity: Capacity | undefined;
  readonly version: string | undefined;
  readonly history: ClusterHistory;
};

export type LibraryFacts = {
  readonly name: string;
  readonly object: DomainLibrary;
  readonly demand: Demand;
  /** Collections that are optimised were so at each of the last looks. */
  readonly busy: boolean;
};

/** A plan as its ConfigMap has it. */
export type KeptPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'plan'; readonly document: PlanDocument }
  /** It is there, and nobody may execute it. */
  | { readonly kind: 'broken'; readonly message: string };

/** A plan that was made in this pass. */
export type Made = { readonly problem: Problem; readonly plan: Plan };

/** All that a pass over a policy knows. */
export type World = {
  readonly now: number;
  /** With defaults. */
  readonly policy: RebalancePolicy;
  readonly invalid: readonly string[];
  readonly clusters: readonly ClusterFacts[];
  /** Libraries that the policy chooses. */
  readonly libraries: readonly LibraryFacts[];
  readonly claimed: readonly Claim[];
  /** Of other people: ConfigMaps that bear our names. */
  readonly taken: readonly string[];
  readonly kept: Kept;
  readonly plan: KeptPlan;
  readonly execution: Execution | undefined;
  /** What is foreseen, by the last forecast; undefined: none was made yet. */
  readonly outlook: readonly Prediction[] | undefined;
  readonly made?: Made;
};
