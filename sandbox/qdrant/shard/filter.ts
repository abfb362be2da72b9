import { withoutBox } from '../base/doubles.ts';
import { EngineError } from '../base/errors.ts';
import { arrayOf, isArray, isObject, type Json, type JsonObject, maybeObject, objectOf } from '../base/json.ts';
import { geoMatches } from './geo.ts';
import { type Point, type PointId, parsePointId } from './point.ts';

export type Predicate = (point: Point) => boolean;
/** What a filter asks about payload keys: strict mode wants an index for each. */
export type CompiledFilter = {
  readonly matches: Predicate;
  readonly keys: readonly string[];
  readonly ids: readonly PointId[] | undefined;
};

const FIELD_CONDITIONS = ['match', 'range', 'geo_bounding_box', 'geo_radius', 'geo_polygon', 'values_count'];

/** Compiles a REST filter; 400 for conditions that are no conditions. */
export function compileFilter(filter: Json | undefined): CompiledFilter | undefined {
  if (filter === undefined || filter === null) return undefined;
  const keys = new Set<string>();
  const body = objectOf(filter, 'filter');
  const matches = compileClauses(body, keys);
  return { matches, keys: [...keys], ids: idsOnly(body) };
}

function compileClauses(filter: JsonObject, keys: Set<string>): Predicate {
  const must = clauses(filter.must, keys);
  const mustNot = clauses(filter.must_not, keys);
  const should = clauses(filter.should, keys);
  const minimum = maybeObject(filter, 'min_should');
  const few = clauses(minimum?.conditions, keys);
  const least = minimum === undefined ? 0 : Number(minimum.min_count);
  return (point) =>
    must.every((clause) => clause(point)) &&
    !mustNot.some((clause) => clause(point)) &&
    (should.length === 0 || should.some((clause) => clause(point))) &&
    few.filter((clause) => clause(point)).length >= least;
}

function clauses(value: Json | undefined, keys: Set<string>): Predicate[] {
  if (value === undefined || value === null) return [];
  const list = isArray(value) ? value : [value];
  return list.map((item) => compileCondition(objectOf(item, 'condition'), keys));
}

function compileCondition(condition: JsonObject, keys: Set<string>): Predicate {
  if (condition.has_id !== undefined) {
    const ids = new Set(arrayOf(condition.has_id, 'has_id').map(parsePointId));
    return (point) => ids.has(point.id);
  }
  if (typeof condition.has_vector === 'string') {
    const name = condition.has_vector;
    return (point) => point.vectors[name] !== undefined;
  }
  if (isObject(condition.is_empty)) {
    const key = keyOf(condition.is_empty, keys);
    return (point) =>
      valuesAt(point.payload, key).every((value) => value === null || (isArray(value) && !value.length));
  }
  if (isObject(condition.is_null)) {
    const key = keyOf(condition.is_null, keys);
    return (point) =>
      rawAt(point.payload, key).some((value) => value === null || (isArray(value) && value.includes(null)));
  }
  if (isObject(condition.nested)) return compileNested(condition.nested, keys);
  if (typeof condition.key === 'string') return compileField(condition, keyOf(condition, keys));
  if (['must', 'should', 'must_not', 'min_should'].some((name) => condition[name] !== undefined)) {
    return compileClauses(condition, keys);
  }
  throw new EngineError(
    'Format',
    'Expected some form of condition, which can be a field condition (like {"key": ..., "match": ... }), or some other mentioned in the documentation: https://qdrant.tech/documentation/concepts/filtering/#filtering-conditions',
  );
}

function keyOf(condition: JsonObject, keys: Set<string>): string {
  const { key } = condition;
  if (typeof key !== 'string') throw new EngineError('Format', 'missing field `key`');
  keys.add(key);
  return key;
}

function compileNested(nested: JsonObject, keys: Set<string>): Predicate {
  const { key } = nested;
  if (typeof key !== 'string') throw new EngineError('Format', 'missing field `key`');
  const inner = new Set<string>();
  const matches = compileClauses(objectOf(nested.filter, 'filter'), inner);
  for (const name of inner) keys.add(`${key}[].${name}`);
  return (point) =>
    rawAt(point.payload, key)
      .flatMap((value) => (isArray(value) ? value : [value]))
      .some((item) => isObject(item) && matches({ id: point.id, vectors: point.vectors, payload: item }));
}

function compileField(condition: JsonObject, key: string): Predicate {
  if (!FIELD_CONDITIONS.some((name) => condition[name] !== undefined && condition[name] !== null)) {
    if (condition.is_empty === true) return (point) => valuesAt(point.payload, key).length === 0;
    throw new EngineError('Validation', '[filter: At least one field condition must be specified]');
  }
  const tests: ((point: Point) => boolean)[] = [];
  if (isObject(condition.match)) {
    const test = compileMatch(condition.match);
    tests.push((point) => valuesAt(point.payload, key).some(test));
  }
  if (isObject(condition.range)) {
    const test = compileRange(condition.range);
    tests.push((point) => valuesAt(point.payload, key).some(test));
  }
  if (isObject(condition.values_count)) {
    const test = compileRange(condition.values_count);
    tests.push((point) => rawAt(point.payload, key).some((value) => test(countOf(value))));
  }
  const geo = geoMatches(condition);
  if (geo) tests.push((point) => rawAt(point.payload, key).some((value) => [value].flat().some(geo)));
  return (point) => tests.every((test) => test(point));
}

const countOf = (value: Json): number => (value === null ? 0 : isArray(value) ? value.length : 1);

function compileMatch(match: JsonObject): (value: Json) => boolean {
  if (match.value !== undefined) {
    const wanted = withoutBox(match.value);
    return (value) =>
      value === wanted || (typeof value === 'string' && typeof wanted === 'string' && sameUuid(value, wanted));
  }
  if (match.any !== undefined) {
    const wanted = new Set(arrayOf(match.any, 'any').map(withoutBox));
    return (value) => wanted.has(value);
  }
  if (match.except !== undefined) {
    const unwanted = new Set(arrayOf(match.except, 'except').map(withoutBox));
    return (value) => !unwanted.has(value);
  }
  if (typeof match.text === 'string') return textMatch(words(match.text), (all, found) => all.every(found));
  if (typeof match.text_any === 'string') return textMatch(words(match.text_any), (all, found) => all.some(found));
  if (typeof match.phrase === 'string') {
    const phrase = words(match.phrase).join(' ');
    return (value) => typeof value === 'string' && ` ${words(value).join(' ')} `.includes(` ${phrase} `);
  }
  throw new EngineError('Format', 'data did not match any variant of untagged enum Match');
}

const sameUuid = (a: string, b: string): boolean =>
  a.length === 36 && b.length === 36 && a.toLowerCase() === b.toLowerCase();
const words = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function textMatch(wanted: string[], rule: (all: string[], found: (word: string) => boolean) => boolean) {
  return (value: Json): boolean => {
    if (typeof value !== 'string') return false;
    const present = new Set(words(value));
    return wanted.length > 0 && rule(wanted, (word) => present.has(word));
  };
}

const OPERATORS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
};

/** A range over numbers, or over RFC 3339 times when a bound is a string. */
function compileRange(range: JsonObject): (value: Json) => boolean {
  const bounds = Object.entries(range).flatMap(([name, bound]) => {
    const compare = OPERATORS[name];
    if (compare === undefined || bound === undefined || bound === null) return [];
    return [
      { compare, bound: typeof bound === 'string' ? timeOf(bound) : Number(bound), time: typeof bound === 'string' },
    ];
  });
  return (value) =>
    bounds.every(({ compare, bound, time }) => {
      if (time) return typeof value === 'string' && compare(timeOf(value), bound);
      return (typeof value === 'number' || typeof value === 'bigint') && compare(Number(value), bound);
    });
}

function timeOf(text: string): number {
  // Times without a zone are UTC, as the server reads them.
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes(':') ? text : `${text.replace(' ', 'T')}Z`);
}

const PLAIN_KEY = /^[^."[\]]+$/;

/** The values at a payload path, before flattening; `a.b`, `a[].b`, `a[0]`. */
export function rawAt(payload: Json, path: string): Json[] {
  // Looks at a collection ask for every indexed key of every point.
  if (PLAIN_KEY.test(path)) return isObject(payload) && payload[path] !== undefined ? [payload[path]] : [];
  let current: Json[] = [payload];
  for (const part of path.match(/"[^"]*"|[^.[\]]+|\[\d*\]/g) ?? []) {
    current = current.flatMap((value) => step(value, part));
  }
  return current;
}

function step(value: Json, part: string): Json[] {
  if (part === '[]') return isArray(value) ? [...value] : [];
  if (part.startsWith('[')) return isArray(value) ? value.slice(Number(part.slice(1, -1))).slice(0, 1) : [];
  if (isArray(value)) return [];
  const name = part.startsWith('"') ? part.slice(1, -1) : part;
  if (!isObject(value) || value[name] === undefined) return [];
  return [value[name]];
}

/** The values at a path with arrays opened: what conditions test. */
export function valuesAt(payload: Json, path: string): Json[] {
  return rawAt(payload, path).flatMap((value) => (isArray(value) ? value.map(withoutBox) : [withoutBox(value)]));
}

function idsOnly(filter: JsonObject): PointId[] | undefined {
  const must = filter.must;
  const list = isArray(must) ? must : must === undefined ? [] : [must];
  const condition = list.find((item) => isObject(item) && item.has_id !== undefined);
  return isObject(condition) ? arrayOf(condition.has_id, 'has_id').map(parsePointId) : undefined;
}
