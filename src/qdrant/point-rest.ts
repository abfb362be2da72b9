import type { Double, Json, JsonObject } from './json.ts';
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

/** A point as Qdrant's REST requests want it. */
export type RestPoint = {
  readonly id: PointId;
  readonly vector: PointVectors;
  readonly payload: Readonly<Record<string, Json>>;
};

/** @throws RangeError for a vector value that JSON can't carry: measured, Qdrant then refuses the point without saying why */
export function toRestPoint({ id, vector, payload }: Point): RestPoint {
  const all: readonly VectorValue[] = isNamed(vector) ? Object.values(vector) : [vector];
  if (!all.every(allFinite))
    throw new RangeError(`point ${id}: a vector value is not finite, which only gRPC can carry`);
  return { id, vector, payload };
}

function allFinite(vector: VectorValue): boolean {
  if (isSparse(vector)) return vector.values.every(Number.isFinite);
  return isMulti(vector) ? vector.every((row) => row.every(Number.isFinite)) : vector.every(Number.isFinite);
}
