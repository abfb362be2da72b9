import { isWholeDouble, rawJson, wholeDouble } from './doubles.ts';
import { EngineError } from './errors.ts';
import type { Json, JsonObject } from './json-value.ts';

export type { Json, JsonObject } from './json-value.ts';

// Fractions are excluded: only an integer beyond 2^53 needs more care than a double gives.
const LONG_INTEGER = /(?<![\d.eE+])\d{16,}(?![\d.eE])/;

const WHOLE_DOUBLE = /\d\.0+(?!\d)|\d[eE]/;

/**
 * Parses JSON; integers beyond 2^53 become BigInt, as point ids reach 2^64-1.
 *
 * @param options `doubles`: keep `1.0` apart from `1`, for payloads
 */
export function parseJson(text: string, options: { doubles?: boolean } = {}): Json {
  const doubles = options.doubles === true && WHOLE_DOUBLE.test(text);
  if (!doubles && !LONG_INTEGER.test(text)) return JSON.parse(text);
  return parseWithSource(text, (_key, value, context) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) return value;
    const source = context.source ?? '';
    if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? value : BigInt(source);
    return doubles ? wholeDouble(value) : value;
  });
}

type Reviver = (key: string, value: Json, context: { readonly source?: string }) => Json;
// The type library doesn't know the reviver's third argument yet.
const parseWithSource: (text: string, reviver: Reviver) => Json = JSON.parse as (
  text: string,
  reviver: unknown,
) => Json;

/** Writes JSON; BigInt becomes a plain integer. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? rawJson(String(item)) : item));
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isWholeDouble(value);
}

export function isArray(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** The body as an object; 400 otherwise. */
export function objectOf(value: unknown, where = 'body'): JsonObject {
  if (isObject(value)) return value;
  throw new EngineError('Format', `${where}: invalid type, expected an object`);
}

export function arrayOf(value: unknown, where: string): readonly Json[] {
  if (isArray(value)) return value;
  throw new EngineError('Format', `${where}: invalid type, expected a sequence`);
}

export function stringOf(object: JsonObject, key: string): string {
  const value = object[key];
  if (typeof value === 'string') return value;
  throw new EngineError('Format', value === undefined ? `missing field \`${key}\`` : `${key}: expected a string`);
}

export function maybeString(object: JsonObject, key: string): string | undefined {
  return object[key] === undefined || object[key] === null ? undefined : stringOf(object, key);
}

export function numberOf(object: JsonObject, key: string): number {
  const value = object[key];
  if (typeof value === 'number') return value;
  throw new EngineError('Format', value === undefined ? `missing field \`${key}\`` : `${key}: expected a number`);
}

export function maybeNumber(object: JsonObject, key: string): number | undefined {
  return object[key] === undefined || object[key] === null ? undefined : numberOf(object, key);
}

/** A count of at least `least`; 422 below it, 400 for what is no unsigned integer. */
export function maybeCount(object: JsonObject, key: string, least = 0): number | undefined {
  const value = maybeNumber(object, key);
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || value < 0) {
    throw new EngineError('Format', `${key}: invalid value: \`${value}\`, expected an unsigned integer`);
  }
  if (value < least) {
    throw new EngineError('Validation', `[${key}: value ${value} invalid, must be ${least} or larger]`);
  }
  return value;
}

export function maybeBoolean(object: JsonObject, key: string): boolean | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw new EngineError('Format', `${key}: invalid type, expected a boolean`);
}

export function maybeObject(object: JsonObject, key: string): JsonObject | undefined {
  return object[key] === undefined || object[key] === null ? undefined : objectOf(object[key], key);
}
