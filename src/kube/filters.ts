import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from './objects.ts';
import type { Change } from './store.ts';

/**
 * A filter that leaves out changes of the status alone: for a controller that should not wake up by its own report.
 * Only for kinds that have a generation; other kinds pass whole.
 */
export function specChanged<T extends KubeObject>(change: Change<T>): boolean {
  if (change.type !== 'updated') return true;
  const before = change.old.metadata;
  const after = change.object.metadata;
  if (after.generation === undefined || after.generation !== before.generation) return true;
  return (
    after.deletionTimestamp !== before.deletionTimestamp ||
    !isDeepStrictEqual(after.annotations, before.annotations) ||
    !isDeepStrictEqual(after.labels, before.labels) ||
    !isDeepStrictEqual(after.finalizers, before.finalizers) ||
    !isDeepStrictEqual(after.ownerReferences, before.ownerReferences)
  );
}
