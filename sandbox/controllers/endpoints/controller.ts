import {
  Controller,
  DONE,
  ENDPOINT_SLICES,
  type EndpointSlice,
  KubeError,
  keyOf,
  type ObjectKey,
  type Outcome,
  PODS,
  type Pod,
  SERVICES,
  watching,
} from '../../../src/kube/index.ts';
import type { ControllerParts, Startable } from '../context.ts';
import { canonical } from '../revision.ts';
import { matchesMap } from '../selector.ts';
import { MANAGED_BY_LABEL, MANAGER, SERVICE_LABEL, slicesOf } from './decide.ts';

const contentOf = ({ metadata, endpoints = [], ports = [] }: EndpointSlice): string =>
  canonical({ labels: metadata.labels ?? {}, endpoints: endpoints ?? [], ports: ports ?? [] });

/** Keeps the EndpointSlices of Services with a selector. */
export function endpointSliceController({ client, informers, log }: ControllerParts): Startable {
  const services = informers.of(SERVICES);
  const slices = informers.of(ENDPOINT_SLICES);
  const pods = informers.of(PODS);
  const servicesOf = (pod: Pod): ObjectKey[] =>
    services.store
      .list(pod.metadata.namespace)
      .filter((service) => matchesMap(service.spec?.selector, pod.metadata.labels))
      .map(keyOf);
  return new Controller({
    name: 'endpoint-slice',
    primary: services,
    watches: [
      watching({ informer: pods, map: servicesOf }),
      watching({
        informer: slices,
        map: ({ metadata }) => [{ namespace: metadata.namespace ?? '', name: metadata.labels?.[SERVICE_LABEL] ?? '' }],
      }),
    ],
    workers: 2,
    backoffFloorSeconds: 0.05,
    log,
    reconcile,
  });

  async function reconcile(key: ObjectKey): Promise<Outcome> {
    const service = services.store.get(key);
    // The slices of a deleted service go with their owner.
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return DONE;
    const wanted = slicesOf(service, pods.store.list(key.namespace));
    if (wanted === undefined) return DONE;
    const known = slices.store
      .list(key.namespace)
      .filter(({ metadata }) => metadata.labels?.[SERVICE_LABEL] === key.name)
      .filter(({ metadata }) => metadata.labels?.[MANAGED_BY_LABEL] === MANAGER);
    // New ones first: a reader must not find a moment without any.
    for (const slice of wanted) {
      const before = known.find(({ metadata }) => metadata.name === slice.metadata.name);
      await write(slice, before);
    }
    for (const old of known) {
      const kept = wanted.some(({ metadata }) => metadata.name === old.metadata.name);
      if (!kept) await client.delete(ENDPOINT_SLICES, keyOf(old), { uid: old.metadata.uid ?? '' });
    }
    return DONE;
  }

  async function write(slice: EndpointSlice, before: EndpointSlice | undefined): Promise<void> {
    if (before !== undefined) {
      if (contentOf(before) === contentOf(slice)) return;
      const { resourceVersion = '' } = before.metadata;
      await client.replace(ENDPOINT_SLICES, { ...slice, metadata: { ...slice.metadata, resourceVersion } });
      return;
    }
    try {
      await client.create(ENDPOINT_SLICES, slice);
    } catch (error) {
      // The cache will show it, and call again.
      if (!(error instanceof KubeError && error.alreadyExists)) throw error;
    }
  }
}
