import {
  Controller,
  controllerOf,
  DEPLOYMENTS,
  DONE,
  keyOf,
  type ObjectKey,
  type Outcome,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type Pod,
  STATEFUL_SETS,
  watching,
} from '../../../src/kube/index.ts';
import type { ControllerParts, Startable } from '../context.ts';
import { matches } from '../selector.ts';
import { writeStatus } from '../write-status.ts';
import { againIn, statusOf } from './decide.ts';

/** Keeps the status of PodDisruptionBudgets, by which the API server allows or refuses evictions. */
export function disruptionController({ client, informers, log, now }: ControllerParts): Startable {
  const budgets = informers.of(POD_DISRUPTION_BUDGETS);
  const pods = informers.of(PODS);
  const sets = informers.of(STATEFUL_SETS);
  const deployments = informers.of(DEPLOYMENTS);
  const budgetsOf = (pod: Pod): ObjectKey[] =>
    budgets.store
      .list(pod.metadata.namespace)
      .filter(({ spec }) => matches(spec?.selector, pod.metadata.labels))
      .map(keyOf);
  const budgetsBeside = (namespace: string | undefined): ObjectKey[] => budgets.store.list(namespace).map(keyOf);
  return new Controller({
    name: 'disruption',
    primary: budgets,
    watches: [
      watching({ informer: pods, map: budgetsOf }),
      watching({ informer: sets, map: ({ metadata }) => budgetsBeside(metadata.namespace) }),
      watching({ informer: deployments, map: ({ metadata }) => budgetsBeside(metadata.namespace) }),
    ],
    backoffFloorSeconds: 0.05,
    log,
    reconcile,
  });

  async function reconcile(key: ObjectKey): Promise<Outcome> {
    const budget = budgets.store.get(key);
    if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return DONE;
    const selected = pods.store
      .list(key.namespace)
      .filter((pod) => matches(budget.spec?.selector, pod.metadata.labels));
    const view = { budget, pods: selected, wantedByOwners: wantedByOwners(selected), now: now() };
    const status = statusOf(view);
    await writeStatus(client, POD_DISRUPTION_BUDGETS, { object: budget, status });
    const milliseconds = againIn(status, now());
    if (milliseconds === undefined) return DONE;
    return {
      kind: 'wait',
      seconds: milliseconds / 1000,
      reason: 'EvictionPending',
      message: 'an eviction has not shown yet',
    };
  }

  function wantedByOwners(selected: readonly Pod[]): number | undefined {
    const owners = new Map<string, number | undefined>();
    for (const pod of selected) {
      const owner = controllerOf(pod);
      if (owner === undefined) return undefined;
      const key = { namespace: pod.metadata.namespace ?? '', name: owner.name };
      const known = owner.kind === 'StatefulSet' ? sets.store.get(key) : deployments.store.get(key);
      owners.set(owner.uid, known?.metadata.uid === owner.uid ? (known.spec?.replicas ?? 1) : undefined);
    }
    const counts = [...owners.values()];
    if (counts.some((count) => count === undefined)) return undefined;
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  }
}
