import { EngineError } from '../base/errors.ts';
import type { Operation } from './operations.ts';
import {
  type CollectionState,
  isSourceOfTruth,
  type PeerId,
  type ReplicaState,
  type ShardState,
  type Transfer,
  type TransferKey,
} from './types.ts';

type SetReplica = Pick<Extract<Operation, { op: 'setReplica' }>, 'shardId' | 'peerId' | 'state' | 'from'>;

export function setReplica(collection: CollectionState, change: SetReplica): boolean {
  const shard = shardOf(collection, change.shardId);
  const present = shard.replicas[change.peerId];
  if (present === undefined) {
    throw new EngineError(
      'BadInput',
      `Replica ${change.peerId} of shard ${collection.name}:${change.shardId} does not exist`,
    );
  }
  if (change.from !== undefined && change.from !== present) {
    throw new EngineError(
      'BadInput',
      `Replica ${change.peerId} of shard ${collection.name}:${change.shardId} has state ${present}, but expected ${change.from}`,
    );
  }
  if (change.state === 'Dead' && isLastActive(shard, change.peerId)) {
    throw new EngineError(
      'BadInput',
      `Cannot deactivate the last active replica ${change.peerId} of shard ${change.shardId}`,
    );
  }
  shard.replicas[change.peerId] = change.state;
  // A replica that died takes its transfers with it.
  if (change.state === 'Dead') {
    collection.transfers = collection.transfers.filter(
      (transfer) => transfer.shardId !== shard.id || (transfer.from !== change.peerId && transfer.to !== change.peerId),
    );
  }
  return true;
}

export function shardOf(collection: CollectionState, id: number): ShardState {
  const shard = collection.shards.find((candidate) => candidate.id === id);
  if (shard) return shard;
  throw new EngineError('BadRequest', `Shard ${id} of ${collection.name} does not exist`);
}

export function isLastActive(shard: ShardState, peerId: PeerId): boolean {
  const active = Object.entries(shard.replicas).filter(([, state]) => isSourceOfTruth(state));
  return active.length === 1 && active[0]?.[0] === String(peerId);
}

export function dropReplica(collection: CollectionState, key: { shardId: number; peerId: PeerId }): boolean {
  const shard = shardOf(collection, key.shardId);
  const left = Object.entries(shard.replicas).filter(
    ([peer, state]) => peer !== String(key.peerId) && state === 'Active',
  );
  if (left.length === 0) {
    throw new EngineError(
      'BadRequest',
      `Shard ${shard.id} must have at least one active replica after removing ${key.peerId}`,
    );
  }
  for (const transfer of collection.transfers.filter(
    ({ shardId, from, to }) => shardId === shard.id && [from, to].includes(key.peerId),
  )) {
    abortTransfer(collection, transfer);
  }
  delete shard.replicas[key.peerId];
  return true;
}

/** Source: Qdrant `shards/transfer/helpers.rs validate_transfer`, in its order. */
export function checkTransfer(collection: CollectionState, transfer: TransferKey, peers: ReadonlySet<PeerId>): void {
  const shard = collection.shards.find((candidate) => candidate.id === transfer.shardId);
  if (!shard) throw new EngineError('Service', `Shard ${transfer.shardId} does not exist`);
  for (const peer of [transfer.from, transfer.to]) {
    if (!peers.has(peer)) throw new EngineError('BadRequest', `Peer ${peer} does not exist`);
  }
  checkSource(collection, shard, transfer);
}

function checkSource(collection: CollectionState, shard: ShardState, transfer: TransferKey): void {
  const source = shard.replicas[transfer.from];
  if (source !== 'Active' && source !== 'ReshardingScaleDown') {
    throw new EngineError('BadRequest', `Shard ${shard.id} is not active on peer ${transfer.from}`);
  }
  const ends = [transfer.from, transfer.to];
  const other = collection.transfers.find(
    (running) => running.shardId === shard.id && (ends.includes(running.from) || ends.includes(running.to)),
  );
  if (other) {
    throw new EngineError(
      'BadRequest',
      `Shard ${shard.id} is already involved in transfer ${other.from} -> ${other.to}`,
    );
  }
}

export function startTransfer(collection: CollectionState, transfer: Transfer): boolean {
  const shard = shardOf(collection, transfer.shardId);
  checkSource(collection, shard, transfer);
  collection.transfers.push(transfer);
  shard.replicas[transfer.to] = initialState(transfer);
  return true;
}

const initialState = (transfer: Transfer): ReplicaState =>
  transfer.method === 'stream_records' ? 'Partial' : 'Recovery';

export function restartTransfer(collection: CollectionState, transfer: Transfer): boolean {
  const running = findTransfer(collection, transfer);
  if (!running) throw noTransfer(transfer);
  if (running.method === transfer.method) {
    throw new EngineError(
      'BadRequest',
      `Cannot restart transfer for shard ${transfer.shardId} from ${transfer.from} to ${transfer.to}, its configuration did not change`,
    );
  }
  collection.transfers = collection.transfers.map((other) =>
    other === running ? { ...running, method: transfer.method } : other,
  );
  shardOf(collection, transfer.shardId).replicas[transfer.to] = initialState(transfer);
  return true;
}

export const findTransfer = (collection: CollectionState, key: TransferKey): Transfer | undefined =>
  collection.transfers.find(({ shardId, from, to }) => shardId === key.shardId && from === key.from && to === key.to);

const noTransfer = (key: TransferKey): EngineError =>
  new EngineError('BadRequest', `There is no transfer for shard ${key.shardId} from ${key.from} to ${key.to}`);

/** The target becomes Active; a move then takes the source's replica away. */
export function finishTransfer(collection: CollectionState, key: TransferKey): boolean {
  const transfer = findTransfer(collection, key);
  if (!transfer) throw noTransfer(key);
  const shard = shardOf(collection, key.shardId);
  collection.transfers = collection.transfers.filter((other) => other !== transfer);
  shard.replicas[transfer.to] = 'Active';
  if (!transfer.sync) delete shard.replicas[transfer.from];
  return true;
}

/** A replicating transfer leaves a Dead target (which then recovers); a move takes the target away. */
export function abortTransfer(collection: CollectionState, key: TransferKey): boolean {
  const transfer = findTransfer(collection, key);
  if (!transfer) throw noTransfer(key);
  collection.transfers = collection.transfers.filter((other) => other !== transfer);
  const shard = shardOf(collection, key.shardId);
  if (transfer.sync) shard.replicas[transfer.to] = 'Dead';
  else delete shard.replicas[transfer.to];
  return true;
}

/** All points are there; from now on writers send their changes themselves. */
export function recoveredToPartial(collection: CollectionState, key: TransferKey): boolean {
  if (!findTransfer(collection, key)) throw noTransfer(key);
  return setReplica(collection, { shardId: key.shardId, peerId: key.to, state: 'Partial' });
}
