import type { StructuralSchema } from '../schema/types.ts';
import { isRecord, own } from './json.ts';

function defaultObject(schema: StructuralSchema, value: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    const known = own(schema.properties, name);
    const shape = known ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    // A null where none is allowed counts as absent.
    if (field === null && shape !== undefined && shape.nullable !== true) continue;
    result[name] = shape === undefined ? structuredClone(field) : applySchemaDefaults(shape, field);
  }
  for (const [name, known] of Object.entries(schema.properties ?? {})) {
    if (known.default === undefined || Object.hasOwn(result, name)) continue;
    result[name] = applySchemaDefaults(known, structuredClone(known.default));
  }
  return result;
}

/**
 * A copy of the value with the defaults of the schema filled in, as the API server fills them.
 * Source: kubernetes.io/docs, "Defaulting" of custom resources.
 */
export function applySchemaDefaults<Value>(schema: StructuralSchema, value: Value): Value;
export function applySchemaDefaults(schema: StructuralSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => (schema.items === undefined ? item : applySchemaDefaults(schema.items, item)));
  }
  return isRecord(value) ? defaultObject(schema, value) : value;
}
