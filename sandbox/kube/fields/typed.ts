import { isArray, isObject, type Json } from '../json.ts';
import { declares, fieldSchema, type Schema } from '../schema.ts';
import { keyedItems } from './collect.ts';

const GO_TYPES: { readonly [type: string]: string } = { string: 'string', boolean: 'bool' };

function goType(value: Json): string {
  if (isArray(value)) return '[]interface {}';
  if (isObject(value)) return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return GO_TYPES[typeof value] ?? '<nil>';
}

const EXPECTED: { readonly [type: string]: readonly [word: string, fits: (value: Json) => boolean] } = {
  object: ['map', isObject],
  array: ['list', isArray],
  string: ['string', (value) => typeof value === 'string'],
  boolean: ['boolean', (value) => typeof value === 'boolean'],
  integer: ['numeric (int or float)', (value) => typeof value === 'number'],
  number: ['numeric (int or float)', (value) => typeof value === 'number'],
};

/** What of a value does not fit its schema's types. Source: structured-merge-diff `typed/validate.go`. */
export function typeFaults(value: Json, schema: Schema | undefined, path = ''): string[] {
  if (value === null || schema === undefined || isUntyped(schema)) return [];
  const expected = EXPECTED[schema.type ?? ''];
  if (expected !== undefined && !expected[1](value)) return [`${path}: expected ${expected[0]}, got ${goType(value)}`];
  if (isArray(value)) {
    const { items } = schema;
    const unique = schema['x-kubernetes-list-type'] === 'map' || schema['x-kubernetes-list-type'] === 'set';
    const twice = unique && keyedItems(value, schema) === undefined ? [`${path}: duplicate entries`] : [];
    return [...twice, ...value.flatMap((item, index) => typeFaults(item, items, `${path}[${index}]`))];
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    if (!declares(schema, name)) return [`${path}.${name}: field not declared in schema`];
    return child === undefined ? [] : typeFaults(child, fieldSchema(schema, name), `${path}.${name}`);
  });
}

/** Quantities may be numbers, and what may be a number or a text may be anything. */
const isUntyped = (schema: Schema): boolean =>
  schema['x-kubernetes-preserve-unknown-fields'] === true ||
  schema['x-kubernetes-int-or-string'] === true ||
  schema.format === 'quantity';
