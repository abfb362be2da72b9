/** Metadata of any object in its wire form: times are RFC 3339 strings. */
export type ObjectMeta = {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: unknown[];
};

export type OwnerReference = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
};

export type KubeObject = { apiVersion: string; kind: string; metadata: ObjectMeta };

/** `namespace` is '' for objects that live in no namespace. */
export type ObjectKey = { readonly namespace: string; readonly name: string };

declare const OBJECT: unique symbol;

/** Where objects of type `T` are found on the server. */
export type ResourceType<T extends KubeObject = KubeObject> = {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Ties the object's type to the descriptor; never set. */
  readonly [OBJECT]?: T;
};

/** `namespaced` is true when not given. Further fields of the argument are left out. */
export function resourceType<T extends KubeObject>(options: {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced?: boolean;
}): ResourceType<T> {
  const { group, version, kind, plural, namespaced = true } = options;
  return { group, version, kind, plural, namespaced };
}

export const apiVersionOf = (type: { readonly group: string; readonly version: string }): string =>
  type.group === '' ? type.version : `${type.group}/${type.version}`;

export const keyOf = (object: { readonly metadata: ObjectMeta }): ObjectKey => ({
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name,
});

/** `namespace/name`, or `name` alone without a namespace: the form that logs and caches use. */
export const keyText = ({ namespace, name }: ObjectKey): string => (namespace === '' ? name : `${namespace}/${name}`);

/**
 * Whether `a` is at least as new as `b`.
 * Resource versions are comparable as decimal integers; anything else is newer only when it is equal.
 * Source: Kubernetes KEP-5504 (comparable resource versions).
 */
export function atLeastVersion(a: string, b: string): boolean {
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return a === b;
  return a.length === b.length ? a >= b : a.length > b.length;
}

const DECIMAL = /^(?:0|[1-9]\d*)$/;
