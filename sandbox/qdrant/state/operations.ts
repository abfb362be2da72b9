import type { JsonObject } from '../base/json.ts';
import type { CollectionConfig, PeerId, ReplicaState, ShardKey, ShardState, Transfer, TransferKey } from './types.ts';

export type AliasAction =
  | { readonly kind: 'create'; readonly alias: string; readonly collection: string }
  | { readonly kind: 'delete'; readonly alias: string }
  | { readonly kind: 'rename'; readonly alias: string; readonly to: string };

/** What PATCH may change, already read from the request. */
export type CollectionUpdate = {
  readonly vectors?: Readonly<Record<string, JsonObject>>;
  readonly sparse_vectors?: Readonly<Record<string, JsonObject>>;
  readonly params?: JsonObject;
  readonly hnsw_config?: JsonObject;
  readonly optimizers_config?: JsonObject;
  readonly quantization_config?: JsonObject | 'Disabled';
  readonly strict_mode_config?: JsonObject;
  readonly metadata?: JsonObject;
};

/** The entries of the replicated log. */
export type Operation =
  | { readonly op: 'noop' }
  | { readonly op: 'addPeer'; readonly peerId: PeerId; readonly uri: string; readonly version: string }
  | { readonly op: 'promotePeer'; readonly peerId: PeerId }
  | { readonly op: 'removePeer'; readonly peerId: PeerId }
  | { readonly op: 'peerUri'; readonly peerId: PeerId; readonly uri: string; readonly version: string }
  | {
      readonly op: 'createCollection';
      readonly name: string;
      readonly uuid: string;
      readonly config: CollectionConfig;
      readonly shards: readonly ShardState[];
    }
  | { readonly op: 'updateCollection'; readonly name: string; readonly update: CollectionUpdate }
  | { readonly op: 'deleteCollection'; readonly name: string }
  | { readonly op: 'aliases'; readonly actions: readonly AliasAction[] }
  | { readonly op: 'payloadIndex'; readonly name: string; readonly field: string; readonly schema: JsonObject | null }
  | { readonly op: 'vectorName'; readonly name: string; readonly vector: string; readonly body: JsonObject | null }
  | {
      readonly op: 'setReplica';
      readonly name: string;
      readonly shardId: number;
      readonly peerId: PeerId;
      readonly state: ReplicaState;
      readonly from?: ReplicaState;
    }
  | { readonly op: 'dropReplica'; readonly name: string; readonly shardId: number; readonly peerId: PeerId }
  | { readonly op: 'startTransfer'; readonly name: string; readonly transfer: Transfer }
  | { readonly op: 'restartTransfer'; readonly name: string; readonly transfer: Transfer }
  | { readonly op: 'recoveredToPartial'; readonly name: string; readonly transfer: TransferKey }
  | { readonly op: 'finishTransfer'; readonly name: string; readonly transfer: TransferKey }
  | { readonly op: 'abortTransfer'; readonly name: string; readonly transfer: TransferKey; readonly reason: string }
  | {
      readonly op: 'createShardKey';
      readonly name: string;
      readonly key: ShardKey;
      readonly placement: readonly (readonly PeerId[])[];
      readonly state: ReplicaState;
    }
  | { readonly op: 'dropShardKey'; readonly name: string; readonly key: ShardKey }
  | { readonly op: 'metadata'; readonly key: string; readonly value: JsonObject | string | number | boolean | null };
