import { randomUUID } from 'node:crypto';
import { EngineError } from '../base/errors.ts';
import { waitUntilActive } from '../collection/create.ts';
import { updateLocal } from '../collection/writes.ts';
import type { Engine } from '../engine.ts';
import type { StoredPoint } from '../shard/point.ts';
import { peerIds, placeShards } from '../state/placement.ts';
import type { CollectionState, ReplicaState, ShardState } from '../state/types.ts';
import type { Archive } from './archive.ts';

export type Priority = 'no_sync' | 'snapshot' | 'replica';
const BATCH = 500;

/**
 * Puts a collection snapshot in place: the shards in it that have a replica on this peer.
 * @throws EngineError 400 when vectors or the number of shards differ
 */
export async function recoverCollection(
  engine: Engine,
  name: string,
  recovery: { archive: Archive; priority: Priority },
): Promise<void> {
  const { archive, priority } = recovery;
  const collection = engine.consensus.state.collections[name]
    ? engine.collection(name)
    : await createFrom(engine, name, archive);
  mustFit(collection, archive);
  for (const { id } of archive.header.shards) {
    const shard = collection.shards.find((candidate) => candidate.id === id);
    if (shard?.replicas[engine.peerId] === undefined) continue;
    await fill(engine, collection, { shard, points: archive.points.get(id) ?? [], priority, level: 'collection' });
  }
}

/** With custom sharding the new collection has no shards, so nothing is recovered (qdrant#10135). */
async function createFrom(engine: Engine, name: string, archive: Archive): Promise<CollectionState> {
  const { config, payloadSchema } = archive.header;
  const custom = config.params.sharding_method === 'custom';
  const placement = placeShards(peerIds(engine.consensus.state), {
    shards: custom ? 0 : config.params.shard_number,
    replicas: config.params.replication_factor,
    random: Math.random,
  });
  const shards = placement.map(
    (peers, id): ShardState => ({ id, replicas: Object.fromEntries(peers.map((peer) => [peer, 'Initializing'])) }),
  );
  await engine.consensus.propose({ op: 'createCollection', name, uuid: randomUUID(), config, shards });
  await waitUntilActive(engine, name);
  for (const [field, schema] of Object.entries(payloadSchema)) {
    await engine.consensus.propose({ op: 'payloadIndex', name, field, schema });
  }
  return engine.collection(name);
}

function mustFit(collection: CollectionState, archive: Archive): void {
  const present = collection.config.params;
  const given = archive.header.config.params;
  const refuse = (what: string, here: unknown, there: unknown): void => {
    if (JSON.stringify(here) === JSON.stringify(there)) return;
    throw new EngineError(
      'BadInput',
      `Snapshot is not compatible with existing collection: Collection ${what}: ${JSON.stringify(here)} Snapshot ${what}: ${JSON.stringify(there)}`,
    );
  };
  refuse('shard number', present.shard_number, given.shard_number);
  refuse('vectors', present.vectors, given.vectors);
}

/** Puts one shard in place; nobody looks whether it fits the collection (S6). */
export async function recoverShard(
  engine: Engine,
  collection: CollectionState,
  recovery: { shardId: number; archive: Archive; priority: Priority },
): Promise<void> {
  const { shardId, archive, priority } = recovery;
  const shard = collection.shards.find(({ id }) => id === shardId);
  if (shard?.replicas[engine.peerId] === undefined) throw new EngineError('NotFound', `shard ${shardId} not found`);
  const points = [...archive.points.values()].flat();
  await fill(engine, collection, { shard, points, priority, level: 'shard' });
  // Measured: all peers show them, also those without a replica of the shard. What the collection has already wins.
  for (const [field, schema] of Object.entries(archive.header.payloadSchema)) {
    if (engine.collection(collection.name).payloadSchema[field] !== undefined) continue;
    await engine.consensus.propose({ op: 'payloadIndex', name: collection.name, field, schema });
  }
}

type Fill = { shard: ShardState; points: readonly StoredPoint[]; priority: Priority; level: 'collection' | 'shard' };

async function fill(
  engine: Engine,
  collection: CollectionState,
  { shard, points, priority, level }: Fill,
): Promise<void> {
  const set = (peerId: number, state: ReplicaState): Promise<boolean> =>
    engine.consensus.propose({ op: 'setReplica', name: collection.name, shardId: shard.id, peerId, state });
  await set(engine.peerId, 'ManualRecovery');
  const load = (change: Parameters<typeof updateLocal>[2]['change']): void =>
    updateLocal(engine, collection, { shardId: shard.id, change, force: true });
  load({ operation: { kind: 'clear' }, version: 0 });
  for (let start = 0; start < points.length; start += BATCH) {
    load({ operation: { kind: 'load', points: points.slice(start, start + BATCH) }, version: 0 });
  }
  const others = Object.entries(shard.replicas).filter(([peer]) => Number(peer) !== engine.peerId);
  if (priority === 'replica' && others.some(([, state]) => state === 'Active')) {
    // A Dead replica is filled from an Active one by itself.
    await set(engine.peerId, 'Dead');
    return;
  }
  await set(engine.peerId, 'Active');
  if (priority !== 'snapshot') return;
  const keep = level === 'collection' ? collection.config.params.replication_factor - 1 : others.length;
  for (const [index, [peer]] of others.entries()) {
    if (index < keep) await set(Number(peer), 'Dead');
    else
      await engine.consensus.propose({
        op: 'dropReplica',
        name: collection.name,
        shardId: shard.id,
        peerId: Number(peer),
      });
  }
}
