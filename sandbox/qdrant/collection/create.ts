import { randomUUID } from 'node:crypto';
import { EngineError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { Engine } from '../engine.ts';
import { peerIds, placeShards } from '../state/placement.ts';
import type { ShardState } from '../state/types.ts';
import { readCreate } from './create-request.ts';

export async function createCollection(
  engine: Engine,
  request: { name: string; body: JsonObject; timeoutMs: number | undefined },
): Promise<boolean> {
  const { name, body, timeoutMs } = request;
  const { settings, consensus } = engine;
  const peers = peerIds(consensus.state);
  const read = readCreate(body, settings);
  const custom = read.params.sharding_method === 'custom';
  const shardNumber = read.params.shard_number || (custom ? 1 : peers.length);
  const config = { ...read, params: { ...read.params, shard_number: shardNumber } };
  const count = Object.keys(consensus.state.collections).length;
  if (settings.maxCollections !== undefined && count >= settings.maxCollections) {
    throw new EngineError(
      'BadInput',
      `Can't create collection with name ${name}. Max collections limit reached: ${settings.maxCollections}`,
    );
  }
  const placement = placeShards(peers, {
    shards: custom ? 0 : shardNumber,
    replicas: config.params.replication_factor,
    random: Math.random,
  });
  const shards = placement.map(
    (chosen, id): ShardState => ({ id, replicas: Object.fromEntries(chosen.map((peer) => [peer, 'Initializing'])) }),
  );
  const done = await consensus.propose({ op: 'createCollection', name, uuid: randomUUID(), config, shards }, timeoutMs);
  await waitUntilActive(engine, name);
  return done;
}

/** Waits a while for the replicas of a collection to come up; says nothing when they don't. */
export async function waitUntilActive(engine: Engine, name: string): Promise<void> {
  const deadline = Date.now() + engine.settings.pace.activation;
  const pending = (): boolean =>
    engine.consensus.state.collections[name]?.shards.some(({ replicas }) =>
      Object.values(replicas).includes('Initializing'),
    ) ?? false;
  while (pending() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
}
