import type { RetrievedPoint, Value, VectorsOutput, PointId as WirePointId } from '@qdrant/js-client-grpc';
import { isWholeDouble, wholeDouble } from '../base/doubles.ts';
import { EngineError } from '../base/errors.ts';
import type { Json, JsonObject } from '../base/json.ts';
import {
  isMulti,
  isSparse,
  normalizeInteger,
  type PointId,
  parsePointId,
  type Vectors,
  type VectorValue,
} from '../shard/point.ts';
import { sparseVector, storedVector } from '../shard/vectors.ts';
import { type CollectionParams, denseVectors, type ShardKey } from '../state/types.ts';

type Oneof = { readonly case?: string | undefined; readonly value?: unknown };
/** A message without its methods: what may be given where a message is built. */
type Plain = Readonly<Record<string, unknown>>;

export function fromWireId(id: WirePointId | undefined): PointId {
  const option = id?.pointIdOptions;
  if (option?.case === 'num') return normalizeInteger(option.value);
  if (option?.case === 'uuid') return parsePointId(option.value);
  throw new EngineError('BadInput', 'Empty point ID is not allowed');
}

export const toWireId = (id: PointId): Plain => ({
  pointIdOptions: typeof id === 'string' ? { case: 'uuid', value: id } : { case: 'num', value: BigInt(id) },
});

export function fromWireValue(value: Value | undefined): Json {
  const kind = value?.kind;
  switch (kind?.case) {
    case 'doubleValue':
      return Number.isInteger(kind.value) ? wholeDouble(kind.value) : kind.value;
    case 'stringValue':
    case 'boolValue':
      return kind.value;
    case 'integerValue':
      return Number.isSafeInteger(Number(kind.value)) ? Number(kind.value) : kind.value;
    case 'structValue':
      return fromWireFields(kind.value.fields);
    case 'listValue':
      return kind.value.values.map(fromWireValue);
    case 'nullValue':
    case undefined:
      return null;
  }
}

export const fromWireFields = (fields: Readonly<Record<string, Value>>): JsonObject =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, fromWireValue(value)]));

export const toWireFields = (payload: JsonObject): Plain =>
  Object.fromEntries(Object.entries(payload).map(([key, value]) => [key, toWireValue(value ?? null)]));

function toWireValue(value: Json): Plain {
  if (value === null) return { kind: { case: 'nullValue', value: 0 } };
  if (isWholeDouble(value)) return { kind: { case: 'doubleValue', value: Number(value) } };
  if (typeof value === 'bigint') return { kind: { case: 'integerValue', value } };
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { kind: { case: 'integerValue', value: BigInt(value) } };
    return { kind: { case: 'doubleValue', value } };
  }
  if (typeof value === 'string') return { kind: { case: 'stringValue', value } };
  if (typeof value === 'boolean') return { kind: { case: 'boolValue', value } };
  if (Array.isArray(value)) return { kind: { case: 'listValue', value: { values: value.map(toWireValue) } } };
  return { kind: { case: 'structValue', value: { fields: toWireFields(value as JsonObject) } } };
}

type WireVector = {
  readonly data?: readonly number[];
  readonly indices?: { data: number[] } | undefined;
  readonly vector: Oneof;
};
type WireVectors = { readonly vectorsOptions: Oneof } | undefined;

/** The vectors of a point as stored, checked against the collection. */
export function fromWireVectors(vectors: WireVectors, params: CollectionParams): Vectors {
  const options = vectors?.vectorsOptions;
  if (options?.case === 'vector') return { '': fromWireVector('', options.value as WireVector, params) };
  if (options?.case !== 'vectors') throw new EngineError('BadInput', 'Expected some vectors');
  const named = (options.value as { vectors: Record<string, WireVector> }).vectors;
  return Object.fromEntries(
    Object.entries(named).map(([name, vector]) => [name, fromWireVector(name, vector, params)]),
  );
}

export function fromWireVector(name: string, wire: WireVector, params: CollectionParams): VectorValue {
  const { vector } = wire;
  const dense = denseVectors(params)[name];
  const sparse = sparsePart(wire);
  if (sparse) {
    if (params.sparse_vectors?.[name] === undefined)
      throw new EngineError('BadInput', `Not existing vector name error: ${name}`);
    return sparseVector(sparse.indices, sparse.values);
  }
  if (!dense) throw new EngineError('BadInput', `Not existing vector name error: ${name}`);
  if (vector.case === 'multiDense') {
    return (vector.value as { vectors: { data: number[] }[] }).vectors.map(({ data }) => storedVector(data, dense));
  }
  const data = vector.case === 'dense' ? (vector.value as { data: number[] }).data : (wire.data ?? []);
  return dense.multivector_config ? [storedVector(data, dense)] : storedVector(data, dense);
}

function sparsePart({
  vector,
  indices,
  data,
}: WireVector): { indices: number[]; values: readonly number[] } | undefined {
  if (vector.case === 'sparse') return vector.value as { indices: number[]; values: number[] };
  return indices && vector.case === undefined ? { indices: indices.data, values: data ?? [] } : undefined;
}

export function toWireVectors(vectors: Vectors, names?: readonly string[]): VectorsOutput | undefined {
  const entries = Object.entries(vectors).filter(([name]) => names === undefined || names.includes(name));
  const unnamed = vectors[''];
  const only = unnamed !== undefined && entries.length === 1;
  const vectorsOptions = only
    ? { case: 'vector', value: toWireVector(unnamed) }
    : {
        case: 'vectors',
        value: { vectors: Object.fromEntries(entries.map(([name, vector]) => [name, toWireVector(vector)])) },
      };
  return { vectorsOptions } as unknown as VectorsOutput;
}

function toWireVector(vector: VectorValue): Plain {
  if (isMulti(vector)) {
    return { vector: { case: 'multiDense', value: { vectors: vector.map((row) => ({ data: Array.from(row) })) } } };
  }
  if (isSparse(vector)) {
    return {
      vector: { case: 'sparse', value: { indices: Array.from(vector.indices), values: Array.from(vector.values) } },
    };
  }
  return { vector: { case: 'dense', value: { data: Array.from(vector) } } };
}

type WireKey = RetrievedPoint['shardKey'];

export function fromWireKey(key: WireKey): ShardKey | undefined {
  const option = key?.key;
  if (option?.case === 'keyword') return option.value;
  return option?.case === 'number' ? Number(option.value) : undefined;
}

export const toWireKey = (key: ShardKey | undefined): Plain | undefined =>
  key === undefined
    ? undefined
    : { key: typeof key === 'string' ? { case: 'keyword', value: key } : { case: 'number', value: BigInt(key) } };

export function fromWireKeys(
  selector: { shardKeys: readonly NonNullable<WireKey>[] } | undefined,
): ShardKey[] | undefined {
  const keys = selector?.shardKeys.flatMap((key) => fromWireKey(key) ?? []);
  return keys && keys.length > 0 ? keys : undefined;
}
