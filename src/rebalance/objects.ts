import type { RebalancePolicy } from '../api/index.ts';
import { type ConfigMap, ownerReference } from '../kube/index.ts';
import type { Execution, Kept } from './kept.ts';
import { loadName, planName, policyLabels } from './names.ts';
import { encodeHistory, type KeptHistory } from './observe/history.ts';
import { type PlanDocument, writePlan } from './plan/document.ts';
import { planText } from './report/plan-text.ts';

export const PLAN_KEY = 'plan.json';
export const PLAN_TEXT_KEY = 'plan.txt';
export const EXECUTION_KEY = 'execution.json';
export const KEPT_KEY = 'kept.json';
export const HISTORY_KEY = 'load.json';
export const CLUSTER_KEY = 'cluster';

export type Records = {
  readonly document: PlanDocument | undefined;
  readonly execution: Execution | undefined;
  readonly kept: Kept;
};

const configMap = (policy: RebalancePolicy, name: string, data: Readonly<Record<string, string>>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name,
    namespace: policy.metadata.namespace ?? '',
    labels: policyLabels(policy.metadata.name),
    ownerReferences: [ownerReference(policy)],
  },
  data: { ...data },
});

/**
 * The plan, what became of its moves, and what a policy must not forget.
 *
 * @throws PlanError `TooLarge`
 */
export const planMap = (policy: RebalancePolicy, { document, execution, kept }: Records): ConfigMap =>
  configMap(policy, planName(policy.metadata.name), {
    ...(document === undefined ? {} : { [PLAN_KEY]: writePlan(document), [PLAN_TEXT_KEY]: planText(document) }),
    ...(execution === undefined ? {} : { [EXECUTION_KEY]: JSON.stringify(execution) }),
    [KEPT_KEY]: JSON.stringify(kept),
  });

/** What is known of the load of one cluster. */
export const loadMap = (policy: RebalancePolicy, cluster: string, kept: KeptHistory): ConfigMap =>
  configMap(policy, loadName(policy.metadata.name, cluster), {
    [CLUSTER_KEY]: cluster,
    [HISTORY_KEY]: encodeHistory(kept),
  });
