import type { EndpointSlice, Service } from '../../src/kube/index.ts';

/** What names are made of. */
export type NamedWorld = {
  service(namespace: string, name: string): Service | undefined;
  /** The slices of a service. */
  slices(namespace: string, service: string): readonly EndpointSlice[];
  /** Where connections to a service that has a cluster address are taken. */
  serviceAddress(namespace: string, name: string): string | undefined;
};

export type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

/** `ready` unset means ready. Source: `discovery.k8s.io/v1` EndpointConditions. */
export const isReadyEndpoint = (endpoint: Endpoint): boolean => endpoint.conditions?.ready ?? true;

/**
 * The IPv4 addresses of a cluster name: `service.namespace.svc`, `pod.service.namespace.svc`, each also with
 * `.cluster.local`. Not-ready pods have no name, unless their service publishes them.
 *
 * Source: Kubernetes DNS-based service discovery 1.1.0.
 *
 * @returns undefined when there is no such name
 */
export function resolveClusterName(name: string, world: NamedWorld): readonly string[] | undefined {
  const [zone, namespace, serviceName, hostname, ...rest] = labelsOf(name);
  if (zone !== 'svc' || namespace === undefined || serviceName === undefined || rest.length > 0) return undefined;
  const service = world.service(namespace, serviceName);
  if (service === undefined) return undefined;
  const headless = service.spec?.clusterIP === 'None';
  if (!headless && hostname === undefined) {
    const address = world.serviceAddress(namespace, serviceName);
    return address === undefined ? undefined : [address];
  }
  const endpoints = world.slices(namespace, serviceName).flatMap((slice) => slice.endpoints ?? []);
  const named = endpoints
    .filter(isReadyEndpoint)
    .filter((endpoint) => hostname === undefined || endpoint.hostname === hostname);
  const addresses = [...new Set(named.flatMap((endpoint) => endpoint.addresses))];
  return addresses.length === 0 ? undefined : addresses;
}

/** The labels from the zone on: `pod.service.namespace.svc` gives svc, namespace, service, pod. */
function labelsOf(name: string): string[] {
  return name
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/\.cluster\.local$/, '')
    .split('.')
    .toReversed();
}
