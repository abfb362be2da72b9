import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';
import { type KubeObject, keyOf, type ResourceType } from './objects.ts';

type Patcher = Pick<KubeClient, 'patch'>;
type Operation = { readonly op: 'test' | 'add' | 'remove'; readonly path: string; readonly value?: unknown };

export const hasFinalizer = (object: KubeObject, finalizer: string): boolean =>
  object.metadata.finalizers?.includes(finalizer) ?? false;

/**
 * Adds a finalizer and returns the object as it then is; one that has it already comes back unchanged.
 * Status 409 when others changed the list of finalizers meanwhile. Source: kube-rs `finalizer.rs`.
 */
export function addFinalizer<T extends KubeObject>(
  client: Patcher,
  target: { readonly type: ResourceType<T>; readonly object: T },
  finalizer: string,
): Promise<T> {
  const { finalizers = [], resourceVersion } = target.object.metadata;
  if (finalizers.includes(finalizer)) return Promise.resolve(target.object);
  const operations: Operation[] =
    finalizers.length === 0
      ? [
          { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
          { op: 'add', path: '/metadata/finalizers', value: [finalizer] },
        ]
      : [
          { op: 'test', path: '/metadata/finalizers', value: finalizers },
          { op: 'add', path: '/metadata/finalizers/-', value: finalizer },
        ];
  return patch(client, target, operations);
}

/**
 * Removes the finalizer, and no one else's; an object without it, or gone by now, is a success.
 * Status 409 when others changed the list meanwhile.
 */
export async function removeFinalizer<T extends KubeObject>(
  client: Patcher,
  target: { readonly type: ResourceType<T>; readonly object: T },
  finalizer: string,
): Promise<void> {
  const index = target.object.metadata.finalizers?.indexOf(finalizer) ?? -1;
  if (index < 0) return;
  const path = `/metadata/finalizers/${index}`;
  try {
    await patch(client, target, [
      { op: 'test', path: '/metadata/uid', value: target.object.metadata.uid },
      { op: 'test', path, value: finalizer },
      { op: 'remove', path },
    ]);
  } catch (error) {
    if (!(error instanceof KubeError && error.isNotFound)) throw error;
  }
}

async function patch<T extends KubeObject>(
  client: Patcher,
  { type, object }: { readonly type: ResourceType<T>; readonly object: T },
  operations: readonly Operation[],
): Promise<T> {
  try {
    return await client.patch(type, keyOf(object), operations, { type: 'json' });
  } catch (error) {
    // The API server answers a failed `test` with 422 Invalid; to the caller it is a lost race.
    if (!(error instanceof KubeError && error.status === 422)) throw error;
    const { verb, resource } = error;
    throw new KubeError({
      verb,
      resource,
      status: 409,
      reason: 'Conflict',
      message: 'finalizers changed',
      cause: error,
    });
  }
}
