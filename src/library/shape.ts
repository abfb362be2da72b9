import { createHash } from 'node:crypto';
import type {
  DomainLibrarySpec,
  Hnsw,
  Optimizers,
  PayloadIndex,
  QdrantClusterSpec,
  Quantization,
  SparseVector,
  StrictMode,
  Vector,
} from '../api/index.ts';
import { canonicalJson } from '../vectors/index.ts';
import { withProfile } from './profiles.ts';

/** A section of a collection's configuration in Qdrant's words; only fields that are wanted stand in it. */
export type Section = Readonly<Record<string, unknown>>;

export type VectorShape = {
  readonly size: number;
  /** Undefined: not said; Cosine where it is made, anything where it exists. */
  readonly distance?: string;
  readonly datatype?: string;
  readonly multivector?: Section;
  /** `on_disk`, `hnsw_config`, `quantization_config`: what PATCH can change. */
  readonly tuning: Section;
};

/** What a library wants of its collection. Sections that the spec says nothing about are empty. */
export type Shape = {
  /** Undefined: nothing is said about vectors (an adopted collection keeps its own). */
  readonly vectors: Readonly<Record<string, VectorShape>> | undefined;
  readonly sparse: Readonly<Record<string, Section>> | undefined;
  readonly shardNumber: number | undefined;
  readonly shardKeys: readonly string[] | undefined;
  /** `replication_factor`, `write_consistency_factor`. */
  readonly params: Section;
  readonly hnsw: Section;
  readonly optimizers: Section;
  readonly quantization: Section | 'Disabled' | undefined;
  readonly strictMode: Section;
  readonly indexes: Readonly<Record<string, Section>>;
};

/** Of a vector that is made and whose distance nobody said. */
export const DEFAULT_DISTANCE = 'Cosine';

const MEGABYTE = 1024 * 1024;
const share = (percent: number | undefined): number | undefined => (percent === undefined ? undefined : percent / 100);

/** Leaves out what is undefined: an absent field is one that we don't set. */
export function defined(section: Section): Section {
  return Object.fromEntries(Object.entries(section).filter(([, value]) => value !== undefined));
}

export function shapeOf(spec: DomainLibrarySpec, limits?: QdrantClusterSpec['limits']): Shape {
  const values = withProfile(spec);
  const { shards = {} } = values;
  return {
    vectors: byName(values.vectors, vectorShape),
    sparse: byName(values.sparseVectors, sparseShape),
    shardNumber: shards.number,
    shardKeys: shards.keys,
    params: defined({
      replication_factor: shards.replicationFactor,
      write_consistency_factor: shards.writeConsistencyFactor,
    }),
    hnsw: hnswConfig(values.hnsw ?? {}),
    optimizers: optimizersConfig(values.optimizers ?? {}),
    quantization: values.quantization === undefined ? undefined : quantizationConfig(values.quantization),
    strictMode: strictModeConfig(values.strictMode ?? {}, limits),
    indexes: Object.fromEntries((values.payloadIndexes ?? []).map((index) => [index.field, indexSchema(index)])),
  };
}

/** Sixteen hex digits that change with the shape. */
export const shapeDigest = (shape: Shape): string =>
  createHash('sha256').update(canonicalJson(shape)).digest('hex').slice(0, 16);

function byName<Item extends { readonly name: string }, Result>(
  items: readonly Item[] | undefined,
  shape: (item: Item) => Result,
): Record<string, Result> | undefined {
  return items === undefined ? undefined : Object.fromEntries(items.map((item) => [item.name, shape(item)]));
}

function vectorShape({ size, distance, datatype, multivector, onDisk, hnsw, quantization }: Vector): VectorShape {
  return {
    size,
    ...(distance === undefined ? {} : { distance }),
    ...(datatype === undefined ? {} : { datatype }),
    ...(multivector === undefined ? {} : { multivector: { comparator: multivector.comparator ?? 'max_sim' } }),
    tuning: defined({
      on_disk: onDisk,
      hnsw_config: hnsw === undefined ? undefined : hnswConfig(hnsw),
      quantization_config: quantization === undefined ? undefined : quantizationConfig(quantization),
    }),
  };
}

const sparseShape = ({ modifier, index }: SparseVector): Section =>
  defined({
    modifier,
    index:
      index === undefined
        ? undefined
        : defined({ full_scan_threshold: index.fullScanThreshold, on_disk: index.onDisk, datatype: index.datatype }),
  });

const hnswConfig = (hnsw: Hnsw): Section =>
  defined({
    m: hnsw.m,
    ef_construct: hnsw.efConstruct,
    full_scan_threshold: hnsw.fullScanThresholdKB,
    max_indexing_threads: hnsw.maxIndexingThreads,
    on_disk: hnsw.onDisk,
    payload_m: hnsw.payloadM,
    inline_storage: hnsw.inlineStorage,
  });

const optimizersConfig = (optimizers: Optimizers): Section =>
  defined({
    deleted_threshold: share(optimizers.deletedThresholdPercent),
    vacuum_min_vector_number: optimizers.vacuumMinVectorNumber,
    default_segment_number: optimizers.defaultSegmentNumber,
    max_segment_size: optimizers.maxSegmentSizeKB,
    memmap_threshold: optimizers.memmapThresholdKB,
    indexing_threshold: optimizers.indexingThresholdKB,
    flush_interval_sec: optimizers.flushIntervalSeconds,
    max_optimization_threads: optimizers.maxOptimizationThreads,
    prevent_unoptimized: optimizers.preventUnoptimized,
  });

export function quantizationConfig({ scalar, product, binary, turbo }: Quantization): Section | 'Disabled' {
  if (scalar !== undefined) {
    const { type = 'int8', quantilePercent, alwaysRam } = scalar;
    return { scalar: defined({ type, quantile: share(quantilePercent), always_ram: alwaysRam }) };
  }
  if (product !== undefined) {
    return { product: defined({ compression: product.compression, always_ram: product.alwaysRam }) };
  }
  if (binary !== undefined) {
    const { encoding, queryEncoding, alwaysRam } = binary;
    return { binary: defined({ encoding, query_encoding: queryEncoding, always_ram: alwaysRam }) };
  }
  if (turbo !== undefined) return { turbo: defined({ bits: turbo.bits, always_ram: turbo.alwaysRam }) };
  return 'Disabled';
}

function strictModeConfig(mode: StrictMode, limits: QdrantClusterSpec['limits']): Section {
  const quota = limits?.maxCollectionSizeMB === undefined ? undefined : limits.maxCollectionSizeMB * MEGABYTE;
  const own = mode.maxCollectionVectorSizeBytes;
  const section = defined({
    max_query_limit: mode.maxQueryLimit,
    max_timeout: mode.maxTimeoutSeconds,
    unindexed_filtering_retrieve: mode.unindexedFilteringRetrieve,
    unindexed_filtering_update: mode.unindexedFilteringUpdate,
    search_max_hnsw_ef: mode.searchMaxHnswEf,
    search_allow_exact: mode.searchAllowExact,
    search_max_oversampling: share(mode.searchMaxOversamplingPercent),
    upsert_max_batchsize: mode.upsertMaxBatchSize,
    search_max_batchsize: mode.searchMaxBatchSize,
    max_collection_vector_size_bytes: quota === undefined ? own : Math.min(quota, own ?? quota),
    max_collection_payload_size_bytes: mode.maxCollectionPayloadSizeBytes,
    max_points_count: mode.maxPointsCount,
    read_rate_limit: mode.readRateLimitPerMinute,
    write_rate_limit: mode.writeRateLimitPerMinute,
    filter_max_conditions: mode.filterMaxConditions,
    condition_max_size: mode.conditionMaxSize,
    max_payload_index_count: mode.maxPayloadIndexCount,
  });
  // A quota of the cluster is not the library's to switch off.
  if (quota !== undefined) return { enabled: true, ...section };
  return Object.keys(section).length === 0 && mode.enabled === undefined
    ? {}
    : { enabled: mode.enabled ?? true, ...section };
}

const indexSchema = (index: PayloadIndex): Section =>
  defined({
    type: index.type,
    on_disk: index.onDisk,
    enable_hnsw: index.enableHnsw,
    is_tenant: index.isTenant,
    is_principal: index.isPrincipal,
    lookup: index.lookup,
    range: index.range,
    tokenizer: index.tokenizer,
    min_token_len: index.minTokenLength,
    max_token_len: index.maxTokenLength,
    lowercase: index.lowercase,
    ascii_folding: index.asciiFolding,
    phrase_matching: index.phraseMatching,
  });
