import { isArray, isObject, type Json, type JsonObject } from '../json.ts';
import { declares, fieldSchema, type Schema } from '../schema.ts';
import { badRequest } from '../status.ts';
import { canonicalQuantity } from '../types/quantity.ts';
import type { Resource } from '../types/resource.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

type Walk = { readonly unknown: string[]; readonly typed: boolean; readonly owner: string; readonly map?: string };

/**
 * The object with only the fields that its kind has: unknown ones pruned, nulls dropped, times and quantities of built-in
 * kinds in the form in which they are written back.
 *
 * @throws StatusError 400 for a value of the wrong type in a built-in kind, and for unknown fields when `validation` is Strict
 * @returns warnings for unknown fields when `validation` is Warn
 */
export function decode(
  resource: Resource,
  object: JsonObject,
  validation: FieldValidation,
): { object: JsonObject; warnings: string[] } {
  const walk: Walk = { unknown: [], typed: resource.custom === undefined, owner: resource.kind };
  const failure = (why: string) =>
    badRequest(`${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${why}`);
  let decoded: Json;
  try {
    decoded = visit(object, resource.schema, '', walk);
  } catch (error) {
    throw error instanceof DecodeError ? failure(error.message) : error;
  }
  const warnings = walk.unknown.map((path) => `unknown field "${path}"`);
  if (warnings.length > 0 && validation === 'Strict') throw failure(`strict decoding error: ${warnings.join(', ')}`);
  return { object: isObject(decoded) ? decoded : {}, warnings: validation === 'Warn' ? warnings : [] };
}

class DecodeError extends Error {}

function visit(value: Json, schema: Schema | undefined, path: string, walk: Walk): Json {
  if (schema === undefined) return value;
  if (isObject(value)) {
    if (walk.typed && schema.type !== 'object' && !isOpen(schema)) throw wrongType('object', schema, path, walk);
    return visitFields(value, schema, path, walk);
  }
  if (isArray(value)) {
    if (walk.typed && schema.type !== 'array' && !isOpen(schema)) throw wrongType('array', schema, path, walk);
    return value.map((item, index) => visit(item, schema.items, `${path}[${index}]`, walk));
  }
  return walk.typed ? scalar(value, schema, path, walk) : value;
}

const isOpen = (schema: Schema): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true;

function visitFields(value: JsonObject, schema: Schema, path: string, walk: Walk): JsonObject {
  const result: JsonObject = {};
  const { map: _, ...outside } = walk;
  const isMap = schema.properties === undefined && schema.additionalProperties !== undefined;
  const inside: Walk = {
    ...outside,
    ...(schema['x-model'] === undefined ? {} : { owner: goName(schema) }),
    // Go names the field of a map, not the key.
    ...(isMap ? { map: path } : {}),
  };
  for (const [name, child] of Object.entries(value)) {
    if (child === undefined) continue;
    const childPath = path === '' ? name : `${path}.${name}`;
    if (schema.type === 'object' && !declares(schema, name)) {
      walk.unknown.push(childPath);
      continue;
    }
    const below = fieldSchema(schema, name);
    if (child === null && below?.nullable !== true && !(below === undefined && isOpen(schema))) continue;
    const visited = visit(child, below, childPath, inside);
    if (!(walk.typed && isOmitted(visited, below, `${schema['x-model']}.${name}`))) result[name] = visited;
  }
  return result;
}

/** Lists that are written even when they are empty. */
const KEPT_EMPTY = new Set(['V1EndpointSlice.endpoints', 'V1Role.rules', 'V1ClusterRole.rules']);

/** Go leaves empty lists and maps out; an empty struct stays. */
function isOmitted(value: Json, schema: Schema | undefined, field: string): boolean {
  if (isArray(value)) return value.length === 0 && !KEPT_EMPTY.has(field);
  return isObject(value) && schema?.additionalProperties !== undefined && Object.keys(value).length === 0;
}

function scalar(value: boolean | number | string | null, schema: Schema, path: string, walk: Walk): Json {
  if (value === null || isOpen(schema)) return value;
  const given = typeof value;
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (given === 'boolean') throw wrongType('bool', schema, path, walk);
    return value;
  }
  const expected = schema.type === 'integer' ? 'number' : schema.type;
  // A quantity may be written as a plain number.
  if (schema.format === 'quantity' && given === 'number') return quantity(String(value));
  if (given !== expected) throw wrongType(given === 'boolean' ? 'bool' : given, schema, path, walk);
  if (schema.type === 'integer' && !Number.isInteger(value)) throw wrongType(`number ${value}`, schema, path, walk);
  if (typeof value !== 'string') return value;
  if (schema.format === 'quantity') return quantity(value);
  if (schema.format === 'date-time') return wholeSeconds(value);
  if (schema.format === 'micro-time') return microTime(value);
  return value;
}

function quantity(text: string): string {
  const canonical = canonicalQuantity(text.trim());
  if (canonical !== undefined) return canonical;
  throw new DecodeError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function wholeSeconds(text: string): string {
  const milliseconds = Date.parse(text);
  if (!RFC3339.test(text) || Number.isNaN(milliseconds)) {
    throw new DecodeError(`parsing time "${text}" as "2006-01-02T15:04:05Z07:00": cannot parse "${text}" as "2006"`);
  }
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime reads exactly six digits after the second, and is written in UTC. */
function microTime(text: string): string {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{6})(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (parts !== null) return `${new Date(`${parts[1]}${parts[3]}`).toISOString().slice(0, 19)}${parts[2]}Z`;
  const rest = text.slice(19);
  throw new DecodeError(
    `parsing time "${text}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "${rest}" as ".000000"`,
  );
}

/** The Go type that a built-in schema stands for. */
const goName = (schema: Schema): string => (schema['x-model'] ?? '').replace(/^[A-Z][a-z]*?V\d+|^V\d+/, '');

function wrongType(given: string, schema: Schema, path: string, walk: Walk): DecodeError {
  const expected = { integer: schema.format ?? 'int32', boolean: 'bool', array: '[]', object: `v1.${goName(schema)}` };
  const field = (walk.map ?? path).replaceAll(/\[\d+\]/g, '');
  const goType = expected[schema.type as keyof typeof expected] ?? schema.type ?? 'string';
  return new DecodeError(
    `json: cannot unmarshal ${given} into Go struct field ${walk.owner}.${field} of type ${goType}`,
  );
}
