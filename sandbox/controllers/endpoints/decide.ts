import { type EndpointSlice, ownerReference, type Pod, type Service } from '../../../src/kube/index.ts';
import { isFinished, isReady, isTerminating } from '../pod-facts.ts';
import { revisionHash } from '../revision.ts';
import { matchesMap } from '../selector.ts';

export const SERVICE_LABEL = 'kubernetes.io/service-name';
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
export const MANAGER = 'endpointslice-controller.k8s.io';

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];
type Port = NonNullable<EndpointSlice['ports']>[number];
type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number];

/** The number of a service port on a pod; undefined when the pod has no port of that name. */
function targetPort({ port, targetPort: target = port }: ServicePort, pod: Pod): number | undefined {
  if (typeof target === 'number') return target;
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return ports.find(({ name }) => name === target)?.containerPort;
}

function portsOn(service: Service, pod: Pod): Port[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    const protocol = port.protocol ?? 'TCP';
    const appProtocol = port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol };
    return [{ name: port.name ?? '', port: number, protocol, ...appProtocol }];
  });
}

function endpointOf(service: Service, pod: Pod): Endpoint {
  const { name, namespace = '', uid = '' } = pod.metadata;
  const { hostname, subdomain, nodeName } = pod.spec ?? {};
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready, serving, terminating },
    ...(hostname !== undefined && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

/** The pods that a service's slices name: those with an address that have not ended. */
export function endpointPods(service: Service, pods: readonly Pod[]): Pod[] {
  return pods
    .filter((pod) => matchesMap(service.spec?.selector, pod.metadata.labels))
    .filter((pod) => (pod.status?.podIP ?? '') !== '' && !isFinished(pod))
    .toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
}

/**
 * The slices a service should have: one for each set of port numbers its pods resolve to, an empty one without pods.
 *
 * Source: kube-controller-manager `endpointslice`, `podToEndpoint`.
 *
 * @returns undefined for a service whose endpoints are not ours: without selector, or ExternalName
 */
export function slicesOf(service: Service, pods: readonly Pod[]): EndpointSlice[] | undefined {
  const { selector, type } = service.spec ?? {};
  if (selector === undefined || type === 'ExternalName') return undefined;
  const groups = new Map<string, { ports: Port[]; endpoints: Endpoint[] }>();
  for (const pod of endpointPods(service, pods)) {
    const ports = portsOn(service, pod);
    const key = revisionHash(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointOf(service, pod));
    groups.set(key, group);
  }
  if (groups.size === 0) groups.set('none', { ports: [], endpoints: [] });
  return [...groups].map(([key, { ports, endpoints }]) => sliceObject(service, key, { ports, endpoints }));
}

function sliceObject(
  service: Service,
  key: string,
  content: Pick<EndpointSlice, 'ports' | 'endpoints'>,
): EndpointSlice {
  const { name, namespace = '', labels } = service.metadata;
  const headless = service.spec?.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {};
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${key.slice(0, 5)}`,
      namespace,
      labels: { ...labels, ...headless, [SERVICE_LABEL]: name, [MANAGED_BY_LABEL]: MANAGER },
      ownerReferences: [ownerReference(service)],
    },
    addressType: 'IPv4',
    ...content,
  };
}
