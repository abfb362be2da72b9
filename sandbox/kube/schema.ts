import { isArray, isObject, type Json, type JsonObject } from './json.ts';

/** The part of a structural schema that the server acts on; the same shape for built-in kinds and for CRDs. */
export type Schema = {
  type?: string;
  format?: string;
  description?: string;
  properties?: { [name: string]: Schema };
  additionalProperties?: Schema | boolean;
  items?: Schema;
  nullable?: boolean;
  default?: Json;
  enum?: Json[];
  required?: string[];
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  /** Strategic merge patch: the key by which list items are merged. */
  'x-kubernetes-patch-merge-key'?: string;
  /** Model of `@kubernetes/client-node` that a built-in schema was made from. */
  'x-model'?: string;
  [keyword: string]: unknown;
};

/** The schema of a field; undefined when nothing is known about it (then objects merge and lists are atomic). */
export function fieldSchema(schema: Schema | undefined, name: string): Schema | undefined {
  const declared = schema?.properties?.[name];
  if (declared !== undefined) return declared;
  return isObject(schema?.additionalProperties) ? (schema.additionalProperties as Schema) : undefined;
}

/** Whether a field of that name may stand in an object of this schema. */
export function declares(schema: Schema, name: string): boolean {
  if (schema.properties?.[name] !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true) return true;
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== false) return true;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  return embedded && (name === 'apiVersion' || name === 'kind' || name === 'metadata');
}

export type Merging = { kind: 'map' } | { kind: 'list-map'; keys: string[] } | { kind: 'list-set' } | { kind: 'leaf' };

/** How a value merges under server-side apply. Source: structured-merge-diff, "schema" package. */
export function mergingOf(value: Json | undefined, schema: Schema | undefined): Merging {
  if (isObject(value)) return schema?.['x-kubernetes-map-type'] === 'atomic' ? { kind: 'leaf' } : { kind: 'map' };
  if (!isArray(value)) return { kind: 'leaf' };
  const listType = schema?.['x-kubernetes-list-type'];
  const keys = schema?.['x-kubernetes-list-map-keys'];
  if (listType === 'map' && keys !== undefined) return { kind: 'list-map', keys };
  return listType === 'set' ? { kind: 'list-set' } : { kind: 'leaf' };
}

/** The key fields of an item of a list-map, with the defaults of missing ones. */
export function itemKey(item: JsonObject, keys: readonly string[], itemSchema: Schema | undefined): JsonObject {
  const key: JsonObject = {};
  for (const name of keys) key[name] = item[name] ?? (itemSchema?.properties?.[name]?.default as Json) ?? null;
  return key;
}
