import { isDeepStrictEqual } from 'node:util';
import { type KubeClient, type KubeObject, keyOf, type ResourceType } from '../../src/kube/index.ts';

type WithStatus = KubeObject & { readonly status?: object };

/** Writes the status where it differs; status 409 when the object changed meanwhile. */
export async function writeStatus<T extends WithStatus>(
  client: KubeClient,
  type: ResourceType<T>,
  change: { readonly object: T; readonly status: NonNullable<T['status']> },
): Promise<void> {
  const { object, status } = change;
  if (isDeepStrictEqual(object.status, status)) return;
  const nulls = Object.keys(object.status ?? {}).filter((field) => !(field in status));
  const merged = { ...status, ...Object.fromEntries(nulls.map((field) => [field, null])) };
  const { uid, resourceVersion } = object.metadata;
  const body = { metadata: { uid, resourceVersion }, status: merged };
  await client.patch(type, keyOf(object), body, { type: 'merge', subresource: 'status' });
}
