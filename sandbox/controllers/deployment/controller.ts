import { randomBytes } from 'node:crypto';
import {
  Controller,
  DEPLOYMENTS,
  DONE,
  Expectations,
  isControlledBy,
  keyOf,
  type ObjectKey,
  type Outcome,
  PODS,
  toController,
  watching,
} from '../../../src/kube/index.ts';
import type { ControllerParts, Startable } from '../context.ts';
import { writeStatus } from '../write-status.ts';
import { decide, podObject, statusOf } from './decide.ts';

/** Makes the pods of Deployments, without ReplicaSets between, and their status. */
export function deploymentController({ client, informers, log, now }: ControllerParts): Startable {
  const deployments = informers.of(DEPLOYMENTS);
  const pods = informers.of(PODS);
  const expectations = new Expectations({ log, timeoutSeconds: 10 });
  return new Controller({
    name: 'deployment',
    primary: deployments,
    watches: [watching({ informer: pods, map: (pod) => toController(DEPLOYMENTS)(pod) })],
    backoffFloorSeconds: 0.1,
    log,
    reconcile,
  });

  async function reconcile(key: ObjectKey): Promise<Outcome> {
    const deployment = deployments.store.get(key);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return DONE;
    if (expectations.pending(key).length > 0) {
      return { kind: 'wait', seconds: 0.2, reason: 'CacheBehind', message: 'own writes not seen yet' };
    }
    const owned = pods.store.list(key.namespace).filter((pod) => isControlledBy(pod, deployment));
    const view = { deployment, pods: owned, now: now() };
    for (const step of decide(view)) {
      if (step.kind === 'deletePod') {
        await client.delete(PODS, keyOf(step.pod), { uid: step.pod.metadata.uid ?? '' });
        continue;
      }
      for (let count = 0; count < step.count; count += 1) {
        const created = await client.create(PODS, podObject(deployment, randomBytes(3).toString('hex').slice(0, 5)));
        expectations.wrote(key, pods, created);
      }
    }
    const status = statusOf(view);
    await writeStatus(client, DEPLOYMENTS, { object: deployment, status });
    const settling = (status.availableReplicas ?? 0) < (status.readyReplicas ?? 0);
    return settling ? { kind: 'wait', seconds: 1, reason: 'MinReadySeconds', message: 'pods settle' } : DONE;
  }
}
