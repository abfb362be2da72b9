import type { EndpointSlice, Service } from '../../src/kube/index.ts';
import { type NamedWorld, resolveClusterName } from './cluster-names.ts';

export type ListedWorld = NamedWorld & { readonly services: readonly Service[] };

const ZONES = ['svc', 'svc.cluster.local'];

/**
 * All cluster names as lines of a hosts file: for programs that ask the system's resolver and can't be given another.
 */
export function hostsLines(world: ListedWorld): string[] {
  const lines = world.services.flatMap((service) => {
    const { namespace = '', name } = service.metadata;
    const hostnames = hostnamesOf(world.slices(namespace, name));
    const names = [`${name}.${namespace}`, ...hostnames.map((hostname) => `${hostname}.${name}.${namespace}`)];
    return names.flatMap((short) => {
      const addresses = resolveClusterName(`${short}.svc`, world) ?? [];
      return addresses.map((address) => `${address} ${ZONES.map((zone) => `${short}.${zone}`).join(' ')}`);
    });
  });
  return lines.toSorted();
}

function hostnamesOf(slices: readonly EndpointSlice[]): string[] {
  const hostnames = slices.flatMap(({ endpoints }) => endpoints ?? []).flatMap(({ hostname }) => hostname ?? []);
  return [...new Set(hostnames)];
}
