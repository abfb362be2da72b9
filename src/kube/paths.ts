import type { KubeObject, ObjectKey, ResourceType } from './objects.ts';

export type QueryValue = string | number | boolean | undefined;

/** `/api/v1/namespaces/<ns>/<plural>`; without a namespace the collection over all of them. */
export function collectionPath<T extends KubeObject>(type: ResourceType<T>, namespace = ''): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = type.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${type.plural}`;
}

/**
 * The path of one object, or of its subresource.
 * Throws a TypeError for an empty name, which would address the whole collection.
 */
export function objectPath<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, subresource?: string): string {
  if (key.name === '') throw new TypeError(`a ${type.kind} without a name has no path`);
  if (type.namespaced && key.namespace === '') throw new TypeError(`${type.kind} ${key.name} needs a namespace`);
  const path = `${collectionPath(type, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** The path with the parameters that are given; `undefined` ones and empty strings are left out. */
export function withQuery(path: string, query: Readonly<Record<string, QueryValue>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') given.set(name, String(value));
  }
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}
