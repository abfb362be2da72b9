import type { NewVector } from '../qdrant/index.ts';
import { canonicalJson } from '../vectors/index.ts';
import type { Observed } from './observed.ts';
import { DEFAULT_DISTANCE, defined, type Section, type Shape, type VectorShape } from './shape.ts';

/** What is wanted and not yet so, by what Qdrant can do about it. */
export type Difference = {
  /** Fields that only a new generation can change, in words. */
  readonly newGeneration: readonly string[];
  /** Vectors that are not there; whether the cluster can add them in place is not said here. */
  readonly newVectors: readonly AddedVector[];
  /** Body of one PATCH; undefined: nothing to patch. */
  readonly patch: Section | undefined;
  readonly createIndexes: readonly { readonly field: string; readonly schema: Section }[];
  /** Indexes that are there and not wanted; whether they may be dropped is not said here. */
  readonly surplusIndexes: readonly string[];
};

/** `config` is the body of the call that adds it: what tuning it wants is patched once it is there. */
export type AddedVector = { readonly name: string; readonly config: NewVector; readonly what: string };

/**
 * Compares only fields that are set in `shape`: what the spec doesn't say is Qdrant's, or somebody else's.
 * Source of what PATCH can change: reference/qdrant-api.md section 3.1.
 */
export function difference(shape: Shape, observed: Observed): Difference {
  return {
    newGeneration: [...vectorChanges(shape, observed), ...shardChanges(shape, observed)],
    newVectors: addedVectors(shape, observed),
    patch: patchOf(shape, observed),
    createIndexes: Object.entries(shape.indexes)
      .filter(([field, schema]) => !contains(observed.indexes[field], schema))
      .map(([field, schema]) => ({ field, schema })),
    surplusIndexes: Object.keys(observed.indexes).filter((field) => shape.indexes[field] === undefined),
  };
}

/** Everything that a new generation would bring and a patch doesn't, in words. */
export const reshaping = ({ newGeneration, newVectors }: Difference): string[] => [
  ...newVectors.map(({ what }) => what),
  ...newGeneration,
];

const title = (name: string): string => (name === '' ? 'the unnamed vector' : `vector ${name}`);

function vectorChanges({ vectors, sparse }: Shape, observed: Observed): string[] {
  if (vectors === undefined && sparse === undefined) return [];
  const wanted = vectors ?? {};
  const wantedSparse = sparse ?? {};
  return [
    ...Object.entries(wanted).flatMap(([name, vector]) => vectorChange(name, vector, observed.vectors[name])),
    ...Object.keys(observed.vectors)
      .filter((name) => wanted[name] === undefined)
      .map((name) => `${title(name)} is removed`),
    ...Object.keys(observed.sparse)
      .filter((name) => wantedSparse[name] === undefined)
      .map((name) => `sparse vector ${name} is removed`),
  ];
}

const UNNAMED = '';
const DEFAULT_DATATYPE = 'float32';

function vectorChange(name: string, wanted: VectorShape, has: Section | undefined): string[] {
  // The unnamed one has no address at which it could be added.
  if (has === undefined) return name === UNNAMED ? [`${title(name)} is added`] : [];
  const change = (field: string, from: unknown, to: unknown): string[] =>
    equal(from, to) ? [] : [`${field} of ${title(name)}: ${String(from)} -> ${String(to)}`];
  const multi = (value: unknown): string => (value === undefined ? 'one vector' : 'several vectors');
  return [
    ...change('size', has['size'], wanted.size),
    ...(wanted.distance === undefined ? [] : change('distance', has['distance'], wanted.distance)),
    ...(wanted.datatype === undefined ? [] : change('datatype', has['datatype'] ?? DEFAULT_DATATYPE, wanted.datatype)),
    ...change('multivector', multi(has['multivector_config']), multi(wanted.multivector)),
  ];
}

function addedVectors({ vectors, sparse }: Shape, observed: Observed): AddedVector[] {
  const dense = Object.entries(vectors ?? {}).filter(
    ([name]) => name !== UNNAMED && observed.vectors[name] === undefined,
  );
  const sparser = Object.entries(sparse ?? {}).filter(([name]) => observed.sparse[name] === undefined);
  return [
    ...dense.map(([name, vector]) => ({ name, config: denseConfig(vector), what: `${title(name)} is added` })),
    ...sparser.map(([name, vector]) => ({
      name,
      config: sparseConfig(vector),
      what: `sparse ${title(name)} is added`,
    })),
  ];
}

const denseConfig = ({ size, distance, datatype, multivector }: VectorShape): NewVector =>
  ({
    dense: {
      size,
      distance: distance ?? DEFAULT_DISTANCE,
      ...(datatype === undefined ? {} : { datatype }),
      ...(multivector === undefined ? {} : { multivector_config: multivector }),
    },
  }) as NewVector;

function sparseConfig({ modifier, index }: Section): NewVector {
  const datatype = isSection(index) ? index['datatype'] : undefined;
  return { sparse: defined({ modifier, datatype }) };
}

function shardChanges({ shardNumber, shardKeys }: Shape, observed: Observed): string[] {
  const custom = shardKeys !== undefined;
  const method = (value: boolean): string => (value ? 'custom' : 'auto');
  return [
    ...(shardNumber === undefined || shardNumber === observed.shardNumber
      ? []
      : [`shards.number: ${observed.shardNumber} -> ${shardNumber}`]),
    ...(custom && !observed.customSharding
      ? [`sharding: ${method(observed.customSharding)} -> ${method(custom)}`]
      : []),
  ];
}

function patchOf(shape: Shape, observed: Observed): Section | undefined {
  const vectors = Object.entries(shape.vectors ?? {}).flatMap(([name, { tuning }]) => {
    const has = observed.vectors[name];
    const missing = has === undefined ? {} : lacking(has, tuning);
    return Object.keys(missing).length === 0 ? [] : [[name, missing] as const];
  });
  const sparse = Object.entries(shape.sparse ?? {}).flatMap(([name, wanted]) => {
    const has = observed.sparse[name];
    // A sparse vector is replaced as a whole: what is not sent would be lost.
    return has === undefined || contains(has, wanted) ? [] : [[name, merge(has, wanted)] as const];
  });
  const quantization = contains({ value: observed.quantization }, { value: shape.quantization })
    ? {}
    : { quantization_config: shape.quantization };
  const patch = {
    ...(vectors.length === 0 ? {} : { vectors: Object.fromEntries(vectors) }),
    ...(sparse.length === 0 ? {} : { sparse_vectors: Object.fromEntries(sparse) }),
    ...named('params', lacking(observed.params, shape.params)),
    ...named('hnsw_config', lacking(observed.hnsw, shape.hnsw)),
    ...named('optimizers_config', lacking(observed.optimizers, shape.optimizers)),
    ...named('strict_mode_config', lacking(observed.strictMode, shape.strictMode)),
    ...quantization,
  };
  return Object.keys(patch).length === 0 ? undefined : patch;
}

const named = (name: string, section: Section): Section =>
  Object.keys(section).length === 0 ? {} : { [name]: section };

/** The fields of `wanted` that `has` doesn't show with that value. */
function lacking(has: Section, wanted: Section): Section {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => !containsValue(has[key], value)));
}

/** Whether everything wanted stands in what there is, which may hold more. */
export const contains = (has: Section | undefined, wanted: Section): boolean =>
  has !== undefined && Object.entries(wanted).every(([key, value]) => containsValue(has[key], value));

function containsValue(has: unknown, wanted: unknown): boolean {
  // `Disabled` reads back as nothing at all.
  if (wanted === undefined || (wanted === 'Disabled' && has === undefined)) return true;
  // Qdrant keeps 32 bits of a share like 0.99.
  if (typeof wanted === 'number' && typeof has === 'number') return Math.fround(wanted) === Math.fround(has);
  if (isSection(wanted)) return isSection(has) && contains(has, wanted);
  return equal(has, wanted);
}

const merge = (has: Section, wanted: Section): Section => ({
  ...has,
  ...Object.fromEntries(
    Object.entries(wanted).map(([key, value]) => {
      const before = has[key];
      return [key, isSection(value) && isSection(before) ? merge(before, value) : value];
    }),
  ),
});

const equal = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);

const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
