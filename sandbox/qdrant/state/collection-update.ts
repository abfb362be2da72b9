import { EngineError } from '../base/errors.ts';
import { isObject, type Json, type JsonObject } from '../base/json.ts';
import type { CollectionUpdate } from './operations.ts';
import { ReplicaPanic } from './panic.ts';
import {
  type CollectionConfig,
  type CollectionParams,
  type CollectionState,
  denseVectors,
  isSingleVector,
  type SparseParams,
  type VectorParams,
} from './types.ts';

/** PATCH: what is named is merged, what is absent or null stays; unknown vector names are refused before any change. */
export function applyUpdate(collection: CollectionState, update: CollectionUpdate): boolean {
  const { config } = collection;
  const params = updateParams(config.params, update);
  collection.config = {
    ...config,
    params,
    hnsw_config: merge(config.hnsw_config, update.hnsw_config),
    optimizer_config: merge(config.optimizer_config, update.optimizers_config),
    quantization_config: quantization(config, update),
    ...optional('strict_mode_config', config.strict_mode_config, update.strict_mode_config),
    ...metadata(config, update),
  };
  return true;
}

function quantization(config: CollectionConfig, update: CollectionUpdate): JsonObject | null {
  if (update.quantization_config === undefined) return config.quantization_config;
  return update.quantization_config === 'Disabled' ? null : update.quantization_config;
}

function optional(name: string, present: JsonObject | undefined, change: JsonObject | undefined): object {
  return change === undefined ? {} : { [name]: merge(present ?? {}, change) };
}

/** Metadata is merged at the top level; null removes a key. */
function metadata(config: CollectionConfig, update: CollectionUpdate): object {
  if (update.metadata === undefined) return {};
  const merged = { ...config.metadata, ...update.metadata };
  return { metadata: Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null)) };
}

export function merge(present: JsonObject, change: JsonObject | undefined): JsonObject {
  const given = Object.entries(change ?? {}).filter(([, value]) => value !== null && value !== undefined);
  const merged: Record<string, Json | undefined> = { ...present };
  for (const [key, value] of given) merged[key] = value;
  return merged;
}

function updateParams(params: CollectionParams, update: CollectionUpdate): CollectionParams {
  const dense: Record<string, VectorParams> = { ...denseVectors(params) };
  for (const [name, change] of Object.entries(update.vectors ?? {})) {
    const vector = dense[name];
    if (!vector) throw new EngineError('BadInput', `Not existing vector name error: ${name}`);
    dense[name] = updateVector(vector, change);
  }
  const sparse: Record<string, SparseParams> = { ...params.sparse_vectors };
  for (const [name, change] of Object.entries(update.sparse_vectors ?? {})) {
    const vector = sparse[name];
    if (!vector) throw new EngineError('BadInput', `Not existing vector name error: ${name}`);
    sparse[name] = { ...vector, ...(merge({}, change) as SparseParams) };
  }
  const single = params.vectors !== undefined && isSingleVector(params.vectors);
  const unnamed = dense[''];
  return {
    ...params,
    ...(merge({}, update.params) as Partial<CollectionParams>),
    ...(params.vectors === undefined ? {} : { vectors: single && unnamed ? unnamed : dense }),
    ...(params.sparse_vectors === undefined ? {} : { sparse_vectors: sparse }),
  };
}

function updateVector(vector: VectorParams, change: JsonObject): VectorParams {
  const { quantization_config: present, ...rest } = vector;
  const { hnsw_config: hnsw, quantization_config: wanted, on_disk: onDisk } = change;
  const kept = wanted === 'Disabled' ? undefined : isObject(wanted) ? wanted : present;
  return {
    ...rest,
    ...(isObject(hnsw) ? { hnsw_config: merge(vector.hnsw_config ?? {}, hnsw) } : {}),
    ...(kept === undefined ? {} : { quantization_config: kept }),
    ...(typeof onDisk === 'boolean' ? { on_disk: onDisk } : {}),
  };
}

/** Adds a named vector or takes one away (`body` null): what is there in the same form, or not there, is no error. */
export function applyVectorName(collection: CollectionState, name: string, body: JsonObject | null): boolean {
  const { params } = collection.config;
  const dense: Record<string, VectorParams> = { ...denseVectors(params) };
  const sparse: Record<string, SparseParams> = { ...params.sparse_vectors };
  if (body === null) {
    delete dense[name];
    delete sparse[name];
  } else if (isObject(body.dense)) addDense({ dense, sparse }, name, body.dense as VectorParams);
  else if (isObject(body.sparse)) addSparse({ dense, sparse }, name, body.sparse as SparseParams);
  const { vectors, sparse_vectors: before, ...rest } = params;
  const unnamed = dense[''];
  // Beside a named one the unnamed vector is shown by its empty name.
  const single = vectors !== undefined && isSingleVector(vectors) && unnamed && Object.keys(dense).length === 1;
  collection.config = {
    ...collection.config,
    params: {
      ...rest,
      vectors: single ? unnamed : dense,
      ...(before !== undefined || Object.keys(sparse).length > 0 ? { sparse_vectors: sparse } : {}),
    },
  };
  return true;
}

type Vectors = { readonly dense: Record<string, VectorParams>; readonly sparse: Record<string, SparseParams> };

function addDense({ dense, sparse }: Vectors, name: string, wanted: VectorParams): void {
  const has = dense[name];
  // What PATCH tunes later is not compared; a datatype that is not said is none that is said.
  const shape = ({ size, distance, datatype, multivector_config: multi }: VectorParams): string =>
    JSON.stringify([size, distance, datatype, multi?.comparator]);
  if (has !== undefined) {
    if (shape(has) !== shape(wanted)) throw conflict(`Vector \`${name}\``, 'with a different configuration');
    return;
  }
  if (sparse[name] !== undefined) throw conflict(`Vector \`${name}\``, 'as a sparse vector');
  // S1: where a collection is made consensus stops at once; here 1.18 goes on until its restart, and never after it.
  if (wanted.datatype === 'turbo4') {
    throw new ReplicaPanic('not implemented: turbo4 datatype storage not yet wired up');
  }
  dense[name] = wanted;
}

function addSparse({ dense, sparse }: Vectors, name: string, wanted: SparseParams): void {
  const has = sparse[name];
  const shape = ({ modifier, index }: SparseParams): string => JSON.stringify([modifier, index?.datatype]);
  if (has !== undefined) {
    if (shape(has) !== shape(wanted)) throw conflict(`Sparse vector \`${name}\``, 'with a different configuration');
    return;
  }
  if (dense[name] !== undefined) throw conflict(`Vector \`${name}\``, 'as a dense vector');
  sparse[name] = wanted;
}

const conflict = (what: string, how: string): EngineError =>
  new EngineError('BadInput', `${what} already exists ${how}`);
