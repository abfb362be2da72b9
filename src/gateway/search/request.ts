import { GatewayError } from '../errors.ts';

/** How many libraries are asked: those that the sketches name, so many that nothing can be missed, or all. */
export type Ask = 'routed' | 'proved' | 'all';

export type SearchRequest = {
  readonly query: { readonly text: string } | { readonly vector: readonly number[] };
  readonly limit: number;
  /** Qdrant's filter, passed on as it is. */
  readonly filter: unknown;
  /** Public names; undefined = all. */
  readonly libraries: readonly string[] | undefined;
  readonly domains: readonly string[] | undefined;
  /** Name of the vector; undefined = the one that the library's job writes, or its only one. */
  readonly using: string | undefined;
  readonly exact: boolean;
  readonly ask: Ask;
  readonly withPayload: unknown;
  /** For the whole search. */
  readonly timeoutSeconds: number;
};

const FIELDS = [
  'text',
  'vector',
  'limit',
  'filter',
  'libraries',
  'domains',
  'using',
  'exact',
  'ask',
  'with_payload',
  'timeout',
];
const ASKS: readonly string[] = ['routed', 'proved', 'all'];

/** @throws GatewayError `BadRequest` naming field, value and rule */
export function searchRequest(body: unknown): SearchRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw wrong('the body', body, 'must be an object');
  const given = body as Readonly<Record<string, unknown>>;
  const stranger = Object.keys(given).find((name) => !FIELDS.includes(name));
  if (stranger !== undefined) throw wrong(stranger, given[stranger], `is not a field; known: ${FIELDS.join(', ')}`);
  const exact = flag(given, 'exact');
  const ask = given['ask'] ?? (exact ? 'all' : 'routed');
  if (typeof ask !== 'string' || !ASKS.includes(ask)) throw wrong('ask', ask, `must be one of ${ASKS.join(', ')}`);
  const using = given['using'];
  if (using !== undefined && typeof using !== 'string') throw wrong('using', using, 'must be the name of a vector');
  return {
    query: queryOf(given),
    limit: integer(given, 'limit', { min: 1, max: 1000, fallback: 10 }),
    filter: given['filter'],
    libraries: names(given, 'libraries'),
    domains: names(given, 'domains'),
    using,
    exact,
    ask: ask as Ask,
    withPayload: given['with_payload'] ?? true,
    timeoutSeconds: integer(given, 'timeout', { min: 1, max: 600, fallback: 30 }),
  };
}

function queryOf({ text, vector }: Readonly<Record<string, unknown>>): SearchRequest['query'] {
  if ((text === undefined) === (vector === undefined))
    throw wrong('text and vector', undefined, 'exactly one must be set');
  if (text !== undefined) {
    if (typeof text !== 'string' || text.trim() === '' || text.length > 32_768)
      throw wrong('text', undefined, 'must be a text of 1 to 32768 characters');
    return { text };
  }
  const numbers = Array.isArray(vector) && vector.length > 0 && vector.every((value) => Number.isFinite(value));
  if (!numbers) throw wrong('vector', undefined, 'must be a list of numbers');
  return { vector: vector as number[] };
}

type Bounds = { readonly min: number; readonly max: number; readonly fallback: number };

function integer(given: Readonly<Record<string, unknown>>, name: string, { min, max, fallback }: Bounds): number {
  const value = given[name] ?? fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw wrong(name, value, `must be a whole number from ${min} to ${max}`);
}

function flag(given: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = given[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw wrong(name, value, 'must be true or false');
}

function names(given: Readonly<Record<string, unknown>>, name: string): readonly string[] | undefined {
  const value = given[name];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')) return value;
  throw wrong(name, value, 'must be a list of one or more names');
}

const wrong = (field: string, value: unknown, rule: string): GatewayError =>
  new GatewayError(
    'BadRequest',
    `${field}${value === undefined ? '' : ` = ${String(JSON.stringify(value)).slice(0, 100)}`}: ${rule}`,
  );
