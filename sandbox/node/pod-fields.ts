import type { Pod } from '../../src/kube/index.ts';
import { quantity } from '../controllers/quantity.ts';
import type { Container } from './wire.ts';

/** Where a pod runs: what `status.podIP` and its like answer before the status was written. */
export type PodPlace = { readonly nodeName: string; readonly hostIP: string; readonly podIP: string };

const SUBSCRIPT = /^(metadata\.(?:labels|annotations))\['([^']+)'\]$/;

function listed(entries: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(entries ?? {})
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/**
 * The value of a downward API field; undefined for a path it doesn't know.
 *
 * Source: Kubernetes `fieldpath.ExtractFieldPathAsString` and kubelet `podFieldSelectorRuntimeValue`.
 */
export function podField(pod: Pod, path: string, place: PodPlace): string | undefined {
  const [, map, key = ''] = SUBSCRIPT.exec(path) ?? [];
  if (map === 'metadata.labels') return pod.metadata.labels?.[key] ?? '';
  if (map === 'metadata.annotations') return pod.metadata.annotations?.[key] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? '';
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'metadata.labels':
      return listed(pod.metadata.labels);
    case 'metadata.annotations':
      return listed(pod.metadata.annotations);
    case 'spec.nodeName':
      return place.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? 'default';
    case 'status.hostIP':
    case 'status.hostIPs':
      return place.hostIP;
    case 'status.podIP':
    case 'status.podIPs':
      return place.podIP;
    default:
      return undefined;
  }
}

/** A `resourceFieldRef` such as `limits.memory`, divided and rounded up; undefined when the container doesn't set it. */
export function resourceField(container: Container, resource: string, divisor = '1'): string | undefined {
  const [kind = '', name = ''] = resource.split(/\.(.*)/);
  const amounts = kind === 'limits' ? container.resources?.limits : container.resources?.requests;
  const amount = quantity(amounts?.[name] ?? '');
  const unit = quantity(divisor === '0' ? '1' : divisor);
  return amount === undefined || unit === undefined ? undefined : String(Math.ceil(amount / unit));
}
