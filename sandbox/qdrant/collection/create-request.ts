import { EngineError } from '../base/errors.ts';
import {
  isObject,
  type Json,
  type JsonObject,
  maybeBoolean,
  maybeCount,
  maybeObject,
  maybeString,
  objectOf,
} from '../base/json.ts';
import type { Settings } from '../settings.ts';
import { merge } from '../state/collection-update.ts';
import type { CollectionUpdate } from '../state/operations.ts';
import type { CollectionConfig, NamedVectors, SparseParams, VectorParams } from '../state/types.ts';

export const DISTANCES = ['Cosine', 'Euclid', 'Dot', 'Manhattan'];
// `turbo4` passes the real parser and panics later (S1).
export const DATATYPES = ['float32', 'uint8', 'float16', 'turbo4'];
export const BAD_CHARACTERS = ['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u001f'];
const NO_VECTORS = 'data did not match any variant of untagged enum VectorsConfig';
export const MAX_DIMENSION = 65536;

const HNSW = { m: 16, ef_construct: 100, full_scan_threshold: 10000, max_indexing_threads: 0, on_disk: false };
const OPTIMIZERS = {
  deleted_threshold: 0.2,
  vacuum_min_vector_number: 1000,
  default_segment_number: 0,
  max_segment_size: null,
  memmap_threshold: null,
  indexing_threshold: 10000,
  flush_interval_sec: 5,
  max_optimization_threads: null,
  prevent_unoptimized: null,
};
const WAL = { wal_capacity_mb: 32, wal_segments_ahead: 0, wal_retain_closed: 1 };

export function checkName(name: string): void {
  const bad = BAD_CHARACTERS.find((character) => name.includes(character));
  const why =
    name.length === 0 || name.length > 255
      ? `value "${name}" invalid, must be from 1 to 255 characters`
      : `collection name cannot contain ${JSON.stringify(bad)} char`;
  if (name.length === 0 || name.length > 255 || bad !== undefined)
    throw new EngineError('PathValidation', `[collection_name: ${why}]`);
}

/** A create request as a full configuration; shard number 0 = one per peer. */
export function readCreate(body: JsonObject, settings: Settings): CollectionConfig {
  const sharding = maybeString(body, 'sharding_method');
  if (sharding !== undefined && !['auto', 'custom'].includes(sharding)) {
    throw new EngineError('Format', `unknown variant \`${sharding}\`, expected \`auto\` or \`custom\``);
  }
  const defaults = settings.collectionDefaults;
  const vectors = readVectors(body.vectors);
  const sparse = readSparse(body.sparse_vectors);
  const strict = maybeObject(body, 'strict_mode_config') ?? maybeObject(defaults, 'strict_mode');
  const metadata = maybeObject(body, 'metadata');
  const quantization = maybeObject(body, 'quantization_config') ?? maybeObject(defaults, 'quantization') ?? null;
  if (strict) checkStrictMode(strict);
  checkQuantization(quantization);
  return {
    params: {
      vectors: vectors ?? {},
      shard_number: maybeCount(body, 'shard_number', 1) ?? 0,
      ...(sharding === 'auto' || sharding === 'custom' ? { sharding_method: sharding } : {}),
      replication_factor: maybeCount(body, 'replication_factor', 1) ?? maybeCount(defaults, 'replication_factor') ?? 1,
      write_consistency_factor:
        maybeCount(body, 'write_consistency_factor', 1) ?? maybeCount(defaults, 'write_consistency_factor') ?? 1,
      on_disk_payload: maybeBoolean(body, 'on_disk_payload') ?? settings.onDiskPayload,
      ...(sparse ? { sparse_vectors: sparse } : {}),
    },
    hnsw_config: merge(merge(HNSW, known(HNSW, settings.hnswDefaults)), readHnsw(body)),
    optimizer_config: merge(
      merge(OPTIMIZERS, known(OPTIMIZERS, settings.optimizerDefaults)),
      maybeObject(body, 'optimizers_config'),
    ),
    wal_config: merge(merge(WAL, known(WAL, settings.walDefaults)), maybeObject(body, 'wal_config')),
    quantization_config: quantization,
    ...(strict ? { strict_mode_config: merge({}, strict) } : {}),
    ...(metadata ? { metadata } : {}),
  };
}

const known = (names: object, given: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(given).filter(([key]) => key in names));

function readHnsw(body: JsonObject): JsonObject | undefined {
  const hnsw = maybeObject(body, 'hnsw_config');
  if (hnsw) {
    within('hnsw_config', () => {
      maybeCount(hnsw, 'm');
      maybeCount(hnsw, 'ef_construct', 4);
    });
  }
  return hnsw;
}

function readVectors(value: Json | undefined): VectorParams | NamedVectors | undefined {
  if (value === undefined || value === null) return undefined;
  const object = objectOf(value, 'vectors');
  if (typeof object.size === 'number') return readVector(object);
  return Object.fromEntries(
    Object.entries(object).map(([name, params]) => {
      if (!isObject(params)) throw new EngineError('Format', NO_VECTORS);
      return [name, readVector(params)];
    }),
  );
}

function readVector(params: JsonObject): VectorParams {
  const { size, distance, datatype, multivector_config: multi } = params;
  const wrong = typeof size !== 'number' || !Number.isInteger(size) || size < 1;
  if (wrong || typeof distance !== 'string' || !DISTANCES.includes(distance))
    throw new EngineError('Format', NO_VECTORS);
  if (size > MAX_DIMENSION) {
    throw new EngineError('Validation', `[vectors.size: value ${size} invalid, must be from 1 to ${MAX_DIMENSION}]`);
  }
  if (datatype !== undefined && datatype !== null && !(typeof datatype === 'string' && DATATYPES.includes(datatype))) {
    throw new EngineError('Format', NO_VECTORS);
  }
  if (isObject(multi) && multi.comparator !== 'max_sim') throw new EngineError('Format', NO_VECTORS);
  const { hnsw_config: hnsw, quantization_config: quantization, on_disk: onDisk } = params;
  return {
    size,
    distance: distance as VectorParams['distance'],
    ...(isObject(hnsw) ? { hnsw_config: merge({}, hnsw) } : {}),
    ...(isObject(quantization) ? { quantization_config: quantization } : {}),
    ...(typeof onDisk === 'boolean' ? { on_disk: onDisk } : {}),
    ...(typeof datatype === 'string' ? { datatype: datatype as NonNullable<VectorParams['datatype']> } : {}),
    ...(isObject(multi) ? { multivector_config: { comparator: 'max_sim' } } : {}),
  };
}

function readSparse(value: Json | undefined): Record<string, SparseParams> | undefined {
  if (value === undefined || value === null) return undefined;
  return Object.fromEntries(
    Object.entries(objectOf(value, 'sparse_vectors')).map(([name, params]) => {
      const modifier = isObject(params) ? params.modifier : undefined;
      if (typeof modifier === 'string' && !['none', 'idf'].includes(modifier))
        throw new EngineError('Format', `unknown variant \`${modifier}\`, expected \`none\` or \`idf\``);
      return [name, merge({}, isObject(params) ? params : {}) as SparseParams];
    }),
  );
}

/** Names the section in what a check of its fields says. */
function within(section: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind !== 'Validation') throw error;
    throw new EngineError('Validation', error.description.replace('[', `[${section}.`));
  }
}

function checkQuantization(quantization: JsonObject | null): void {
  const quantile = isObject(quantization?.scalar) ? quantization.scalar.quantile : undefined;
  if (typeof quantile !== 'number' || (quantile >= 0.5 && quantile <= 1)) return;
  const why = `value ${Math.fround(quantile)} invalid, must be from 0.5 to 1.0`;
  throw new EngineError('Validation', `[quantization_config.scalar.quantile: ${why}]`);
}

function checkStrictMode(strict: JsonObject): void {
  for (const name of ['read_rate_limit', 'write_rate_limit', 'max_query_limit', 'max_points_count', 'max_timeout']) {
    within('strict_mode_config', () => maybeCount(strict, name, 1));
  }
}

/** A PATCH body; 400 for what has the wrong type. Unknown and immutable fields are ignored, as the server does. */
export function readUpdate(body: JsonObject): CollectionUpdate {
  const quantization = body.quantization_config;
  const strict = maybeObject(body, 'strict_mode_config');
  if (strict) checkStrictMode(strict);
  const params = maybeObject(body, 'params');
  if (params) {
    maybeCount(params, 'replication_factor', 1);
    maybeCount(params, 'write_consistency_factor', 1);
  }
  const MUTABLE = [
    'replication_factor',
    'write_consistency_factor',
    'read_fan_out_factor',
    'read_fan_out_delay_ms',
    'on_disk_payload',
  ];
  return {
    ...objectOr('vectors', body, objectsIn),
    ...objectOr('sparse_vectors', body, objectsIn),
    ...objectOr('hnsw_config', body),
    ...objectOr('optimizers_config', body),
    ...objectOr('metadata', body),
    ...(params ? { params: Object.fromEntries(Object.entries(params).filter(([key]) => MUTABLE.includes(key))) } : {}),
    ...(strict ? { strict_mode_config: strict } : {}),
    ...(quantization === 'Disabled' || isObject(quantization) ? { quantization_config: quantization } : {}),
  };
}

function objectOr(
  name: string,
  body: JsonObject,
  check: (value: JsonObject) => JsonObject = (value) => value,
): JsonObject {
  const value = maybeObject(body, name);
  return value ? { [name]: check(value) } : {};
}

function objectsIn(value: JsonObject): JsonObject {
  for (const [name, inner] of Object.entries(value)) objectOf(inner, name);
  return value;
}
