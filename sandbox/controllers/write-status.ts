import { isDeepStrictEqual } from 'node:util';
import type { KubeClient, KubeObject, ResourceType } from '../../src/kube/index.ts';

type WithStatus = KubeObject & { readonly status?: object };

/** Writes the status where it differs; status 409 when the object changed meanwhile. */
export async function writeStatus<T extends WithStatus>(
  client: KubeClient,
  type: ResourceType<T>,
  change: { readonly object: T; readonly status: NonNullable<T['status']> },
): Promise<void> {
  const { object, status } = change;
  if (isDeepStrictEqual(object.status, status)) return;
  await client.replaceStatus(type, { ...object, status });
}
