import { type KubeClient, type ObjectKey, PODS } from '../../src/kube/index.ts';
import type { Capabilities } from '../ground.ts';

/** Makes embedded Qdrant peers slow or wrong, where this process reaches pods by their addresses. */
export function qdrantFaults(admin: KubeClient): Pick<Capabilities, 'strikeQdrant' | 'healQdrant'> {
  const call = async (pod: ObjectKey, request: { readonly method: string; readonly body?: string }): Promise<void> => {
    const { status } = await admin.get(PODS, pod);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`http://${status?.podIP}:6333/__faults`, { headers, ...request });
    if (!answer.ok) throw new Error(`${pod.name} takes no fault: ${answer.status} ${await answer.text()}`);
  };
  return {
    strikeQdrant: (pod, fault) => call(pod, { method: 'POST', body: JSON.stringify(fault) }),
    healQdrant: (pod) => call(pod, { method: 'DELETE' }),
  };
}

/** What the pods of the operator's namespace answer at /metrics. */
export async function metricsOfPods(admin: KubeClient, namespace: string): Promise<string> {
  const pods = await admin.listAll(PODS, { namespace, labelSelector: 'app.kubernetes.io/component=operator' });
  const texts = await Promise.all(
    pods.map(async ({ status }) => (await fetch(`http://${status?.podIP}:8080/metrics`)).text()),
  );
  return texts.join('\n');
}
