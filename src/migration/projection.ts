import type { Point, PointVectors, VectorValue } from '../qdrant/types.ts';
import { WirePoint } from '../qdrant/wire-point.ts';

/** What becomes of one vector on the way to a collection of another shape. */
export type VectorRule = {
  /** It is left behind. */
  readonly drop?: boolean;
  /** The target's distance is Cosine and the source's is not: Qdrant would store it normalised. */
  readonly normalize?: boolean;
  /** The target stores half precision and the source more. */
  readonly float16?: boolean;
};

/** From vector name ('' = the unnamed one) to its rule; vectors without one travel as they are. */
export type Projection = {
  readonly vectors: Readonly<Record<string, VectorRule>>;
  /** False when the target has no shard keys. */
  readonly keepShardKeys: boolean;
};

export const IDENTITY: Projection = { vectors: {}, keepShardKeys: true };

export type Projected = {
  /** What is sent to the target. */
  readonly write: Point;
  /** What the target gives back: what its digest is compared with. */
  readonly expected: Point;
};

/** A point of the source as the target gets it and gives it back. */
export function project(point: Point, projection: Projection): Projected {
  const base = projection.keepShardKeys ? point : withoutShardKey(point);
  if (Object.keys(projection.vectors).length === 0) return { write: base, expected: base };
  const write = {
    // Not spread: a point that came as bytes has its payload behind a getter.
    id: base.id,
    payload: base.payload,
    ...(base.shardKey === undefined ? {} : { shardKey: base.shardKey }),
    vector: mapVectors(base.vector, (value, rule) => normalized(value, rule), projection),
  };
  return { write, expected: { ...write, vector: mapVectors(write.vector, rounded, projection) } };
}

type Change = (value: VectorValue, rule: VectorRule) => VectorValue;

function mapVectors(vectors: PointVectors, change: Change, { vectors: rules }: Projection): PointVectors {
  if (isList(vectors)) {
    const rule = rules[''];
    if (rule === undefined) return vectors;
    return rule.drop === true ? {} : (change(vectors, rule) as PointVectors);
  }
  const entries = Object.entries(vectors).flatMap(([name, value]): [string, VectorValue][] => {
    const rule = rules[name];
    if (rule === undefined) return [[name, value]];
    return rule.drop === true ? [] : [[name, change(value, rule)]];
  });
  return Object.fromEntries(entries);
}

/** Sparse vectors have neither a distance nor, here, a precision. */
const perRow = (value: VectorValue, change: (row: readonly number[]) => readonly number[]): VectorValue => {
  if (!isList(value)) return value;
  return isMulti(value) ? value.map((row) => change(row)) : change(value);
};

const normalized = (value: VectorValue, rule: VectorRule): VectorValue =>
  rule.normalize === true ? perRow(value, unit) : value;

const rounded = (value: VectorValue, rule: VectorRule): VectorValue =>
  rule.float16 === true ? perRow(value, (row) => row.map(half)) : value;

const half = (value: number): number => Math.fround(Math.f16round(value));

/** Qdrant leaves a vector alone whose squared length is within 1e-6 of 1, and a zero vector (capabilities.md, 135). */
function unit(row: readonly number[]): readonly number[] {
  const square = row.reduce((sum, value) => sum + value * value, 0);
  if (square === 0 || Math.abs(square - 1) <= 1e-6) return row;
  const length = Math.sqrt(square);
  return row.map((value) => Math.fround(value / length));
}

const withoutShardKey = (point: Point): Point => {
  if (point instanceof WirePoint) return point.withoutShardKey();
  const { id, vector, payload } = point;
  return { id, vector, payload };
};

type ListVector = readonly number[] | readonly (readonly number[])[];
const isList = (vector: PointVectors | VectorValue): vector is ListVector => Array.isArray(vector);
const isMulti = (vector: ListVector): vector is readonly (readonly number[])[] => Array.isArray(vector[0]);
