import type { Value } from '@qdrant/js-client-grpc';
import { Double, type Json, type JsonObject } from './json.ts';

/** A protobuf message as one writes it down: without the type's own marks. */
type Kind = { case: string | undefined; value?: unknown };
export type ValueInit = { kind: Kind };

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

const NULL: ValueInit = { kind: { case: 'nullValue', value: 0 } };

/**
 * A JSON value as Qdrant's gRPC `Value`: integral numbers as integers, all others as doubles.
 *
 * @throws RangeError for an integer outside of int64, which gRPC can't carry
 */
export function toValue(json: Json): ValueInit {
  if (json === null) return NULL;
  if (typeof json === 'string') return { kind: { case: 'stringValue', value: json } };
  if (typeof json === 'boolean') return { kind: { case: 'boolValue', value: json } };
  if (typeof json === 'number') return numberValue(json);
  if (typeof json === 'bigint') {
    if (json > INT64_MAX || json < INT64_MIN) throw new RangeError(`${json} is no 64-bit integer`);
    return { kind: { case: 'integerValue', value: json } };
  }
  if (json instanceof Double) return { kind: { case: 'doubleValue', value: json.value } };
  if (isList(json)) return { kind: { case: 'listValue', value: { values: json.map(toValue) } } };
  return { kind: { case: 'structValue', value: { fields: toFields(json) } } };
}

/** As JSON text would have it: `1` is an integer, `1.5` and `1e30` are not. */
const numberValue = (number: number): ValueInit =>
  Number.isSafeInteger(number)
    ? { kind: { case: 'integerValue', value: BigInt(number) } }
    : { kind: { case: 'doubleValue', value: number } };

export const toFields = (object: JsonObject): Record<string, ValueInit> => mapValues(object, toValue);

/** The inverse of `toValue`. */
export function fromValue({ kind }: Value): Json {
  switch (kind.case) {
    case 'stringValue':
    case 'boolValue':
      return kind.value;
    case 'integerValue':
      return fromInteger(kind.value);
    case 'doubleValue':
      return Number.isInteger(kind.value) ? new Double(kind.value) : kind.value;
    case 'listValue':
      return kind.value.values.map(fromValue);
    case 'structValue':
      return fromFields(kind.value.fields);
    case 'nullValue':
    case undefined:
      return null;
  }
}

export const fromFields = (fields: Readonly<Record<string, Value>>): JsonObject => mapValues(fields, fromValue);

export const fromInteger = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

const isList = (json: readonly Json[] | JsonObject): json is readonly Json[] => Array.isArray(json);

function mapValues<A, B>(object: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  const result: Record<string, B> = {};
  for (const [key, value] of Object.entries(object)) {
    // A plain assignment to `__proto__` would set the prototype instead of the field.
    if (key === '__proto__')
      Object.defineProperty(result, key, {
        value: change(value),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else result[key] = change(value);
  }
  return result;
}
