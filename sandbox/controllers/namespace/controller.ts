import {
  Controller,
  DONE,
  KubeError,
  keyOf,
  NAMESPACES,
  type Namespace,
  type ObjectKey,
  type Outcome,
  type ResourceType,
  SERVICE_ACCOUNTS,
  watching,
} from '../../../src/kube/index.ts';
import type { ControllerParts, Startable } from '../context.ts';
import type { KnownTypes } from '../known-types.ts';

/** The finalizer in `spec.finalizers` by which a namespace waits for its content. */
const KUBERNETES = 'kubernetes';
const DEFAULT_ACCOUNT = 'default';
const LOOK_AGAIN: Outcome = {
  kind: 'wait',
  seconds: 0.3,
  reason: 'SomeContentRemains',
  message: 'objects are being deleted',
};

/** Gives each namespace its default service account, and empties it when it is deleted. */
export function namespaceController({ client, informers, log }: ControllerParts, types: KnownTypes): Startable {
  const namespaces = informers.of(NAMESPACES);
  const accounts = informers.of(SERVICE_ACCOUNTS);
  return new Controller({
    name: 'namespace',
    primary: namespaces,
    watches: [
      watching({
        informer: accounts,
        filter: ({ type, object }) => type === 'deleted' && object.metadata.name === DEFAULT_ACCOUNT,
        map: ({ metadata }) => [{ namespace: '', name: metadata.namespace ?? '' }],
      }),
    ],
    workers: 2,
    backoffFloorSeconds: 0.1,
    log,
    reconcile,
  });

  async function reconcile(key: ObjectKey): Promise<Outcome> {
    const namespace = namespaces.store.get(key);
    if (namespace === undefined) return DONE;
    if (namespace.metadata.deletionTimestamp === undefined) return ensureAccount(key.name);
    if (!(namespace.spec?.finalizers ?? []).includes(KUBERNETES)) return DONE;
    await types.whenKnown;
    let left = 0;
    for (const type of types.types) if (type.namespaced) left += await empty(type, key.name);
    if (left > 0) return LOOK_AGAIN;
    await finalize(namespace);
    return DONE;
  }

  async function ensureAccount(namespace: string): Promise<Outcome> {
    if (accounts.store.get({ namespace, name: DEFAULT_ACCOUNT }) !== undefined) return DONE;
    const metadata = { namespace, name: DEFAULT_ACCOUNT };
    try {
      await client.create(SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
    } catch (error) {
      // Made by someone else, or the namespace is being deleted.
      if (!(error instanceof KubeError && [403, 404, 409].includes(error.status))) throw error;
    }
    return DONE;
  }

  /** Deletes what is left of one kind; returns how many there were. */
  async function empty(type: ResourceType, namespace: string): Promise<number> {
    const objects = await client.listAll(type, { namespace });
    for (const object of objects) {
      if (object.metadata.deletionTimestamp !== undefined) continue;
      await client.delete(type, keyOf(object), { uid: object.metadata.uid ?? '', propagationPolicy: 'Background' });
    }
    return objects.length;
  }

  async function finalize(namespace: Namespace): Promise<void> {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((name) => name !== KUBERNETES);
    const body = { ...namespace, spec: { ...namespace.spec, finalizers } };
    try {
      await client.subresource(NAMESPACES, keyOf(namespace), 'finalize', { method: 'PUT', body });
    } catch (error) {
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
    }
  }
}
