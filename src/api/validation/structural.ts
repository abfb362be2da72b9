import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { ApiError } from '../error.ts';
import type { StructuralSchema } from '../schema/types.ts';
import { fieldPath, isRecord, itemPath, keyPath, own } from './json.ts';
import { presentable, type Violation } from './violation.ts';

/** Formats that the API server checks. Source: k8s.io/apiextensions-apiserver `pkg/apiserver/schema/defaulting`. */
const FORMATS = new Set([
  'int32',
  'int64',
  'date-time',
  'date',
  'byte',
  'email',
  'ipv4',
  'ipv6',
  'uri',
  'uuid',
  'hostname',
]);

const ajv = new Ajv({
  allErrors: true,
  strict: false,
  verbose: true,
  // Go's expressions escape characters that JavaScript's unicode mode refuses to see escaped.
  unicodeRegExp: false,
  logger: false,
});
addFormats.default(ajv);

/** Kubernetes keeps draft 4 booleans and formats of its own: turned into what ajv reads. */
function forAjv(schema: StructuralSchema): Record<string, unknown> {
  const { properties, additionalProperties, items, exclusiveMinimum, exclusiveMaximum, format, ...rest } = schema;
  const result: Record<string, unknown> = { ...rest };
  if (properties !== undefined) {
    result['properties'] = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, forAjv(field)]));
  }
  if (typeof additionalProperties === 'object') result['additionalProperties'] = forAjv(additionalProperties);
  if (items !== undefined) result['items'] = forAjv(items);
  if (exclusiveMinimum === true) result['exclusiveMinimum'] = schema.minimum;
  if (exclusiveMaximum === true) result['exclusiveMaximum'] = schema.maximum;
  if (format !== undefined && FORMATS.has(format)) result['format'] = format;
  if (schema['x-kubernetes-int-or-string'] === true) result['type'] = ['integer', 'string'];
  return result;
}

const validators = new WeakMap<StructuralSchema, ValidateFunction>();

function validatorOf(schema: StructuralSchema): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  try {
    const validator = ajv.compile(forAjv(schema));
    validators.set(schema, validator);
    return validator;
  } catch (error) {
    throw new ApiError('InvalidRule', 'the schema can not be compiled', { cause: error });
  }
}

/** `/spec/vectors/0/size` -> `spec.vectors[0].size`, with the schema deciding what is a field, an item or a key. */
function pathOf(root: StructuralSchema, pointer: string): string {
  let schema: StructuralSchema | undefined = root;
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const known: StructuralSchema | undefined = own(schema?.properties, name);
    if (schema?.items !== undefined) {
      path = itemPath(path, Number(name));
      schema = schema.items;
    } else if (known === undefined && typeof schema?.additionalProperties === 'object') {
      path = keyPath(path, name);
      schema = schema.additionalProperties;
    } else {
      path = fieldPath(path, name);
      schema = known;
    }
  }
  return path;
}

const typeName = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;

const number = (value: unknown): string => String(value);

/** Kubernetes' wording. Source: k8s.io/kube-openapi `pkg/validation/errors`. */
function wording(error: ErrorObject, path: string): Pick<Violation, 'rule' | 'reason'> {
  const { keyword, schema: limit, data } = error;
  const body = path === '' ? 'object in body' : `${path} in body`;
  switch (keyword) {
    case 'required':
      return { reason: 'FieldValueRequired', rule: 'Required value' };
    case 'type': {
      const wanted = Array.isArray(limit) ? limit.join(' or ') : number(limit);
      return { reason: 'FieldValueTypeInvalid', rule: `${body} must be of type ${wanted}: "${typeName(data)}"` };
    }
    case 'enum': {
      const words = (Array.isArray(limit) ? limit : []).map((word: unknown) => JSON.stringify(word)).join(', ');
      return { reason: 'FieldValueNotSupported', rule: `supported values: ${words}` };
    }
    case 'minimum':
      return { reason: 'FieldValueInvalid', rule: `${body} should be greater than or equal to ${number(limit)}` };
    case 'maximum':
      return { reason: 'FieldValueInvalid', rule: `${body} should be less than or equal to ${number(limit)}` };
    case 'exclusiveMinimum':
      return { reason: 'FieldValueInvalid', rule: `${body} should be greater than ${number(limit)}` };
    case 'exclusiveMaximum':
      return { reason: 'FieldValueInvalid', rule: `${body} should be less than ${number(limit)}` };
    case 'multipleOf':
      return { reason: 'FieldValueInvalid', rule: `${body} should be a multiple of ${number(limit)}` };
    case 'minLength':
      return { reason: 'FieldValueInvalid', rule: `${body} should be at least ${number(limit)} chars long` };
    case 'maxLength':
      return { reason: 'FieldValueTooLong', rule: `may not be more than ${number(limit)} bytes` };
    case 'pattern':
      return { reason: 'FieldValueInvalid', rule: `${body} should match '${number(limit)}'` };
    case 'format':
      return { reason: 'FieldValueInvalid', rule: `${body} must be of type ${number(limit)}` };
    case 'minItems':
      return { reason: 'FieldValueInvalid', rule: `${body} should have at least ${number(limit)} items` };
    case 'maxItems':
      return { reason: 'FieldValueTooMany', rule: `must have at most ${number(limit)} items` };
    case 'minProperties':
      return { reason: 'FieldValueInvalid', rule: `${body} should have at least ${number(limit)} properties` };
    case 'maxProperties':
      return { reason: 'FieldValueTooMany', rule: `must have at most ${number(limit)} items` };
    default:
      return { reason: 'FieldValueInvalid', rule: `${body} ${error.message ?? 'is not valid'}` };
  }
}

/** An error that only repeats another one: a branch of a failed choice, or a bound of a value of the wrong type. */
function isEcho(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  if (/\/(anyOf|oneOf|allOf)\//.test(error.schemaPath) || (error.keyword === 'anyOf' && isIntOrString(error)))
    return true;
  const isTyped = (other: ErrorObject) => other.keyword === 'type' && other.instancePath === error.instancePath;
  return error.keyword !== 'type' && errors.some(isTyped);
}

const isIntOrString = (error: ErrorObject): boolean =>
  isRecord(error.parentSchema) && error.parentSchema['x-kubernetes-int-or-string'] === true;

function toViolation(schema: StructuralSchema, error: ErrorObject): Violation {
  const parent = pathOf(schema, error.instancePath);
  const missing: unknown = error.keyword === 'required' ? error.params['missingProperty'] : undefined;
  const field = typeof missing === 'string' ? fieldPath(parent, missing) : parent;
  const value = typeof missing === 'string' ? undefined : presentable(field, error.data);
  return { field, value, ...wording(error, field) };
}

function duplicates(schema: StructuralSchema, value: unknown, path: string): Violation[] {
  if (Array.isArray(value)) {
    const listType = schema['x-kubernetes-list-type'];
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    const seen = new Set<string>();
    return value.flatMap((item: unknown, index): Violation[] => {
      const field = itemPath(path, index);
      const inner = schema.items === undefined ? [] : duplicates(schema.items, item, field);
      if (listType !== 'set' && listType !== 'map') return inner;
      const identity = JSON.stringify(
        listType === 'map' && isRecord(item) ? keys.map((key) => [key, item[key]]) : item,
      );
      if (!seen.has(identity)) {
        seen.add(identity);
        return inner;
      }
      const shown =
        listType === 'map' && isRecord(item) ? keys.map((key) => `${key}: ${String(item[key])}`).join(', ') : item;
      return [
        { field, value: presentable(field, shown), rule: 'Duplicate value', reason: 'FieldValueDuplicate' },
        ...inner,
      ];
    });
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    const known = own(schema.properties, name);
    if (known !== undefined) return duplicates(known, child, fieldPath(path, name));
    const { additionalProperties: values } = schema;
    return typeof values === 'object' ? duplicates(values, child, keyPath(path, name)) : [];
  });
}

/**
 * What is wrong with an object by its schema alone: types, bounds, patterns, required fields, duplicate items.
 * Unknown fields and CEL rules are looked at elsewhere.
 */
export function validateStructural(schema: StructuralSchema, object: unknown): Violation[] {
  const validator = validatorOf(schema);
  const valid = validator(object);
  const all = valid ? [] : (validator.errors ?? []);
  const errors = all.filter((error) => !isEcho(error, all));
  return [...errors.map((error) => toViolation(schema, error)), ...duplicates(schema, object, '')];
}
