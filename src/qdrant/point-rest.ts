import { Double, type JsonObject } from './json.ts';
import { isMulti, isNamed, isSparse } from './point-grpc.ts';
import type { Point, PointId, PointVectors, ScoredPoint, ShardKey, VectorValue } from './types.ts';

type RestVector =
  | readonly RestNumber[]
  | readonly (readonly RestNumber[])[]
  | { indices: readonly number[]; values: readonly RestNumber[] };
/** `null` is what Qdrant writes for NaN and the infinities. */
type RestNumber = number | Double | null;

/** A point as Qdrant's REST answers give it. */
export type RestRecord = {
  readonly id: PointId;
  readonly payload?: JsonObject | null;
  readonly vector?: RestVector | Readonly<Record<string, RestVector>> | null;
  readonly shard_key?: ShardKey | null;
};
export type RestScoredPoint = RestRecord & { readonly score: number | Double; readonly version: number };

export function fromRestPoint({ id, payload, vector, shard_key: shardKey }: RestRecord): Point {
  return {
    id,
    vector: vector === undefined || vector === null ? {} : fromRestVectors(vector),
    payload: payload ?? {},
    ...(shardKey === undefined || shardKey === null ? {} : { shardKey }),
  };
}

export const fromRestScoredPoint = (point: RestScoredPoint): ScoredPoint => ({
  ...fromRestPoint(point),
  score: Number(point.score),
  version: Number(point.version),
});

function fromRestVectors(vector: NonNullable<RestRecord['vector']>): PointVectors {
  if (Array.isArray(vector)) return fromRestVector(vector) as PointVectors;
  return Object.fromEntries(
    Object.entries(vector as Record<string, RestVector>).map(([name, value]) => [name, fromRestVector(value)]),
  );
}

function fromRestVector(vector: RestVector): VectorValue {
  if (!Array.isArray(vector)) {
    const { indices, values } = vector as { indices: readonly number[]; values: readonly RestNumber[] };
    return { indices, values: values.map(float) };
  }
  return Array.isArray(vector[0])
    ? (vector as RestNumber[][]).map((row) => row.map(float))
    : (vector as RestNumber[]).map(float);
}

/** Qdrant prints the shortest text of a float32, gRPC carries the float32 itself: this makes them equal. */
const float = (value: RestNumber): number => (value === null ? Number.NaN : Math.fround(Number(value)));

/**
 * A point as Qdrant's REST requests want it.
 *
 * @throws RangeError for a vector value that JSON can't carry: measured, Qdrant then refuses the point without saying why
 */
export function toRestPoint({ id, vector, payload }: Point): { id: PointId; vector: unknown; payload: JsonObject } {
  const all: readonly VectorValue[] = isNamed(vector) ? Object.values(vector) : [vector];
  if (!all.every((value) => rowsOf(value).every((row) => row.every(Number.isFinite)))) {
    throw new RangeError(`point ${id}: a vector value is not finite, which only gRPC can carry`);
  }
  if (!all.some(needsFloats)) return { id, vector, payload };
  const written = isNamed(vector)
    ? Object.fromEntries(Object.entries(vector).map(([name, value]) => [name, asFloats(value)]))
    : asFloats(vector);
  return { id, vector: written, payload };
}

function rowsOf(vector: VectorValue): readonly (readonly number[])[] {
  if (isSparse(vector)) return [vector.values];
  return isMulti(vector) ? vector : [vector];
}

/**
 * Measured on 1.18.3: a multivector of two rows whose first row is written in integers is taken for a sparse vector,
 * `[[1,2],[3,4]]` for indices and values, and refused. And JSON.stringify writes -0 as 0.
 */
const needsFloats = (vector: VectorValue): boolean =>
  (!isSparse(vector) && isMulti(vector) && vector.length === 2) ||
  rowsOf(vector).some((row) => row.some(isNegativeZero));

const isNegativeZero = (value: number): boolean => Object.is(value, -0);

function asFloats(vector: VectorValue): unknown {
  const floats = (row: readonly number[]) => row.map((value) => (Number.isInteger(value) ? new Double(value) : value));
  if (isSparse(vector)) return { indices: vector.indices, values: floats(vector.values) };
  return isMulti(vector) ? vector.map(floats) : floats(vector);
}
