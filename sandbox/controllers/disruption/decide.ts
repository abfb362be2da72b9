import type { Pod, PodDisruptionBudget } from '../../../src/kube/index.ts';
import { isFinished, isReady, isTerminating } from '../pod-facts.ts';

/** A budget, the pods it selects, and how many their owners want, as they are at `now` (milliseconds since the epoch). */
export type BudgetView = {
  readonly budget: PodDisruptionBudget;
  readonly pods: readonly Pod[];
  /** The sum of `replicas` of the owners of the pods; undefined when an owner has none that is known. */
  readonly wantedByOwners: number | undefined;
  readonly now: number;
};

export type BudgetStatus = NonNullable<PodDisruptionBudget['status']>;

/** An eviction that was allowed and has not shown within this time did not happen. Source: `DeletionTimeout`. */
const EVICTION_MILLISECONDS = 120_000;

/** A number, or a percentage of `total` rounded up. */
export function scaled(value: number | string, total: number): number {
  if (typeof value === 'number') return value;
  return value.endsWith('%') ? Math.ceil((Number.parseFloat(value) * total) / 100) : Number(value);
}

function expectations({ budget, pods, wantedByOwners }: BudgetView): { expected: number; desired: number } {
  const { maxUnavailable, minAvailable } = budget.spec ?? {};
  const selected = pods.filter((pod) => !isFinished(pod)).length;
  if (maxUnavailable !== undefined) {
    const expected = wantedByOwners ?? selected;
    return { expected, desired: Math.max(expected - scaled(maxUnavailable as number | string, expected), 0) };
  }
  if (minAvailable === undefined) return { expected: selected, desired: 0 };
  const percent = typeof minAvailable === 'string';
  const expected = percent ? (wantedByOwners ?? selected) : selected;
  return { expected, desired: scaled(minAvailable as number | string, expected) };
}

/** Evictions that were allowed and are not visible in their pods yet. */
function pendingEvictions({ budget, pods, now }: BudgetView): Record<string, string> {
  const entries = Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, time]) => {
    const pod = pods.find(({ metadata }) => metadata.name === name);
    if (pod === undefined || isTerminating(pod)) return false;
    // A successor of the same name, as a StatefulSet makes, was not evicted.
    const allowedAt = Date.parse(time);
    const createdAt = Date.parse(pod.metadata.creationTimestamp ?? '');
    return !(createdAt >= allowedAt) && now - allowedAt < EVICTION_MILLISECONDS;
  });
  return Object.fromEntries(entries);
}

/** The status of a budget. Source: kube-controller-manager `disruption`, `updatePdbStatus`. */
export function statusOf(view: BudgetView): BudgetStatus {
  const { budget, pods, now } = view;
  const { expected, desired } = expectations(view);
  const disruptedPods = pendingEvictions(view);
  const healthy = pods.filter(
    (pod) => isReady(pod) && !isTerminating(pod) && !(pod.metadata.name in disruptedPods),
  ).length;
  const allowed = expected === 0 ? 0 : Math.max(healthy - desired, 0);
  const status = allowed > 0 ? 'True' : 'False';
  const reason = allowed > 0 ? 'SufficientPods' : 'InsufficientPods';
  const before = budget.status?.conditions?.find(({ type }) => type === 'DisruptionAllowed');
  const moment = new Date(now).toISOString();
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : moment;
  const observedGeneration = budget.metadata.generation ?? 0;
  const condition = { type: 'DisruptionAllowed', status, reason, message: '', observedGeneration, lastTransitionTime };
  return {
    observedGeneration,
    expectedPods: expected,
    desiredHealthy: desired,
    currentHealthy: healthy,
    disruptionsAllowed: allowed,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    conditions: [condition],
  };
}

/** When an allowed eviction that did not show is forgotten, in milliseconds from now; undefined without any. */
export function againIn({ disruptedPods }: BudgetStatus, now: number): number | undefined {
  const times = Object.values(disruptedPods ?? {}).map((time) => Date.parse(time) + EVICTION_MILLISECONDS - now);
  return times.length === 0 ? undefined : Math.max(Math.min(...times), 1000);
}
