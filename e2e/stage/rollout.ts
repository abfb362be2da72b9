import { setTimeout as sleep } from 'node:timers/promises';
import { DEPLOYMENTS, type KubeClient, type ObjectKey, PODS } from '../../src/kube/index.ts';
import { isReady, OPERATOR_PODS } from './operator.ts';
import { PATIENCE_SECONDS } from './patience.ts';

/** Until all pods of the operator in the Deployment's namespace are ready pods of its newest form. */
export async function rolledOut(client: KubeClient, key: ObjectKey): Promise<void> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const { metadata, spec, status } = await client.get(DEPLOYMENTS, key);
    const pods = await client.listAll(PODS, { namespace: key.namespace, labelSelector: OPERATOR_PODS });
    const newest = status?.observedGeneration === metadata.generation && status?.updatedReplicas === spec?.replicas;
    if (newest && pods.length === spec?.replicas && pods.every(isReady)) return;
    if (performance.now() > deadline) {
      const states = pods.map((pod) => `${pod.metadata.name}: ${JSON.stringify(pod.status?.containerStatuses)}`);
      throw new Error(`${key.name} does not come up: ${states.join('; ') || JSON.stringify(status?.conditions)}`);
    }
    await sleep(200);
  }
}
