import { EngineError } from '../base/errors.ts';
import { arrayOf, type JsonObject, maybeCount, maybeString } from '../base/json.ts';
import type { Engine } from '../engine.ts';
import { peerIds, placeShards } from '../state/placement.ts';
import type { CollectionState, PeerId, ReplicaState, ShardKey } from '../state/types.ts';

type KeyRequest = { name: string; body: JsonObject; timeoutMs: number | undefined };

function readKey(body: JsonObject): ShardKey {
  const { shard_key: key } = body;
  if (typeof key === 'string' || (typeof key === 'number' && Number.isInteger(key) && key >= 0)) return key;
  throw new EngineError('Format', 'missing field `shard_key`');
}

function customCollection(engine: Engine, name: string): CollectionState {
  const collection = engine.collection(name);
  if (collection.config.params.sharding_method === 'custom') return collection;
  throw new EngineError('BadRequest', 'Shard Key cannot be created with Auto sharding method');
}

export async function createShardKey(engine: Engine, request: KeyRequest): Promise<boolean> {
  const { body } = request;
  const collection = customCollection(engine, request.name);
  const key = readKey(body);
  if (collection.shards.some((shard) => shard.key === key)) {
    throw new EngineError(
      'BadRequest',
      `Sharding key ${JSON.stringify(key)} already exists for collection ${collection.name}`,
    );
  }
  const { params } = collection.config;
  const placement = placeShards(placementPeers(engine, { body, key }), {
    shards: maybeCount(body, 'shards_number', 1) ?? params.shard_number,
    replicas: maybeCount(body, 'replication_factor', 1) ?? params.replication_factor,
    random: Math.random,
  });
  // `Active` by request too starts as Initializing: the owners report themselves.
  const state = readState(body) === 'Partial' ? 'Partial' : 'Initializing';
  return await engine.consensus.propose(
    { op: 'createShardKey', name: collection.name, key, placement, state },
    request.timeoutMs,
  );
}

function readState(body: JsonObject): ReplicaState {
  const state = maybeString(body, 'initial_state') ?? 'Active';
  if (state === 'Active' || state === 'Partial') return state;
  throw new EngineError('BadRequest', `Initial state cannot be ${state}, only Active or Partial are allowed`);
}

function placementPeers(engine: Engine, options: { body: JsonObject; key: ShardKey }): PeerId[] {
  const known = peerIds(engine.consensus.state);
  const { placement } = options.body;
  if (placement === undefined || placement === null) return known;
  const wanted = arrayOf(placement, 'placement').map(Number);
  if (wanted.length === 0) {
    throw new EngineError(
      'BadRequest',
      `Sharding key ${JSON.stringify(options.key)} placement cannot be empty. If you want to use random placement, do not specify placement`,
    );
  }
  const unknown = wanted.find((peer) => !known.includes(peer));
  if (unknown !== undefined) throw new EngineError('BadRequest', `Peer ${unknown} does not exist`);
  return wanted;
}

export async function dropShardKey(engine: Engine, request: KeyRequest): Promise<boolean> {
  const collection = customCollection(engine, request.name);
  const key = readKey(request.body);
  if (!collection.shards.some((shard) => shard.key === key)) {
    throw new EngineError(
      'BadRequest',
      `Sharding key ${JSON.stringify(key)} does not exist for collection ${collection.name}`,
    );
  }
  return await engine.consensus.propose({ op: 'dropShardKey', name: collection.name, key }, request.timeoutMs);
}
