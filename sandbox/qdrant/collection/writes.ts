import { asEngineError, EngineError } from '../base/errors.ts';
import type { Engine } from '../engine.ts';
import { pointsNamed, type ShardOperation, type VersionedOperation } from '../shard/operations.ts';
import { hashId, type PointId } from '../shard/point.ts';
import { isLastActive } from '../state/replicas.ts';
import {
  type CollectionState,
  isSourceOfTruth,
  isUpdatable,
  type PeerId,
  type ReplicaState,
  type ShardKey,
  type ShardState,
} from '../state/types.ts';
import { takeTokens } from './limits.ts';
import { callPeer, peersWith, replicaKey } from './replicas.ts';
import { approximateBytes, thresholdBytes } from './shard-info.ts';

/** Source: Qdrant `DEFAULT_SHARD_DEACTIVATION_TIMEOUT`. */
const DEACTIVATION_MILLISECONDS = 30_000;
/** Source: Qdrant `ReplicaState::is_partial_or_recovery`. */
const PARTIAL: ReadonlySet<ReplicaState> = new Set<ReplicaState>([
  'Partial',
  'Recovery',
  'ManualRecovery',
  'PartialSnapshot',
  'Resharding',
  'ReshardingScaleDown',
  'ActiveRead',
]);
const RESHARDING: ReadonlySet<ReplicaState> = new Set<ReplicaState>(['Resharding', 'ReshardingScaleDown']);
/** Their failures are no news. */
const GIVEN_UP: ReadonlySet<ReplicaState> = new Set<ReplicaState>(['Dead', 'Listener', 'ManualRecovery']);

/** Splits an operation by the shards its points belong to; filters go to all of them. */
export function routeOperation(
  collection: CollectionState,
  operation: ShardOperation,
  key: ShardKey | undefined,
): Map<ShardState, ShardOperation> {
  const shards = routableShards(collection, key);
  const parts = new Map<ShardState, ShardOperation>();
  if (operation.kind === 'upsert' || operation.kind === 'updateVectors') {
    for (const [shard, points] of groupBy(operation.points, (point) => shardFor(shards, point.id))) {
      parts.set(shard, { ...operation, points } as ShardOperation);
    }
    return parts;
  }
  if (operation.kind === 'load' || operation.kind === 'clear') return parts;
  const { ids } = operation.target;
  if (ids === undefined) for (const shard of shards) parts.set(shard, operation);
  else {
    for (const [shard, part] of groupBy(ids, (id) => shardFor(shards, id))) {
      parts.set(shard, { ...operation, target: { ids: part } });
    }
  }
  return parts;
}

function routableShards(collection: CollectionState, key: ShardKey | undefined): ShardState[] {
  const isCustom = collection.config.params.sharding_method === 'custom';
  if (!isCustom && key === undefined) return collection.shards;
  if (key === undefined) throw new EngineError('BadInput', 'Shard key not specified');
  const shards = collection.shards.filter((shard) => shard.key === key);
  if (shards.length === 0) throw new EngineError('BadInput', `Shard key ${JSON.stringify(key)} not found`);
  return shards;
}

function shardFor(shards: readonly ShardState[], id: PointId): ShardState {
  const shard = shards[hashId(id) % shards.length];
  if (!shard) throw new EngineError('Service', 'the collection has no shards');
  return shard;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => ShardState): Map<ShardState, T[]> {
  const groups = new Map<ShardState, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/**
 * Applies an update that this peer or another one sent, as the state of the local replica allows.
 *
 * @throws EngineError also where the replica takes none now: whoever sent it must not take it for written
 */
export function updateLocal(
  engine: Engine,
  collection: CollectionState,
  update: { shardId: number; change: VersionedOperation; force?: boolean; admitted?: boolean },
): void {
  const shard = engine.shards.get(collection.uuid, update.shardId);
  if (!shard) throw new EngineError('Service', `Local shard ${update.shardId} not found`);
  const state = collection.shards.find(({ id }) => id === update.shardId)?.replicas[engine.peerId];
  // A replica that is being filled takes only what the transfer brings.
  if (!update.force && !isUpdatable(state))
    throw new EngineError('Precondition', `No target shard ${update.shardId} found for update`);
  if (!update.force && !update.admitted && state === 'Active') admit(engine, collection, update);
  shard.update(update.change);
  if (approximateBytes(collection, shard.points.size) >= thresholdBytes(collection))
    engine.optimizingSince.set(collection.uuid, Date.now());
  for (const forward of engine.forwards.get(`${collection.uuid}/${update.shardId}`) ?? []) forward(update.change);
}

/** Only writes of Active replicas are limited. Source: Qdrant `ReplicaState::is_write_rate_limitable`. */
function admit(
  engine: Engine,
  collection: CollectionState,
  { shardId, change }: { shardId: number; change: VersionedOperation },
): void {
  const shard = engine.shards.get(collection.uuid, shardId);
  if (!shard) return;
  takeTokens(engine, collection, { shard, kind: 'write', cost: Math.max(1, pointsNamed(change.operation) ?? 1) });
}

type Failure = { readonly peer: PeerId; readonly error: EngineError };

/**
 * Writes to all replicas of a shard that take updates. Those that fail are marked Dead through consensus.
 *
 * @throws EngineError when no replica takes updates, too few succeeded, or the mark could not be made in time
 */
export async function updateShard(
  engine: Engine,
  collection: CollectionState,
  update: { shard: ShardState; operation: ShardOperation; wait: boolean },
): Promise<void> {
  const { shard } = update;
  const peers = peersWith(engine, collection, { shard, holds: isUpdatable });
  if (peers.length === 0) {
    throw new EngineError(
      'Service',
      `The replica set for shard ${shard.id} on peer ${engine.peerId} has no active replica`,
    );
  }
  const change = { operation: update.operation, version: engine.nextVersion() };
  // The limiter of this peer's own replica is asked before anything is sent.
  if (peers.includes(engine.peerId) && shard.replicas[engine.peerId] === 'Active')
    admit(engine, collection, { shardId: shard.id, change });
  const failures = (
    await Promise.all(peers.map((peer) => sendUpdate(engine, collection, { peer, shard, change })))
  ).flat();
  const succeeded = peers.filter((peer) => !failures.some((failure) => failure.peer === peer));
  const needed = Math.min(collection.config.params.write_consistency_factor, Object.keys(shard.replicas).length);
  const first = failures[0];
  if (succeeded.length < needed && first) throw first.error;
  // Unless a replica has completed the write, only those that may do better another time are marked Dead.
  const handled = update.wait ? failures : failures.filter(({ error }) => error.transient);
  await deactivate(engine, collection, { shard, failures: handled, wait: update.wait });
  if (!succeeded.some((peer) => isSourceOfTruth(shard.replicas[peer]))) {
    throw new EngineError(
      'Service',
      `Failed to apply operation to at least one \`Active\` replica. Consistency of this update is not guaranteed. Please retry. ${failureText(first)}`,
    );
  }
}

async function sendUpdate(
  engine: Engine,
  collection: CollectionState,
  send: { peer: PeerId; shard: ShardState; change: VersionedOperation },
): Promise<Failure[]> {
  const { peer, shard, change } = send;
  try {
    if (peer === engine.peerId) updateLocal(engine, collection, { shardId: shard.id, change, admitted: true });
    else
      await callPeer(engine, peer, {
        method: 'update',
        body: { collection: collection.name, shardId: shard.id, change },
      });
    return [];
  } catch (error) {
    return [{ peer, error: asEngineError(error) }];
  }
}

/** Whether a replica's failure says that it is behind. Source: Qdrant `handle_failed_replicas`. */
function isBehind(state: ReplicaState | undefined, { kind }: EngineError): boolean {
  if (state === undefined || GIVEN_UP.has(state)) return false;
  // In the middle of a transfer it may not know of its state yet, or not have the point: the transfer brings it.
  return !(PARTIAL.has(state) && (kind === 'Precondition' || kind === 'NotFound'));
}

const failureText = (failure: Failure | undefined): string =>
  failure ? `Failed peer: ${failure.peer}, error: ${failure.error.message}` : '';

/** Marks failed replicas Dead, and waits for the mark so that no reader meets them. */
async function deactivate(
  engine: Engine,
  collection: CollectionState,
  options: { shard: ShardState; failures: readonly Failure[]; wait: boolean },
): Promise<void> {
  const { shard, wait } = options;
  const failures = options.failures.filter(({ peer, error }) => isBehind(shard.replicas[peer], error));
  const marked = failures.filter(({ peer }) => !isLastActive(shard, peer));
  for (const { peer } of marked) {
    const state = shard.replicas[peer];
    if (state === undefined) continue;
    engine.disabled.set(replicaKey(collection, shard, peer), state);
    const { name, uuid } = collection;
    void proposeDead(engine, { name, uuid, shardId: shard.id, peerId: peer, was: state });
  }
  // Those that would fail again are not waited for.
  if (!wait || !failures.some(({ error }) => error.transient)) return;
  const deadline = Date.now() + DEACTIVATION_MILLISECONDS;
  const now = (): ShardState | undefined =>
    engine.consensus.state.collections[collection.name]?.shards.find(({ id }) => id === shard.id);
  while (marked.some(({ peer }) => isSourceOfTruth(now()?.replicas[peer]))) {
    if (Date.now() > deadline) {
      throw new EngineError(
        'Service',
        `Some replica of shard ${shard.id} failed to apply operation and deactivation timed out after ${DEACTIVATION_MILLISECONDS / 1000}s. Consistency of this update is not guaranteed. Please retry. ${failureText(failures[0])}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Until it is marked, or has come to another state; those of a transfer may move on, and the mark holds all the same. */
async function proposeDead(
  engine: Engine,
  replica: { name: string; uuid: string; shardId: number; peerId: PeerId; was: ReplicaState },
): Promise<void> {
  const { name, shardId, peerId, was } = replica;
  const from = PARTIAL.has(was) && !RESHARDING.has(was) ? undefined : was;
  const now = (): ReplicaState | undefined =>
    engine.consensus.state.collections[name]?.shards.find(({ id }) => id === shardId)?.replicas[peerId];
  await new Promise((resolve) => setTimeout(resolve, engine.settings.pace.deadMark));
  for (let state = now(); state !== undefined && state !== 'Dead' && state === (from ?? state); state = now()) {
    try {
      const change = { name, shardId, peerId, state: 'Dead' as const, ...(from !== undefined && { from }) };
      await engine.consensus.propose({ op: 'setReplica', ...change });
    } catch (error) {
      // Refused for good: the replica's state has moved on.
      if (asEngineError(error).kind !== 'Service') break;
    }
  }
  engine.disabled.delete(`${replica.uuid}/${shardId}/${peerId}`);
}
