import { isWholeDouble } from '../base/doubles.ts';
import { EngineError } from '../base/errors.ts';
import { isArray, isObject, type Json, type JsonObject } from '../base/json.ts';
import { type CollectionParams, denseVectors, type VectorParams } from '../state/types.ts';
import { isMulti, isSparse, type SparseVector, type Vectors, type VectorValue } from './point.ts';

const NO_VARIANT = 'data did not match any variant of untagged enum VectorStruct';

/** Reads the `vector` of a point as the collection wants it stored; 400 for wrong names, kinds or dimensions. */
export function parseVectors(value: Json | undefined, params: CollectionParams): Vectors {
  if (value === undefined || value === null) throw new EngineError('Format', 'missing field `vector`');
  if (isArray(value)) return { '': parseVector('', value, params) };
  if (!isObject(value)) throw new EngineError('Format', NO_VARIANT);
  const vectors: Record<string, VectorValue> = {};
  for (const [name, vector] of Object.entries(value)) {
    if (vector !== undefined) vectors[name] = parseVector(name, vector, params);
  }
  return vectors;
}

export function parseVector(name: string, value: Json, params: CollectionParams): VectorValue {
  const dense = denseVectors(params)[name];
  if (isObject(value)) {
    if (params.sparse_vectors?.[name] === undefined) throw dense ? wrongKind() : unknownName(name);
    return parseSparse(value);
  }
  if (!isArray(value)) throw new EngineError('Format', NO_VARIANT);
  if (dense === undefined) {
    throw params.sparse_vectors?.[name] === undefined ? unknownName(name) : wrongKind();
  }
  const multi = isArray(value[0]);
  if (multi !== (dense.multivector_config !== undefined)) {
    // A flat vector is accepted where a multivector of one row is meant.
    if (multi) throw new EngineError('BadInput', 'Conversion between multi and regular vectors failed');
    return [storedVector(numbers(value), dense)];
  }
  return multi ? value.map((row) => storedVector(numbers(row), dense)) : storedVector(numbers(value), dense);
}

const unknownName = (name: string): EngineError =>
  new EngineError('BadInput', `Not existing vector name error: ${name}`);
const wrongKind = (): EngineError =>
  new EngineError('BadInput', 'Conversion between sparse and regular vectors failed');

function numbers(value: Json | undefined): number[] {
  if (
    !isArray(value) ||
    !value.every((item) => typeof item === 'number' || typeof item === 'bigint' || isWholeDouble(item))
  ) {
    throw new EngineError('Format', NO_VARIANT);
  }
  return value.map(Number);
}

/** A dense vector as stored: checked, normalised for Cosine, rounded to the datatype. */
export function storedVector(values: ArrayLike<number>, params: VectorParams): Float32Array {
  if (values.length !== params.size) {
    throw new EngineError('BadInput', `Vector dimension error: expected dim: ${params.size}, got ${values.length}`);
  }
  const vector = Float32Array.from(values);
  if (params.distance === 'Cosine' && params.datatype !== 'uint8') normalize(vector);
  return roundTo(vector, params.datatype);
}

function normalize(vector: Float32Array): void {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  // Already of length one: a copy of a copy must stay bit-identical.
  if (sum === 0 || Math.abs(sum - 1) < 1e-6) return;
  for (let index = 0; index < vector.length; index += 1) vector[index] = (vector[index] ?? 0) / length;
}

function roundTo(vector: Float32Array, datatype: VectorParams['datatype']): Float32Array {
  if (datatype === 'uint8') return vector.map((value) => Math.min(255, Math.max(0, Math.trunc(value))));
  if (datatype === 'float16') return vector.map((value) => Math.f16round(value));
  return vector;
}

export function parseSparse(value: JsonObject): SparseVector {
  const { indices, values } = value;
  if (!isArray(indices) || !isArray(values)) throw new EngineError('Format', NO_VARIANT);
  return sparseVector(indices.map(Number), values.map(Number));
}

/** A sparse vector with its indices in order, as the server stores it. */
export function sparseVector(indices: readonly number[], values: readonly number[]): SparseVector {
  if (indices.length !== values.length) {
    throw new EngineError('Validation', '[values: must be the same length as indices]');
  }
  if (new Set(indices).size !== indices.length) throw new EngineError('Validation', '[indices: must be unique]');
  const order = indices.map((_, position) => position).toSorted((a, b) => (indices[a] ?? 0) - (indices[b] ?? 0));
  return {
    indices: Uint32Array.from(order, (position) => indices[position] ?? 0),
    values: Float32Array.from(order, (position) => values[position] ?? 0),
  };
}

/** The shortest decimal that gives the same 32-bit float back: what the server writes. */
export function shortFloat(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  if (Math.fround(value) !== value || Number.isInteger(value)) return value;
  for (const digits of [7, 8]) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

export function vectorToJson(vector: VectorValue): Json {
  if (isMulti(vector)) return vector.map((row) => Array.from(row, shortFloat));
  if (isSparse(vector)) {
    return { indices: Array.from(vector.indices), values: Array.from(vector.values, shortFloat) };
  }
  return Array.from(vector, shortFloat);
}

/** All vectors of a point (or the named ones) as REST shows them. */
export function vectorsToJson(vectors: Vectors, names?: readonly string[]): Json {
  const entries = Object.entries(vectors).filter(([name]) => names === undefined || names.includes(name));
  const unnamed = entries.find(([name]) => name === '');
  if (unnamed && entries.length === 1) return vectorToJson(unnamed[1]);
  return Object.fromEntries(entries.map(([name, vector]) => [name, vectorToJson(vector)]));
}

/** Bytes of a point's vectors in memory, for limits and telemetry. */
export function vectorBytes(vectors: Vectors): number {
  let bytes = 0;
  for (const vector of Object.values(vectors)) {
    if (isMulti(vector)) bytes += vector.reduce((sum, row) => sum + row.byteLength, 0);
    else if (isSparse(vector)) bytes += vector.indices.byteLength + vector.values.byteLength;
    else bytes += vector.byteLength;
  }
  return bytes;
}
