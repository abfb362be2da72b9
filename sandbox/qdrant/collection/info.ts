import type { Engine } from '../engine.ts';
import type { CollectionState } from '../state/types.ts';
import { readShards } from './reads.ts';
import { isOptimizing, type ShardDescription } from './shard-info.ts';

const SEGMENTS_PER_SHARD = 2;

/** GET /collections/{c}: gathered from one replica of each shard. */
export async function collectionInfo(engine: Engine, collection: CollectionState): Promise<unknown> {
  const answers = await readShards<'info'>(engine, collection, {
    request: { kind: 'info' },
    shards: collection.shards,
    unreadable: 'fail',
  });
  const shards = answers.map(({ answer }) => answer);
  const { strict_mode_config: strict, metadata, ...config } = collection.config;
  const emptied = metadata !== undefined && Object.keys(metadata).length === 0;
  return {
    status: shards.some(({ status }) => status === 'yellow') ? 'yellow' : 'green',
    optimizer_status: 'ok',
    indexed_vectors_count: sum(shards, (shard) => shard.indexed),
    points_count: sum(shards, (shard) => shard.points),
    segments_count: shards.length * SEGMENTS_PER_SHARD,
    config: {
      ...config,
      ...(strict ? { strict_mode_config: strict } : {}),
      ...(metadata && !emptied ? { metadata } : {}),
    },
    payload_schema: Object.fromEntries(
      Object.entries(collection.payloadSchema).map(([field, schema]) => [
        field,
        { ...schema, points: sum(shards, (shard) => shard.indexedPoints[field] ?? 0) },
      ]),
    ),
    update_queue: { length: 0 },
  };
}

const sum = (shards: readonly ShardDescription[], of: (shard: ShardDescription) => number): number =>
  shards.reduce((total, shard) => total + of(shard), 0);

/** GET /collections/{c}/optimizations: of the shards on this peer. */
export function optimizations(engine: Engine, collection: CollectionState, parts: readonly string[]): unknown {
  const local = collection.shards.filter(({ id }) => engine.shards.get(collection.uuid, id) !== undefined);
  const running = isOptimizing(engine, collection) ? local : [];
  const startedAt = new Date(engine.optimizingSince.get(collection.uuid) ?? 0).toISOString();
  const shown = (name: string): object => (parts.includes(name) ? { [name]: [] } : {});
  return {
    summary: {
      queued_optimizations: 0,
      queued_segments: 0,
      queued_points: 0,
      idle_segments: (local.length - running.length) * SEGMENTS_PER_SHARD,
    },
    running: running.map(() => ({ optimizer: 'indexing', status: 'optimizing', segments: [], started_at: startedAt })),
    ...shown('queued'),
    ...shown('completed'),
    ...shown('idle_segments'),
  };
}
