import { EngineError } from '../base/errors.ts';
import {
  arrayOf,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  maybeCount,
  maybeObject,
  objectOf,
  stringifyJson,
} from '../base/json.ts';
import { compileFilter } from '../shard/filter.ts';
import type { ShardOperation, Target, UpdateMode } from '../shard/operations.ts';
import { type Point, type PointId, parsePointId } from '../shard/point.ts';
import { parseVectors } from '../shard/vectors.ts';
import type { CollectionParams, CollectionState, ShardKey } from '../state/types.ts';

const MODES: readonly UpdateMode[] = ['upsert', 'insert_only', 'update_only'];

/** Reads the body of an upsert in either of its two forms. */
export function readUpsert(body: JsonObject, params: CollectionParams): ShardOperation {
  const points = isObject(body.batch) ? readBatch(body.batch, params) : readPoints(body, params);
  const mode = MODES.find((name) => name === body.update_mode);
  if (mode === undefined && body.update_mode !== undefined && body.update_mode !== null) {
    throw new EngineError(
      'Format',
      `unknown variant \`${stringifyJson(body.update_mode)}\`, expected one of ${MODES.join(', ')}`,
    );
  }
  const filter = readFilter(body.update_filter);
  return { kind: 'upsert', points, ...(mode ? { mode } : {}), ...(filter === undefined ? {} : { filter }) };
}

function readPoints(body: JsonObject, params: CollectionParams): Point[] {
  if (body.points === undefined) throw new EngineError('Format', 'Invalid PointInsertOperations format');
  const given = arrayOf(body.points, 'points');
  if (given.length === 0) throw new EngineError('BadRequest', 'Empty update request');
  return given.map((item) => {
    const point = objectOf(item, 'point');
    return {
      id: parsePointId(point.id),
      vectors: parseVectors(point.vector, params),
      payload: maybeObject(point, 'payload') ?? {},
    };
  });
}

function readBatch(batch: JsonObject, params: CollectionParams): Point[] {
  const ids = arrayOf(batch.ids, 'ids').map(parsePointId);
  const { vectors, payloads } = batch;
  const count = isArray(vectors) ? vectors.length : namedLength(vectors);
  if (count !== undefined && count !== ids.length) {
    throw new EngineError(
      'Validation',
      `[batch.batch: number of ids and vectors must be equal (${ids.length} != ${count})]`,
    );
  }
  if (isArray(payloads) && payloads.length !== ids.length) {
    throw new EngineError(
      'Validation',
      `[batch.batch: number of ids and payloads must be equal (${ids.length} != ${payloads.length})]`,
    );
  }
  return ids.map((id, index) => {
    const payload = isArray(payloads) ? payloads[index] : undefined;
    return {
      id,
      vectors: parseVectors(batchVector(vectors, index), params),
      payload: isObject(payload) ? payload : {},
    };
  });
}

const namedLength = (vectors: Json | undefined): number | undefined =>
  isObject(vectors) ? Object.values(vectors).find((list) => isArray(list))?.length : undefined;

function batchVector(vectors: Json | undefined, index: number): Json | undefined {
  if (isArray(vectors)) return vectors[index];
  const named = Object.entries(objectOf(vectors, 'vectors'));
  return Object.fromEntries(named.map(([name, list]) => [name, arrayOf(list, name)[index]]));
}

/** Checks a filter and gives it back as it came: it travels to the shards as JSON. */
export function readFilter(filter: Json | undefined): Json | undefined {
  if (filter === undefined || filter === null) return undefined;
  compileFilter(filter);
  return filter;
}

const NO_SELECTOR = 'data did not match any variant of untagged enum PointsSelector';
const NO_TARGET = 'Either list of point ids or filter must be provided';

/** `points` or `filter` of a payload, vector or delete operation. */
export function readTarget(body: JsonObject, missing = NO_SELECTOR): Target {
  if (isArray(body.points)) return { ids: body.points.map(parsePointId) };
  const filter = readFilter(body.filter);
  if (filter === undefined) throw new EngineError('Format', missing);
  return { filter };
}

export function readSetPayload(body: JsonObject, kind: 'setPayload' | 'overwritePayload'): ShardOperation {
  const payload = objectOf(body.payload, 'payload');
  const target = readTarget(body, NO_TARGET);
  return kind === 'setPayload' && typeof body.key === 'string'
    ? { kind, target, payload, key: body.key }
    : { kind, target, payload };
}

export function readDeletePayload(body: JsonObject): ShardOperation {
  return { kind: 'deletePayload', target: readTarget(body), keys: arrayOf(body.keys, 'keys').map(String) };
}

export function readUpdateVectors(body: JsonObject, params: CollectionParams): ShardOperation {
  const filter = readFilter(body.update_filter);
  const points = arrayOf(body.points, 'points').map((item) => {
    const point = objectOf(item, 'point');
    return { id: parsePointId(point.id), vectors: parseVectors(point.vector, params) };
  });
  return { kind: 'updateVectors', points, ...(filter === undefined ? {} : { filter }) };
}

export function readDeleteVectors(body: JsonObject): ShardOperation {
  return { kind: 'deleteVectors', target: readTarget(body), names: arrayOf(body.vector, 'vector').map(String) };
}

/** The shard key of a write: a name, or the target of `{target, fallback}` if it exists. */
export function readWriteKey(value: Json | undefined, collection: CollectionState): ShardKey | undefined {
  const keys = readKeys(value, collection);
  return keys?.[0];
}

export function readKeys(value: Json | undefined, collection: CollectionState): ShardKey[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (isArray(value)) return value.flatMap((item) => readKeys(item, collection) ?? []);
  if (typeof value === 'string' || typeof value === 'number') return [value];
  const { target, fallback } = objectOf(value, 'shard_key');
  const shards = collection.shards.filter((shard) => shard.key === target);
  const active = shards.length > 0 && shards.every((shard) => Object.values(shard.replicas).includes('Active'));
  return readKeys(active ? target : fallback, collection);
}

export type Selection = {
  readonly payload: boolean | readonly string[] | { readonly exclude: readonly string[] };
  readonly vectors: boolean | readonly string[];
};

/** `with_payload` and `with_vector` (`with_vectors` is understood too). */
export function readSelection(body: JsonObject, payloadByDefault: boolean): Selection {
  const vectors = body.with_vector ?? body.with_vectors ?? false;
  return {
    payload: readPayloadSelection(body.with_payload, payloadByDefault),
    vectors: isArray(vectors) ? vectors.map(String) : vectors === true,
  };
}

function readPayloadSelection(value: Json | undefined, byDefault: boolean): Selection['payload'] {
  if (value === undefined || value === null) return byDefault;
  if (typeof value === 'boolean') return value;
  if (isArray(value)) return value.map(String);
  const { include, exclude } = objectOf(value, 'with_payload');
  if (isArray(include)) return include.map(String);
  return { exclude: arrayOf(exclude, 'exclude').map(String) };
}

export function readLimit(body: JsonObject, where: string): number {
  const { limit } = body;
  if (limit === 0) throw new EngineError('Validation', `[${where}.limit: value 0 invalid, must be 1 or larger]`);
  return maybeCount(body, 'limit') ?? 10;
}

export const readOffset = (value: Json | undefined): PointId | undefined =>
  value === undefined || value === null ? undefined : parsePointId(value);
