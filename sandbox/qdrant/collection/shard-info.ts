import type { Engine } from '../engine.ts';
import { rawAt } from '../shard/filter.ts';
import type { Shard } from '../shard/shard.ts';
import { type CollectionState, denseVectors } from '../state/types.ts';

export type ShardDescription = {
  readonly status: 'green' | 'yellow';
  readonly points: number;
  readonly vectors: number;
  readonly vectorsByName: Readonly<Record<string, number>>;
  readonly indexed: number;
  readonly vectorBytes: number;
  readonly payloadBytes: number;
  /** Points that have a value for each indexed payload key. */
  readonly indexedPoints: Readonly<Record<string, number>>;
};

/** What one replica says of itself. */
export function describeShard(engine: Engine, collection: CollectionState, shard: Shard): ShardDescription {
  const byName: Record<string, number> = {};
  const keys = Object.keys(collection.payloadSchema);
  const indexedPoints: Record<string, number> = Object.fromEntries(keys.map((key) => [key, 0]));
  for (const point of shard.points.values()) {
    for (const name of Object.keys(point.vectors)) {
      byName[name] = (byName[name] ?? 0) + 1;
    }
    for (const key of keys)
      if (rawAt(point.payload, key).length > 0) indexedPoints[key] = (indexedPoints[key] ?? 0) + 1;
  }
  const vectors = Object.values(byName).reduce((sum, count) => sum + count, 0);
  const sizes = shard.sizes();
  return {
    status: isOptimizing(engine, collection) ? 'yellow' : 'green',
    points: shard.points.size,
    vectors,
    vectorsByName: byName,
    indexed: approximateBytes(collection, shard.points.size) >= thresholdBytes(collection) ? vectors : 0,
    vectorBytes: sizes.vectors,
    payloadBytes: sizes.payloads,
    indexedPoints,
  };
}

export function isOptimizing(engine: Engine, collection: CollectionState): boolean {
  const since = engine.optimizingSince.get(collection.uuid);
  return since !== undefined && Date.now() - since < engine.settings.pace.optimize;
}

/** Below this much a segment stays unindexed. */
export function thresholdBytes(collection: CollectionState): number {
  const kilobytes = collection.config.optimizer_config.indexing_threshold;
  return typeof kilobytes === 'number' && kilobytes > 0 ? kilobytes * 1024 : Number.POSITIVE_INFINITY;
}

/** Bytes of that many points' dense vectors: cheap enough to ask on every write. */
export function approximateBytes(collection: CollectionState, points: number): number {
  const floats = Object.values(denseVectors(collection.config.params)).reduce((sum, vector) => sum + vector.size, 0);
  return points * floats * 4;
}
