import fc from 'fast-check';
import {
  Double,
  type Json,
  type JsonObject,
  type Point,
  type PointId,
  type VectorValue,
} from '../../../src/qdrant/index.ts';

/** Field names, the awkward ones included. */
const key = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('', '__proto__', 'constructor', 'toJSON', 'ключ'));

const leaf: fc.Arbitrary<Json> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string({ maxLength: 20 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt(2n ** 53n, 2n ** 63n - 1n),
  fc.bigInt(-(2n ** 63n), -(2n ** 53n)),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => (Number.isInteger(value) ? new Double(value) : value)),
);

const record = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));

/** What a payload may hold, as the client gives it: integers beyond 2^53 as bigints, integral floats as Double. */
export const json: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('json'), { maxLength: 4 }),
    record(tie('json')),
  ),
})).json;

export const payload: fc.Arbitrary<JsonObject> = record(json);

export const pointId: fc.Arbitrary<PointId> = fc.oneof(fc.nat(), fc.bigInt(2n ** 53n, 2n ** 64n - 1n), fc.uuid());

const float = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 1));
const dense = fc.array(float, { minLength: 1, maxLength: 6 });
const multi = fc.array(fc.tuple(float, float), { minLength: 1, maxLength: 3 });
const sparse = fc
  .uniqueArray(fc.tuple(fc.nat(2 ** 32 - 1), float), { maxLength: 5, selector: ([index]) => index })
  .map((entries) => ({ indices: entries.map(([index]) => index), values: entries.map(([, value]) => value) }));
const named: fc.Arbitrary<Record<string, VectorValue>> = fc
  .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 6 }), fc.oneof(dense, multi, sparse)), {
    maxLength: 3,
    selector: ([name]) => name,
  })
  .map((entries) => Object.fromEntries(entries));

export const point: fc.Arbitrary<Point> = fc.record(
  { id: pointId, vector: fc.oneof(dense, multi, named), payload },
  { noNullPrototype: true },
);

/** Points of different ids. */
export const points = (maxLength: number): fc.Arbitrary<Point[]> =>
  fc.uniqueArray(point, { maxLength, selector: ({ id }) => String(id) });
