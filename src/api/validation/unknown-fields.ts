import type { StructuralSchema } from '../schema/types.ts';
import { fieldPath, isRecord, itemPath, keyPath, own } from './json.ts';

export type UnknownField = {
  readonly path: string;
  readonly value: unknown;
  /** Names of the fields that exist beside it. */
  readonly siblings: readonly string[];
};

/** Fields that every object has, whatever its schema says. */
const OBJECT_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

type Place = { readonly path: string; readonly isObject: boolean; readonly found: UnknownField[] };

function pruneRecord(schema: StructuralSchema, value: Record<string, unknown>, place: Place): Record<string, unknown> {
  const { path, isObject, found } = place;
  const values = schema.additionalProperties;
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || values === true;
  const kept: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    const known = own(schema.properties, name);
    if (isObject && OBJECT_FIELDS.has(name)) kept[name] = field;
    else if (known !== undefined)
      kept[name] = prune(known, field, { path: fieldPath(path, name), isObject: false, found });
    else if (typeof values === 'object') {
      kept[name] = prune(values, field, { path: keyPath(path, name), isObject: false, found });
    } else if (keepsUnknown) kept[name] = field;
    else found.push({ path: fieldPath(path, name), value: field, siblings: Object.keys(schema.properties ?? {}) });
  }
  return kept;
}

function prune(schema: StructuralSchema, value: unknown, place: Place): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return value;
    return value.map((item: unknown, index) =>
      prune(items, item, { ...place, path: itemPath(place.path, index), isObject: false }),
    );
  }
  if (!isRecord(value)) return value;
  const isObject = place.isObject || schema['x-kubernetes-embedded-resource'] === true;
  return pruneRecord(schema, value, { ...place, isObject });
}

/** The fields of an object that its schema does not know, in order. */
export function unknownFields(schema: StructuralSchema, object: unknown): UnknownField[] {
  const found: UnknownField[] = [];
  prune(schema, object, { path: '', isObject: true, found });
  return found;
}

/**
 * A copy without the fields that the schema does not know, and their paths (`spec.replicas`).
 * Source: kubernetes.io/docs, "Field pruning" of custom resources.
 */
export function pruneUnknown<Value>(schema: StructuralSchema, object: Value): { object: Value; pruned: string[] };
export function pruneUnknown(schema: StructuralSchema, object: unknown): { object: unknown; pruned: string[] } {
  const found: UnknownField[] = [];
  const kept = prune(schema, object, { path: '', isObject: true, found });
  return { object: kept, pruned: found.map(({ path }) => path) };
}
