import type { JsonObject } from '../base/json.ts';

/** Random, below 2^53. */
export type PeerId = number;
export type ShardKey = string | number;

export type ReplicaState =
  | 'Active'
  | 'Dead'
  | 'Partial'
  | 'Initializing'
  | 'Listener'
  | 'PartialSnapshot'
  | 'Recovery'
  | 'Resharding'
  | 'ReshardingScaleDown'
  | 'ActiveRead'
  | 'ManualRecovery';

// Source: Qdrant `replica_set_state.rs`.
const READABLE: ReadonlySet<ReplicaState> = new Set<ReplicaState>(['Active', 'ReshardingScaleDown', 'ActiveRead']);
const UPDATABLE: ReadonlySet<ReplicaState> = new Set<ReplicaState>([
  ...READABLE,
  'Resharding',
  'Listener',
  'Partial',
  'Initializing',
]);
const TRUTH: ReadonlySet<ReplicaState> = new Set<ReplicaState>([...READABLE, 'Resharding']);
const HEALTHY: ReadonlySet<ReplicaState> = new Set<ReplicaState>([
  'Active',
  'ReshardingScaleDown',
  'Resharding',
  'Listener',
  'ManualRecovery',
]);

export const isReadable = (state: ReplicaState | undefined): boolean => state !== undefined && READABLE.has(state);
export const isUpdatable = (state: ReplicaState | undefined): boolean => state !== undefined && UPDATABLE.has(state);
export const isSourceOfTruth = (state: ReplicaState | undefined): boolean => state !== undefined && TRUTH.has(state);
/** Healthy in the eyes of /readyz, which differs from readable. */
export const isHealthy = (state: ReplicaState | undefined): boolean => state !== undefined && HEALTHY.has(state);

export type TransferMethod = 'stream_records' | 'snapshot' | 'wal_delta';
export type TransferKey = { readonly shardId: number; readonly from: PeerId; readonly to: PeerId };
/** `sync`: the source keeps its replica (replicate, recover); without it the transfer is a move. */
export type Transfer = TransferKey & { readonly sync: boolean; readonly method: TransferMethod };

export type ShardState = {
  readonly id: number;
  readonly key?: ShardKey;
  /** By peer id. */
  replicas: Record<string, ReplicaState>;
};

export type VectorParams = {
  readonly size: number;
  readonly distance: 'Cosine' | 'Euclid' | 'Dot' | 'Manhattan';
  readonly hnsw_config?: JsonObject;
  readonly quantization_config?: JsonObject;
  readonly on_disk?: boolean;
  readonly datatype?: 'float32' | 'uint8' | 'float16' | 'turbo4';
  readonly multivector_config?: { readonly comparator: 'max_sim' };
};
export type SparseParams = { readonly index?: JsonObject; readonly modifier?: 'none' | 'idf' };
export type NamedVectors = Readonly<Record<string, VectorParams>>;

export type CollectionParams = {
  readonly vectors?: VectorParams | NamedVectors;
  readonly shard_number: number;
  readonly sharding_method?: 'auto' | 'custom';
  readonly replication_factor: number;
  readonly write_consistency_factor: number;
  readonly read_fan_out_factor?: number;
  readonly read_fan_out_delay_ms?: number;
  readonly on_disk_payload: boolean;
  readonly sparse_vectors?: Readonly<Record<string, SparseParams>>;
};

export type CollectionConfig = {
  readonly params: CollectionParams;
  readonly hnsw_config: JsonObject;
  readonly optimizer_config: JsonObject;
  readonly wal_config: JsonObject;
  readonly quantization_config: JsonObject | null;
  readonly strict_mode_config?: JsonObject;
  readonly metadata?: JsonObject;
};

export type CollectionState = {
  readonly name: string;
  /** Tells a collection from an earlier one of the same name on disk. */
  readonly uuid: string;
  config: CollectionConfig;
  shards: ShardState[];
  transfers: Transfer[];
  payloadSchema: Record<string, JsonObject>;
};

export type PeerState = { readonly uri: string; voter: boolean; version?: string };

/** What consensus keeps equal on all peers. Plain JSON. */
export type ClusterState = {
  peers: Record<string, PeerState>;
  collections: Record<string, CollectionState>;
  aliases: Record<string, string>;
  metadata: Record<string, unknown>;
};

export const emptyState = (): ClusterState => ({ peers: {}, collections: {}, aliases: {}, metadata: {} });

/** The dense vectors of a collection by name; the single unnamed one is `''`. */
export function denseVectors(params: CollectionParams): NamedVectors {
  const { vectors } = params;
  if (vectors === undefined) return {};
  return isSingleVector(vectors) ? { '': vectors } : vectors;
}

export function isSingleVector(vectors: VectorParams | NamedVectors): vectors is VectorParams {
  return typeof (vectors as { size?: unknown }).size === 'number';
}
