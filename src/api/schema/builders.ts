import { type Static, type TArray, type TObject, type TProperties, type TSchema, type TUnsafe, Type } from 'typebox';
import type { CelRule, StructuralSchema } from './types.ts';

/** The largest integer that JSON, JavaScript and Kubernetes agree on (2^53 - 1). */
const MAX_SAFE = Number.MAX_SAFE_INTEGER;
const MAX_INT32 = 2 ** 31 - 1;

type Rules = { readonly rules?: readonly CelRule[] };
type TextOptions = Rules & {
  readonly max: number;
  readonly min?: number;
  readonly pattern?: string;
  readonly default?: string;
};
type IntegerOptions = Rules & { readonly min: number; readonly max: number; readonly default?: number };
type ListOptions = Rules & {
  readonly max: number;
  readonly min?: number;
  /** Field names that identify an item: makes the list a map that server-side apply merges item by item. */
  readonly keys?: readonly string[];
  /** Items are scalars that occur once. */
  readonly set?: boolean;
};
type ObjectOptions = Rules & { readonly default?: object; readonly atomic?: boolean; readonly minProperties?: number };

const withRules = (rules: readonly CelRule[] | undefined) =>
  rules === undefined || rules.length === 0 ? {} : { 'x-kubernetes-validations': rules };

const withDefault = (value: unknown) => (value === undefined ? {} : { default: value });

export const optional = Type.Optional;

export function text(description: string, options: TextOptions): TUnsafe<string> {
  const { max, min, pattern } = options;
  return Type.Unsafe<string>({
    type: 'string',
    description,
    maxLength: max,
    ...(min === undefined ? {} : { minLength: min }),
    ...(pattern === undefined ? {} : { pattern }),
    ...withDefault(options.default),
    ...withRules(options.rules),
  });
}

/** One of some words. */
export function choice<const Word extends string>(
  description: string,
  words: readonly Word[],
  options: Rules & { readonly default?: NoInfer<Word> } = {},
): TUnsafe<Word> {
  return Type.Unsafe<Word>({
    type: 'string',
    description,
    enum: [...words],
    ...withDefault(options.default),
    ...withRules(options.rules),
  });
}

/** A whole number; int64 where the upper bound asks for it. */
export function integer(description: string, options: IntegerOptions): TUnsafe<number> {
  return Type.Unsafe<number>({
    type: 'integer',
    format: options.max > MAX_INT32 ? 'int64' : 'int32',
    description,
    minimum: options.min,
    maximum: options.max,
    ...withDefault(options.default),
    ...withRules(options.rules),
  });
}

/** A whole number from 0 that only the precision of JSON bounds (points, bytes, ids). */
export const big = (description: string): TUnsafe<number> => integer(description, { min: 0, max: MAX_SAFE });

export function flag(description: string, options: { readonly default?: boolean } = {}): TUnsafe<boolean> {
  return Type.Unsafe<boolean>({ type: 'boolean', description, ...withDefault(options.default) });
}

/** A moment, RFC 3339. */
export const time = (description: string): TUnsafe<string> =>
  Type.Unsafe<string>({ type: 'string', format: 'date-time', description });

export function object<Properties extends TProperties>(
  description: string,
  properties: Properties,
  options: ObjectOptions = {},
): TObject<Properties> {
  return Type.Object(properties, {
    description,
    ...(options.atomic === true ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(options.minProperties === undefined ? {} : { minProperties: options.minProperties }),
    ...withDefault(options.default),
    ...withRules(options.rules),
  });
}

export function list<Item extends TSchema>(description: string, items: Item, options: ListOptions): TArray<Item> {
  return Type.Array(items, {
    description,
    maxItems: options.max,
    ...(options.min === undefined ? {} : { minItems: options.min }),
    ...(options.keys === undefined
      ? { 'x-kubernetes-list-type': options.set === true ? 'set' : 'atomic' }
      : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [...options.keys] }),
    ...withRules(options.rules),
  });
}

/** Names to values of one shape. */
export function map<Value extends TSchema>(
  description: string,
  values: Value,
  options: Rules & { readonly max: number },
): TUnsafe<Record<string, Static<Value>>> {
  return Type.Unsafe<Record<string, Static<Value>>>({
    type: 'object',
    description,
    additionalProperties: values,
    maxProperties: options.max,
    ...withRules(options.rules),
  });
}

/**
 * An object that is passed on as it is.
 *
 * @param known fields that rules look at; CEL sees declared fields only
 */
export function verbatim<Shape = Record<string, unknown>>(
  description: string,
  known?: TProperties,
  options: Rules = {},
): TUnsafe<Shape> {
  return Type.Unsafe<Shape>({
    type: 'object',
    description,
    'x-kubernetes-preserve-unknown-fields': true,
    ...(known === undefined ? {} : { properties: known }),
    ...withRules(options.rules),
  });
}

/** A number or a text, only where Kubernetes itself has such a field. */
export function intOrString(description: string, options: { max: number; pattern?: string }): TUnsafe<number | string> {
  return Type.Unsafe<number | string>({
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    description,
    maxLength: options.max,
    ...(options.pattern === undefined ? {} : { pattern: options.pattern }),
  });
}

/** The schema as a plain JSON tree, without TypeBox's marks: what a CRD holds. */
export function toStructural(schema: TSchema): StructuralSchema {
  const plain: StructuralSchema = JSON.parse(
    JSON.stringify(schema, (key, value) => (key.startsWith('~') ? undefined : value)),
  );
  return plain;
}
