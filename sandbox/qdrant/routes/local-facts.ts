import { freemem } from 'node:os';
import { describeShard } from '../collection/shard-info.ts';
import type { Engine } from '../engine.ts';
import type { CollectionState, ShardState } from '../state/types.ts';

/** What this peer knows of its own copy of a shard; undefined when it has none. */
export function localDescription(engine: Engine, collection: CollectionState, shard: ShardState) {
  const local = engine.shards.get(collection.uuid, shard.id);
  return local ? describeShard(engine, collection, local) : undefined;
}

/** Memory of this process in the words of Qdrant's allocator. */
export function memory(): Record<string, number> {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  return {
    active_bytes: heapTotal + external,
    allocated_bytes: heapUsed + external,
    metadata_bytes: 0,
    resident_bytes: rss,
    retained_bytes: Math.min(rss, freemem()),
  };
}
