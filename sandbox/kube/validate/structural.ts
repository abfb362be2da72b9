import { equal, isArray, isObject, type Json, type JsonObject } from '../json.ts';
import type { Schema } from '../schema.ts';
import type { Violation, ViolationType } from '../status.ts';

type Place = { readonly field: string; readonly violations: Violation[] };

const number = (schema: Schema, keyword: string): number | undefined => {
  const value = schema[keyword];
  return typeof value === 'number' ? value : undefined;
};

/**
 * What of a value breaks its structural schema, in the words of kube-apiserver.
 *
 * Source: apiextensions-apiserver `pkg/apiserver/validation`, kube-openapi `pkg/validation/errors`.
 */
export function structuralViolations(value: Json, schema: Schema, field = ''): Violation[] {
  const place: Place = { field, violations: [] };
  check(value, schema, place);
  return place.violations;
}

function report(place: Place, type: ViolationType, message: string): void {
  place.violations.push({ field: place.field === '' ? '<nil>' : place.field, type, message });
}

/** Numbers and texts are shown, containers by their type. */
const shown = (value: Json): string =>
  isArray(value) ? '"array"' : isObject(value) ? '"object"' : JSON.stringify(value);

const breaks = (place: Place, value: Json, why: string): void =>
  report(place, 'FieldValueInvalid', `Invalid value: ${shown(value)}: ${place.field} in body ${why}`);

/** Some checks name the place in their text only. */
const nameless = ({ violations }: Place, why: string): void => {
  violations.push({ field: '<nil>', type: 'FieldValueInvalid', message: `Invalid value: "": ${why}` });
};
const CHECKED = 'Checked value must be of type';
const INT32 = 2 ** 31;

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function hasType(value: Json, schema: Schema): boolean {
  const given = typeOf(value);
  if (given === 'null') return schema.nullable === true || schema.type === undefined;
  if (schema['x-kubernetes-int-or-string'] === true) return given === 'integer' || given === 'string';
  return schema.type === undefined || schema.type === given || (schema.type === 'number' && given === 'integer');
}

function check(value: Json, schema: Schema, place: Place): void {
  if (!hasType(value, schema)) {
    const given = typeOf(value);
    if (given === 'number' && schema.type === 'integer')
      nameless(place, `${CHECKED} integer (default format) in ${place.field}`);
    const expected = schema['x-kubernetes-int-or-string'] === true ? 'integer,string' : schema.type;
    report(
      place,
      'FieldValueTypeInvalid',
      `Invalid value: ${JSON.stringify(given)}: ${place.field} in body must be of type ${expected}: ${JSON.stringify(given)}`,
    );
    return;
  }
  if (schema.enum !== undefined && !schema.enum.some((allowed) => equal(allowed, value))) {
    const words = schema.enum.map((allowed) => JSON.stringify(allowed)).join(', ');
    report(place, 'FieldValueNotSupported', `Unsupported value: ${shown(value)}: supported values: ${words}`);
  }
  if (typeof value === 'string') checkText(value, schema, place);
  else if (typeof value === 'number') checkNumber(value, schema, place);
  else if (isArray(value)) checkList(value, schema, place);
  else if (isObject(value)) checkObject(value, schema, place);
  checkCombined(value, schema, place);
}

const FORMATS: { readonly [format: string]: (text: string) => boolean } = {
  'date-time': (text) =>
    /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text),
  uri: (text) => URL.canParse(text),
  byte: (text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text),
};

function checkText(value: string, schema: Schema, place: Place): void {
  const longest = number(schema, 'maxLength');
  const shortest = number(schema, 'minLength');
  // Kubernetes counts code points.
  const { length } = Array.from(value);
  const { pattern, format } = schema;
  // The first of these ends the check of a text.
  if (longest !== undefined && length > longest)
    report(place, 'FieldValueTooLong', `Too long: may not be more than ${longest} bytes`);
  else if (shortest !== undefined && length < shortest)
    breaks(place, value, `should be at least ${shortest} chars long`);
  else if (typeof pattern === 'string' && !new RegExp(pattern).test(value))
    breaks(place, value, `should match '${pattern}'`);
  if (format !== undefined && FORMATS[format]?.(value) === false)
    report(
      place,
      'FieldValueTypeInvalid',
      `Invalid value: ${JSON.stringify(value)}: ${place.field} in body must be of type ${format}: ${JSON.stringify(value)}`,
    );
}

function checkNumber(value: number, schema: Schema, place: Place): void {
  const minimum = number(schema, 'minimum');
  const maximum = number(schema, 'maximum');
  const step = number(schema, 'multipleOf');
  if (schema.format === 'int32' && (value >= INT32 || value < -INT32)) {
    nameless(place, `${CHECKED} integer with format int32 in ${place.field}`);
  }
  const aboveOnly = schema['exclusiveMinimum'] === true;
  const belowOnly = schema['exclusiveMaximum'] === true;
  if (minimum !== undefined && (value < minimum || (aboveOnly && value === minimum))) {
    breaks(place, value, `should be greater than ${aboveOnly ? '' : 'or equal to '}${minimum}`);
  }
  if (maximum !== undefined && (value > maximum || (belowOnly && value === maximum))) {
    breaks(place, value, `should be less than ${belowOnly ? '' : 'or equal to '}${maximum}`);
  }
  if (step !== undefined && value % step !== 0) breaks(place, value, `should be a multiple of ${step}`);
}

function checkList(value: readonly Json[], schema: Schema, place: Place): void {
  const most = number(schema, 'maxItems');
  const least = number(schema, 'minItems');
  if (most !== undefined && value.length > most) {
    report(
      place,
      'FieldValueTooMany',
      `Too many: ${value.length}: must have at most ${most} ${most === 1 ? 'item' : 'items'}`,
    );
  }
  if (least !== undefined && value.length < least) breaks(place, value.length, `should have at least ${least} items`);
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined;
  const unique = keys !== undefined || schema['x-kubernetes-list-type'] === 'set';
  const seen: Json[] = [];
  for (const [index, item] of value.entries()) {
    const below = { field: `${place.field}[${index}]`, violations: place.violations };
    if (schema.items !== undefined) check(item, schema.items, below);
    if (!unique) continue;
    const identity = keys === undefined ? item : keyOf(item, keys);
    if (seen.some((other) => equal(other, identity)))
      report(below, 'FieldValueDuplicate', `Duplicate value: ${JSON.stringify(identity)}`);
    seen.push(identity);
  }
}

const keyOf = (item: Json, keys: readonly string[]): Json =>
  isObject(item) ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item;

function checkObject(value: JsonObject, schema: Schema, place: Place): void {
  const path = (name: string): Place => ({
    field: place.field === '' ? name : `${place.field}.${name}`,
    violations: place.violations,
  });
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) report(path(name), 'FieldValueRequired', 'Required value');
  }
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  const most = number(schema, 'maxProperties');
  const least = number(schema, 'minProperties');
  if (most !== undefined && names.length > most) {
    report(
      place,
      'FieldValueTooMany',
      `Too many: ${names.length}: must have at most ${most} ${most === 1 ? 'item' : 'items'}`,
    );
  }
  if (least !== undefined && names.length < least)
    breaks(place, names.length, `should have at least ${least} properties`);
  for (const name of names) {
    const child = value[name];
    const declared = schema.properties?.[name];
    const below =
      declared ?? (isObject(schema.additionalProperties) ? (schema.additionalProperties as Schema) : undefined);
    if (child !== undefined && below !== undefined) check(child, below, path(name));
  }
}

function checkCombined(value: Json, schema: Schema, place: Place): void {
  const schemas = (keyword: string): Schema[] => (Array.isArray(schema[keyword]) ? (schema[keyword] as Schema[]) : []);
  const fits = (candidate: Schema): boolean => structuralViolations(value, candidate, place.field).length === 0;
  const anyOf = schemas('anyOf');
  const oneOf = schemas('oneOf');
  const [first] = anyOf;
  if (first !== undefined && !anyOf.some(fits)) {
    nameless(place, `"${place.field}" must validate at least one schema (anyOf)`);
    check(value, first, place);
  }
  const fitting = oneOf.filter(fits).length;
  if (oneOf.length > 0 && fitting !== 1) {
    const found = fitting === 0 ? 'Found none valid' : `Found ${fitting} valid alternatives`;
    nameless(place, `"${place.field}" must validate one and only one schema (oneOf). ${found}`);
  }
  const allOf = schemas('allOf');
  const broken = allOf.filter((part) => !fits(part));
  if (broken.length > 0) {
    const none = broken.length === allOf.length ? '. None validated' : '';
    nameless(place, `"${place.field}" must validate all the schemas (allOf)${none}`);
  }
  for (const part of broken) check(value, part, place);
  if (isObject(schema['not']) && fits(schema['not'] as Schema))
    nameless(place, `"${place.field}" must not validate the schema (not)`);
}
