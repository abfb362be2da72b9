import type { Mark } from '../migration/index.ts';
import { MARK_KEY } from '../migration/index.ts';
import type { Schemas } from '../qdrant/index.ts';
import type { Observed } from './observed.ts';
import { DEFAULT_DISTANCE, type Section, type Shape, type VectorShape } from './shape.ts';

export type CreateOptions = {
  readonly mark: Mark;
  /** The generation it follows: what the spec doesn't say is taken from it. */
  readonly base?: Observed;
  /** Metadata besides the mark. */
  readonly metadata?: Section;
  /** False while it is filled: limits would hold up the copy. */
  readonly strictMode: boolean;
};

/** The body of `PUT /collections/{name}` for a generation of this shape. */
export function createBody(
  shape: Shape,
  { mark, base, metadata, strictMode }: CreateOptions,
): Schemas['CreateCollection'] {
  const vectors = vectorsOf(shape, base);
  const sparse = shape.sparse ?? (shape.vectors === undefined ? base?.sparse : undefined);
  const custom = shape.shardKeys !== undefined || base?.customSharding === true;
  const shards = shape.shardNumber ?? base?.shardNumber;
  const quantization = shape.quantization === 'Disabled' ? undefined : (shape.quantization ?? base?.quantization);
  return {
    ...(vectors === undefined ? {} : { vectors }),
    ...(sparse === undefined || Object.keys(sparse).length === 0 ? {} : { sparse_vectors: sparse }),
    ...(shards === undefined ? {} : { shard_number: shards }),
    ...(custom ? { sharding_method: 'custom' } : {}),
    ...pick(base?.params, ['replication_factor', 'write_consistency_factor', 'on_disk_payload']),
    ...shape.params,
    hnsw_config: { ...base?.hnsw, ...shape.hnsw },
    optimizers_config: { ...base?.optimizers, ...shape.optimizers },
    ...(quantization === undefined ? {} : { quantization_config: quantization }),
    strict_mode_config: strictMode ? { ...base?.strictMode, ...shape.strictMode } : { enabled: false },
    metadata: { ...metadata, [MARK_KEY]: mark },
  } as Schemas['CreateCollection'];
}

const UNNAMED = '';

function vectorsOf(shape: Shape, base: Observed | undefined): Section | undefined {
  const all: [string, Section][] =
    shape.vectors === undefined
      ? shape.sparse === undefined
        ? Object.entries(base?.vectors ?? {})
        : []
      : Object.entries(shape.vectors).map(([name, vector]) => [name, vectorParams(vector, base?.vectors[name])]);
  const [first] = all;
  if (first === undefined) return undefined;
  return first[0] === UNNAMED ? first[1] : Object.fromEntries(all);
}

function vectorParams(
  { size, distance, datatype, multivector, tuning }: VectorShape,
  base: Section | undefined,
): Section {
  const { quantization_config: quantization, ...rest } = { ...base, ...tuning } as Section;
  return {
    ...rest,
    size,
    distance: distance ?? base?.['distance'] ?? DEFAULT_DISTANCE,
    ...(datatype === undefined ? {} : { datatype }),
    ...(multivector === undefined ? {} : { multivector_config: multivector }),
    // Turning it off is a word of PATCH only.
    ...(quantization === undefined || quantization === 'Disabled' ? {} : { quantization_config: quantization }),
  };
}

const pick = (section: Section | undefined, keys: readonly string[]): Section =>
  Object.fromEntries(keys.flatMap((key) => (section?.[key] === undefined ? [] : [[key, section[key]]])));
