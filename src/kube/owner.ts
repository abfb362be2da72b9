import { apiVersionOf, type KubeObject, type ObjectKey, type OwnerReference, type ResourceType } from './objects.ts';

/** A controller reference: the garbage collector deletes the dependant after `object`. Throws without a uid. */
export function ownerReference(object: KubeObject): OwnerReference & { controller: true; blockOwnerDeletion: true } {
  const { name, uid } = object.metadata;
  if (uid === undefined) throw new TypeError(`${object.kind} ${name} has no uid yet`);
  const { apiVersion, kind } = object;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find(({ controller }) => controller === true);

/** By uid: an owner of the same name that was deleted and made again is another one. */
export const isControlledBy = (object: KubeObject, owner: KubeObject): boolean =>
  owner.metadata.uid !== undefined && controllerOf(object)?.uid === owner.metadata.uid;

/** An index: what a controller owns, by the owner's uid. */
export const byOwner = (object: KubeObject): string[] => {
  const uid = controllerOf(object)?.uid;
  return uid === undefined ? [] : [uid];
};

/** A `map` for watched objects: the key of the controlling owner, when it is of this type. */
export function toController<T extends KubeObject>(type: ResourceType<T>): (object: KubeObject) => ObjectKey[] {
  const group = apiVersionOf(type).split('/').slice(0, -1).join('/');
  return (object) => {
    const owner = controllerOf(object);
    if (owner?.kind !== type.kind || owner.apiVersion.split('/').slice(0, -1).join('/') !== group) return [];
    return [{ namespace: type.namespaced ? (object.metadata.namespace ?? '') : '', name: owner.name }];
  };
}
