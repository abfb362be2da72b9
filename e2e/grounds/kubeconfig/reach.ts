import { installClusterDns } from '../../../sandbox/node/cluster-dns-client.ts';
import { ENDPOINT_SLICES, type KubeClient, type ObjectKey, PODS, type Pod } from '../../../src/kube/index.ts';
import { Forwarder } from './forwarder.ts';

const PATIENCE_MILLISECONDS = 2000;

/** How this process gets to pods, by the names and ports that they have inside. */
export type Reach = {
  /** An address of this machine or of the cluster's network at which the pod's ports are. */
  address(pod: Pod): Promise<string>;
  close(): Promise<void>;
};

/** By their own addresses where the machine is in the cluster's network, else through the API server. */
export async function reachPods(admin: KubeClient, sample: Pod, kubeconfigFile: string): Promise<Reach> {
  const direct = await answers(sample.status?.podIP ?? '');
  const forwarder = new Forwarder(kubeconfigFile);
  const address = async (pod: Pod): Promise<string> =>
    direct
      ? (pod.status?.podIP ?? '')
      : forwarder.address({ namespace: pod.metadata.namespace ?? '', name: pod.metadata.name });
  const uninstall = installClusterDns(async (name) => {
    const pods = await podsOf(admin, name);
    return Promise.all(pods.map(address));
  });
  return {
    address,
    async close() {
      uninstall();
      await forwarder.close();
    },
  };
}

/**
 * Whether the operator itself answers there. That a connection comes about tells nothing: there are networks in which a
 * proxy takes those to any address.
 */
export async function answers(host: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    const answer = await fetch(`http://${host}:8080/metrics`, { signal });
    return answer.ok && (await answer.text()).includes('qdrant_librarian_');
  } catch {
    return false;
  }
}

/** The pods behind `pod.service.namespace.svc` or `service.namespace.svc`; of the latter those that are ready. */
async function podsOf(admin: KubeClient, name: string): Promise<Pod[]> {
  const labels = name.replace(/\.cluster\.local$/, '').split('.');
  const [namespace, service, hostname] = labels.slice(0, -1).toReversed();
  if (namespace === undefined || service === undefined) return [];
  const keys: ObjectKey[] =
    hostname === undefined ? await backends(admin, namespace, service) : [{ namespace, name: hostname }];
  const found = await Promise.all(keys.map((key) => admin.find(PODS, key)));
  return found.filter((pod) => pod !== undefined).filter(({ status }) => (status?.podIP ?? '') !== '');
}

async function backends(admin: KubeClient, namespace: string, service: string): Promise<ObjectKey[]> {
  const labelSelector = `kubernetes.io/service-name=${service}`;
  const slices = await admin.listAll(ENDPOINT_SLICES, { namespace, labelSelector });
  return slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ targetRef }) => (targetRef?.name === undefined ? [] : [{ namespace, name: targetRef.name }]));
}
