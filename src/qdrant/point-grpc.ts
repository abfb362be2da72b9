import type { RetrievedPoint, ScrollResponse, VectorOutput } from '@qdrant/js-client-grpc';
import type { IdInit, PointInit, ShardKeyInit } from './grpc-types.ts';
import type { NamedVectors, Point, PointId, PointVectors, ShardKey, SparseVector, VectorValue } from './types.ts';
import { fromFields, fromInteger, toFields } from './value-codec.ts';

export const isSparse = (vector: VectorValue | NamedVectors): vector is SparseVector => !Array.isArray(vector);
export const isNamed = (vectors: PointVectors): vectors is NamedVectors => !Array.isArray(vectors);
export const isMulti = (vector: readonly unknown[]): vector is readonly (readonly number[])[] =>
  Array.isArray(vector[0]);

/** @throws RangeError for what gRPC can't carry */
export function toGrpcPoint({ id, vector, payload }: Point): PointInit {
  const vectorsOptions = isNamed(vector)
    ? {
        case: 'vectors',
        value: { vectors: Object.fromEntries(Object.entries(vector).map(([name, value]) => [name, toVector(value)])) },
      }
    : { case: 'vector', value: toVector(vector) };
  return { id: toGrpcId(id), payload: toFields(payload), vectors: { vectorsOptions } } as PointInit;
}

export const toGrpcId = (id: PointId): IdInit => ({
  pointIdOptions: typeof id === 'string' ? { case: 'uuid', value: id } : { case: 'num', value: BigInt(id) },
});

export const toGrpcShardKey = (key: ShardKey): ShardKeyInit => ({
  key: typeof key === 'string' ? { case: 'keyword', value: key } : { case: 'number', value: BigInt(key) },
});

function toVector(vector: VectorValue): object {
  if (isSparse(vector)) return { vector: { case: 'sparse', value: vector } };
  if (isMulti(vector)) return { vector: { case: 'multiDense', value: { vectors: vector.map((data) => ({ data })) } } };
  return { vector: { case: 'dense', value: { data: vector } } };
}

export function fromGrpcPoint({ id, payload, vectors, shardKey }: RetrievedPoint): Point {
  const options = vectors?.vectorsOptions;
  const key = fromGrpcShardKey(shardKey);
  return {
    id: fromGrpcId(id),
    vector:
      options?.case === undefined
        ? {}
        : options.case === 'vector'
          ? fromUnnamed(options.value)
          : fromNamed(options.value.vectors),
    payload: fromFields(payload),
    ...(key === undefined ? {} : { shardKey: key }),
  };
}

/** @throws RangeError when the answer holds no id */
export function fromGrpcId(id: ScrollResponse['nextPageOffset']): PointId {
  const option = id?.pointIdOptions;
  if (option?.case === 'num') return fromInteger(option.value);
  if (option?.case === 'uuid') return option.value;
  throw new RangeError('a point without an id');
}

export function fromGrpcShardKey(shardKey: RetrievedPoint['shardKey']): ShardKey | undefined {
  const key = shardKey?.key;
  return key?.case === 'number' ? Number(key.value) : key?.value;
}

const fromNamed = (vectors: Readonly<Record<string, VectorOutput>>): NamedVectors =>
  Object.fromEntries(Object.entries(vectors).map(([name, vector]) => [name, fromVector(vector)]));

function fromUnnamed(vector: VectorOutput): PointVectors {
  const value = fromVector(vector);
  if (isSparse(value)) return { '': value };
  return value;
}

/** Servers below 1.17 answer in the older fields too; both are read. */
function fromVector({ vector, data, indices, vectorsCount }: VectorOutput): VectorValue {
  switch (vector.case) {
    case 'dense':
      return vector.value.data;
    case 'sparse':
      return { indices: vector.value.indices, values: vector.value.values };
    case 'multiDense':
      return vector.value.vectors.map((row) => row.data);
    case undefined:
      if (indices !== undefined) return { indices: indices.data, values: data };
      return vectorsCount === undefined || vectorsCount === 0 ? data : rows(data, data.length / vectorsCount);
  }
}

const rows = (flat: readonly number[], width: number): number[][] =>
  Array.from({ length: flat.length / width }, (_, row) => flat.slice(row * width, (row + 1) * width));
