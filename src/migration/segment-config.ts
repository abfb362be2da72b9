import type { Schemas } from '../qdrant/index.ts';

type Section = Readonly<Record<string, unknown>>;

/** What of a collection's configuration lives in the files of its shards, defaults and nulls left out. */
export type SegmentConfig = {
  /** Dense vectors by name; the unnamed one as ''. */
  readonly vectors: Section;
  readonly sparse: Section;
  readonly shardNumber: number;
  readonly customSharding: boolean;
  readonly onDiskPayload: unknown;
  readonly hnsw: Section;
  readonly quantization: Section;
  /** Limits by which segments are cut, indexed and kept on disk. */
  readonly optimizers: Section;
  /** Points may be hidden until they are optimised. */
  readonly hidesUnoptimized: boolean;
  /** Fields with a payload index. */
  readonly indexes: Section;
};

/** As `GET /collections/{name}` shows it, or as a request to create one says it. */
export type ConfigSource = {
  readonly params: unknown;
  readonly hnsw?: unknown;
  readonly quantization?: unknown;
  readonly optimizers?: unknown;
  readonly indexes?: unknown;
};

export const configSource = ({
  config,
  payload_schema,
}: Pick<Schemas['CollectionInfo'], 'config' | 'payload_schema'>) => ({
  params: config.params,
  hnsw: config.hnsw_config,
  quantization: config.quantization_config,
  optimizers: config.optimizer_config,
  indexes: payload_schema,
});

const DEFAULT_DATATYPE = 'float32';
const CUT_BY = ['memmap_threshold', 'indexing_threshold', 'max_segment_size'];
/** How many threads build an index does not show in it. */
const NOT_IN_SEGMENTS = ['max_indexing_threads'];

export function segmentConfig({ params, hnsw, quantization, optimizers, indexes }: ConfigSource): SegmentConfig {
  const all = section(params);
  const vectors = section(all['vectors']);
  const cut = section(optimizers);
  const sparse = section(all['sparse_vectors']);
  return {
    vectors: typeof vectors['size'] === 'number' ? { '': vectors } : vectors,
    sparse: Object.fromEntries(Object.entries(sparse).map(([name, value]) => [name, section(value)])),
    shardNumber: typeof all['shard_number'] === 'number' ? all['shard_number'] : 1,
    customSharding: all['sharding_method'] === 'custom',
    onDiskPayload: all['on_disk_payload'],
    hnsw: Object.fromEntries(Object.entries(section(hnsw)).filter(([name]) => !NOT_IN_SEGMENTS.includes(name))),
    quantization: section(quantization),
    optimizers: Object.fromEntries(Object.entries(cut).filter(([name]) => CUT_BY.includes(name))),
    hidesUnoptimized: cut['prevent_unoptimized'] === true,
    indexes: Object.fromEntries(
      Object.entries(section(indexes)).map(([field, value]) => {
        const { points: _points, ...index } = section(value);
        return [field, index];
      }),
    ),
  };
}

/**
 * Why the shards of one can't take the place of the other's; Qdrant compares nothing of it (S6).
 *
 * @returns one line for each field: `vectors.title.size: 384 -> 768`
 */
export function segmentDifferences(from: SegmentConfig, to: SegmentConfig): string[] {
  const { indexes: has, hidesUnoptimized: hides, ...a } = from;
  const { indexes: wants, hidesUnoptimized: willHide, ...b } = to;
  const shared = Object.keys(has).filter((field) => field in wants);
  return [
    ...differences(a, b, ''),
    // What the source alone has is dropped afterwards, what the target alone has Qdrant builds.
    ...shared.flatMap((field) => differences(has[field], wants[field], `payload index ${field}`)),
    ...(hides || willHide ? ['points are hidden until they are optimised (prevent_unoptimized)'] : []),
  ];
}

function differences(from: unknown, to: unknown, path: string): string[] {
  if (isRecord(from) && isRecord(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted();
    return names.flatMap((name) => differences(from[name], to[name], path === '' ? name : `${path}.${name}`));
  }
  return text(from) === text(to) ? [] : [`${path}: ${text(from)} -> ${text(to)}`];
}

const text = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Without nulls and defaults that Qdrant sometimes shows and sometimes doesn't. */
function section(value: unknown): Section {
  if (!isRecord(value)) return {};
  const entries = Object.entries(value)
    .filter(
      ([name, inner]) => inner !== null && inner !== undefined && !(name === 'datatype' && inner === DEFAULT_DATATYPE),
    )
    .map(([name, inner]): [string, unknown] => [name, isRecord(inner) ? section(inner) : inner]);
  return Object.fromEntries(entries);
}
