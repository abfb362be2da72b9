import { EngineError } from '../base/errors.ts';
import { isObject, type JsonObject, maybeString, numberOf } from '../base/json.ts';
import { createShardKey, dropShardKey } from '../collection/shard-keys.ts';
import type { Engine } from '../engine.ts';
import { checkTransfer, findTransfer } from '../state/replicas.ts';
import type { CollectionState, PeerId, Transfer, TransferKey, TransferMethod } from '../state/types.ts';

const METHODS: readonly TransferMethod[] = ['stream_records', 'snapshot', 'wal_delta'];
const UNBUILT = [
  'replicate_points',
  'finish_migrating_points',
  'commit_read_hash_ring',
  'commit_write_hash_ring',
  'finish_resharding',
];

type Step = { body: JsonObject; timeoutMs: number | undefined };

/**
 * POST /collections/{c}/cluster: one operation a call. Answers true when consensus has applied its start.
 * @throws EngineError in the words and statuses of the server
 */
export async function clusterOperation(engine: Engine, collection: CollectionState, step: Step): Promise<boolean> {
  const { body, timeoutMs } = step;
  const propose = engine.consensus.propose.bind(engine.consensus);
  const { name } = collection;
  const { move_shard: move, replicate_shard: replicate, abort_transfer: abort, restart_transfer: restart } = body;
  if (isObject(move))
    return await start(engine, collection, { request: move, field: 'move_shard', sync: false, timeoutMs });
  if (isObject(replicate)) {
    return await start(engine, collection, { request: replicate, field: 'replicate_shard', sync: true, timeoutMs });
  }
  if (isObject(abort)) {
    const key = existing(collection, readKey(abort));
    return await propose({ op: 'abortTransfer', name, transfer: key, reason: 'user request' }, timeoutMs);
  }
  if (isObject(restart)) {
    const present = existing(collection, readKey(restart));
    const method = readMethod(restart) ?? engine.settings.transferMethod;
    return await propose({ op: 'restartTransfer', name, transfer: { ...present, method } }, timeoutMs);
  }
  if (isObject(body.drop_replica)) return await dropReplica(engine, collection, { body: body.drop_replica, timeoutMs });
  if (isObject(body.create_sharding_key))
    return await createShardKey(engine, { name, body: body.create_sharding_key, timeoutMs });
  if (isObject(body.drop_sharding_key))
    return await dropShardKey(engine, { name, body: body.drop_sharding_key, timeoutMs });
  if (body.start_resharding !== undefined)
    throw new EngineError('BadRequest', 'resharding is only supported in Qdrant Cloud');
  if (body.abort_resharding !== undefined) {
    throw new EngineError('BadRequest', `resharding is not in progress for collection ${name}`);
  }
  const unbuilt = UNBUILT.find((operation) => body[operation] !== undefined);
  if (unbuilt !== undefined) throw new EngineError('NotBuilt', unbuilt);
  throw new EngineError('Format', 'data did not match any variant of untagged enum ClusterOperations');
}

function readKey(request: JsonObject): TransferKey {
  if (request.to_shard_id !== undefined && request.to_shard_id !== null)
    throw new EngineError('NotBuilt', 'to_shard_id');
  return {
    shardId: numberOf(request, 'shard_id'),
    from: numberOf(request, 'from_peer_id'),
    to: numberOf(request, 'to_peer_id'),
  };
}

function readMethod(request: JsonObject): TransferMethod | undefined {
  const given = maybeString(request, 'method');
  const method = METHODS.find((name) => name === given);
  if (given !== undefined && method === undefined)
    throw new EngineError('Format', 'data did not match any variant of untagged enum ClusterOperations');
  return method;
}

async function start(
  engine: Engine,
  collection: CollectionState,
  step: { request: JsonObject; field: string; sync: boolean; timeoutMs: number | undefined },
): Promise<boolean> {
  const key = readKey(step.request);
  if (key.from === key.to) {
    throw new EngineError(
      'Validation',
      `[${step.field}.to_peer_id: cannot transfer shard to itself, "to_peer_id" must be different than ${key.from} in "from_peer_id"]`,
    );
  }
  if (!collection.shards.some(({ id }) => id === key.shardId)) {
    throw new EngineError('BadRequest', `Shard ${key.shardId} of ${collection.name} does not exist`);
  }
  mustKnow(engine, key.to);
  mustKnow(engine, key.from);
  const transfer: Transfer = {
    ...key,
    sync: step.sync,
    method: readMethod(step.request) ?? engine.settings.transferMethod,
  };
  checkTransfer(collection, transfer, new Set(Object.keys(engine.consensus.state.peers).map(Number)));
  return await engine.consensus.propose({ op: 'startTransfer', name: collection.name, transfer }, step.timeoutMs);
}

function mustKnow(engine: Engine, peer: PeerId): void {
  if (!engine.consensus.state.peers[peer]) throw new EngineError('BadRequest', `Peer ${peer} does not exist`);
}

function existing(collection: CollectionState, key: TransferKey): Transfer {
  const transfer = findTransfer(collection, key);
  if (transfer) return transfer;
  throw new EngineError(
    'NotFound',
    `Shard transfer ${key.from} -> ${key.to} for collection ${collection.name}:${key.shardId} does not exist`,
  );
}

async function dropReplica(engine: Engine, collection: CollectionState, step: Step): Promise<boolean> {
  const shardId = numberOf(step.body, 'shard_id');
  const peerId = numberOf(step.body, 'peer_id');
  const shard = collection.shards.find(({ id }) => id === shardId);
  if (!shard) throw new EngineError('BadRequest', `Shard ${shardId} of ${collection.name} does not exist`);
  mustKnow(engine, peerId);
  if (shard.replicas[peerId] === undefined) {
    throw new EngineError('BadRequest', `Peer ${peerId} has no replica of shard ${shardId}`);
  }
  return await engine.consensus.propose({ op: 'dropReplica', name: collection.name, shardId, peerId }, step.timeoutMs);
}
