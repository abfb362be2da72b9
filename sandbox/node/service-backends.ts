import type { EndpointSlice, Service } from '../../src/kube/index.ts';
import { type Endpoint, isReadyEndpoint } from './cluster-names.ts';

/** One port of a service, and where its connections may go now. */
export type ServicePort = { readonly port: number; readonly backends: readonly Backend[] };
export type Backend = { readonly address: string; readonly port: number };

/** A terminating pod takes connections only while no other one does. Source: KEP-1669, ProxyTerminatingEndpoints. */
function usable(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter(isReadyEndpoint);
  if (ready.length > 0) return ready;
  return endpoints.filter(({ conditions }) => conditions?.serving === true && conditions.terminating === true);
}

/** The TCP ports of a service with their ready endpoints. */
export function servicePorts(service: Service, slices: readonly EndpointSlice[]): ServicePort[] {
  const tcp = (service.spec?.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return tcp.map(({ name = '', port }) => {
    const candidates = slices.flatMap((slice) => {
      const target = slice.ports?.find((candidate) => (candidate.name ?? '') === name)?.port;
      return target === undefined ? [] : (slice.endpoints ?? []).map((endpoint) => ({ ...endpoint, target }));
    });
    const chosen = new Set(usable(candidates));
    const backends = candidates
      .filter((candidate) => chosen.has(candidate))
      .flatMap(({ addresses, target }) => addresses.map((address) => ({ address, port: target })));
    return { port, backends };
  });
}
