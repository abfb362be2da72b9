import type { KubeObject, OwnerReference } from '../../../src/kube/index.ts';

/** Finalizers by which the API server marks how dependants are to be dealt with. Source: meta/v1 DeletionPropagation. */
export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

/**
 * What is known of an owner: it lives; it is being deleted and waits for its dependants; it is surely gone; or its kind
 * can't be asked for, which counts as living.
 */
export type OwnerState = 'living' | 'waiting' | 'gone' | 'unknown';

export type Owner = { readonly reference: OwnerReference; readonly state: OwnerState };

export type GarbageView = {
  readonly object: KubeObject;
  readonly owners: readonly Owner[];
  /** Objects that name this one as their owner. */
  readonly dependents: readonly KubeObject[];
};

export type GarbageStep =
  | { readonly kind: 'delete'; readonly propagationPolicy: 'Background' | 'Foreground' }
  /** Owners that are gone are taken out of the list. */
  | { readonly kind: 'setOwners'; readonly owners: readonly OwnerReference[] }
  | { readonly kind: 'orphanDependents'; readonly dependents: readonly KubeObject[] }
  | { readonly kind: 'removeFinalizer'; readonly finalizer: typeof FOREGROUND | typeof ORPHAN };

const isDeleting = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined;
const has = (object: KubeObject, finalizer: string): boolean =>
  object.metadata.finalizers?.includes(finalizer) ?? false;

/** Whether the dependant must be gone before the owner goes. */
const blocks = (dependent: KubeObject, owner: KubeObject): boolean =>
  dependent.metadata.ownerReferences?.some(
    ({ uid, blockOwnerDeletion }) => uid === owner.metadata.uid && blockOwnerDeletion === true,
  ) ?? false;

/**
 * The next thing to do for one object; undefined when there is nothing. An object with an owner that lives, or of which
 * nothing sure is known, is never deleted.
 *
 * Source: kube-controller-manager `garbagecollector.go`, `attemptToDeleteItem`, `processDeletingDependentsItem`.
 */
export function decide(view: GarbageView): GarbageStep | undefined {
  const { object, dependents } = view;
  if (!isDeleting(object)) return byOwners(view);
  if (has(object, ORPHAN)) {
    if (dependents.length > 0) return { kind: 'orphanDependents', dependents };
    return { kind: 'removeFinalizer', finalizer: ORPHAN };
  }
  const blocked = dependents.some((dependent) => blocks(dependent, object));
  return has(object, FOREGROUND) && !blocked ? { kind: 'removeFinalizer', finalizer: FOREGROUND } : undefined;
}

function byOwners({ owners, dependents }: Omit<GarbageView, 'object'>): GarbageStep | undefined {
  if (owners.length === 0) return undefined;
  const solid = owners.filter(({ state }) => state === 'living' || state === 'unknown');
  const waiting = owners.filter(({ state }) => state === 'waiting');
  if (solid.length > 0) {
    // An owner that only waits for this object need not wait longer: someone else keeps it.
    if (solid.length === owners.length) return undefined;
    return { kind: 'setOwners', owners: solid.map(({ reference }) => reference) };
  }
  const foreground = waiting.length > 0 && dependents.length > 0;
  return { kind: 'delete', propagationPolicy: foreground ? 'Foreground' : 'Background' };
}
