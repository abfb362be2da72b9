import { EngineError } from '../base/errors.ts';
import { applyAliases } from './aliases.ts';
import { applyUpdate, applyVectorName } from './collection-update.ts';
import type { Operation } from './operations.ts';
import { ReplicaPanic } from './panic.ts';
import {
  abortTransfer,
  dropReplica,
  finishTransfer,
  recoveredToPartial,
  restartTransfer,
  setReplica,
  startTransfer,
} from './replicas.ts';
import { type ClusterState, type CollectionState, denseVectors, type PeerId, type ShardState } from './types.ts';

/**
 * Applies one entry of the replicated log to the state, in place.
 *
 * @returns whether anything was there to change, as REST answers it
 * @throws EngineError what the proposer is told; the state is unchanged (aliases: up to the failing action)
 * @throws ReplicaPanic what stops consensus on every peer
 */
export function applyOperation(state: ClusterState, operation: Operation): boolean {
  switch (operation.op) {
    case 'noop':
      return true;
    case 'addPeer':
      state.peers[operation.peerId] = { uri: operation.uri, voter: false, version: operation.version };
      return true;
    case 'promotePeer': {
      const peer = state.peers[operation.peerId];
      if (peer) peer.voter = true;
      return peer !== undefined;
    }
    case 'peerUri': {
      const peer = state.peers[operation.peerId];
      if (peer) state.peers[operation.peerId] = { ...peer, uri: operation.uri, version: operation.version };
      return peer !== undefined;
    }
    case 'removePeer':
      return removePeer(state, operation.peerId);
    case 'metadata':
      if (operation.value === null) delete state.metadata[operation.key];
      else state.metadata[operation.key] = operation.value;
      return true;
    case 'aliases':
      return applyAliases(state, operation.actions);
    case 'createCollection':
      return createCollection(state, operation);
    case 'deleteCollection':
      return deleteCollection(state, operation.name);
    case 'updateCollection':
    case 'vectorName':
    case 'payloadIndex':
    case 'setReplica':
    case 'dropReplica':
    case 'startTransfer':
    case 'restartTransfer':
    case 'recoveredToPartial':
    case 'finishTransfer':
    case 'abortTransfer':
    case 'createShardKey':
    case 'dropShardKey':
      return applyToCollection(collectionOf(state, operation.name), operation);
  }
}

type CollectionOperation = Exclude<
  Operation,
  | { op: 'noop' | 'addPeer' | 'promotePeer' | 'peerUri' | 'removePeer' | 'metadata' | 'aliases' }
  | { op: 'createCollection' | 'deleteCollection' }
>;

function applyToCollection(collection: CollectionState, operation: CollectionOperation): boolean {
  switch (operation.op) {
    case 'updateCollection':
      return applyUpdate(collection, operation.update);
    case 'vectorName':
      return applyVectorName(collection, operation.vector, operation.body);
    case 'payloadIndex':
      if (operation.schema === null) delete collection.payloadSchema[operation.field];
      else collection.payloadSchema[operation.field] = operation.schema;
      return true;
    case 'setReplica':
      return setReplica(collection, operation);
    case 'dropReplica':
      return dropReplica(collection, operation);
    case 'startTransfer':
      return startTransfer(collection, operation.transfer);
    case 'restartTransfer':
      return restartTransfer(collection, operation.transfer);
    case 'recoveredToPartial':
      return recoveredToPartial(collection, operation.transfer);
    case 'finishTransfer':
      return finishTransfer(collection, operation.transfer);
    case 'abortTransfer':
      return abortTransfer(collection, operation.transfer);
    case 'createShardKey':
      return createShardKey(collection, operation);
    case 'dropShardKey':
      collection.shards = collection.shards.filter((shard) => shard.key !== operation.key);
      return true;
  }
}

export function collectionOf(state: ClusterState, name: string): CollectionState {
  const collection = state.collections[name];
  if (collection === undefined) throw missing(name);
  return collection;
}

export const missing = (name: string): EngineError =>
  new EngineError('NotFound', `Collection \`${name}\` doesn't exist!`);

function createCollection(state: ClusterState, operation: Extract<Operation, { op: 'createCollection' }>): boolean {
  const { name, uuid, config, shards } = operation;
  if (state.collections[name]) throw new EngineError('AlreadyExists', `Collection \`${name}\` already exists!`);
  if (state.aliases[name] !== undefined) {
    throw new EngineError(
      'BadInput',
      `Can't create collection with name ${name}. Alias with the same name already exists`,
    );
  }
  // S1: the parser lets this datatype through, the storage doesn't.
  if (shards.length > 0 && Object.values(denseVectors(config.params)).some((vector) => vector.datatype === 'turbo4')) {
    throw new ReplicaPanic('Segment DB create panickedwith: not implemented: turbo4 datatype storage not yet wired up');
  }
  state.collections[name] = {
    name,
    uuid,
    config,
    shards: structuredClone([...shards]),
    transfers: [],
    payloadSchema: {},
  };
  return true;
}

function deleteCollection(state: ClusterState, name: string): boolean {
  if (!state.collections[name]) return false;
  delete state.collections[name];
  for (const [alias, target] of Object.entries(state.aliases)) if (target === name) delete state.aliases[alias];
  return true;
}

function createShardKey(collection: CollectionState, operation: Extract<Operation, { op: 'createShardKey' }>): boolean {
  if (collection.shards.some((shard) => shard.key === operation.key)) {
    throw new EngineError(
      'BadRequest',
      `Sharding key ${JSON.stringify(operation.key)} already exists for collection ${collection.name}`,
    );
  }
  // Ids of custom shards begin at 1, and a dropped highest id is used again.
  let id = collection.shards.reduce((highest, shard) => Math.max(highest, shard.id), 0);
  const added = operation.placement.map((peers): ShardState => {
    id += 1;
    return { id, key: operation.key, replicas: Object.fromEntries(peers.map((peer) => [peer, operation.state])) };
  });
  collection.shards.push(...added);
  return true;
}

/** Removes a peer with all its replicas, the last ones too (S3). An unknown id is no error (S11). */
function removePeer(state: ClusterState, peerId: PeerId): boolean {
  for (const collection of Object.values(state.collections)) {
    for (const transfer of collection.transfers.filter(({ from, to }) => from === peerId || to === peerId)) {
      abortTransfer(collection, transfer);
    }
    for (const shard of collection.shards) delete shard.replicas[peerId];
  }
  delete state.peers[peerId];
  return true;
}
