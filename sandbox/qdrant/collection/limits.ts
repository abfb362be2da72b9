import type { JsonObject } from '../base/json.ts';
import { RateLimiter } from '../shard/rate-limiter.ts';
import type { Shard } from '../shard/shard.ts';
import type { CollectionState } from '../state/types.ts';

/** The limiters of one local shard, and the strict mode they were made for. */
export type Limiters = { readonly of: JsonObject; readonly read?: RateLimiter; readonly write?: RateLimiter };

/**
 * Takes tokens of a local shard's limiter. Every change of strict mode makes new limiters, full ones, whether or not
 * their limit differs. Source: Qdrant `LocalShard::on_strict_mode_config_update`.
 *
 * @throws EngineError 429 when there are too few
 */
export function takeTokens(
  engine: { readonly limiters: WeakMap<Shard, Limiters> },
  collection: CollectionState,
  take: { shard: Shard; kind: 'read' | 'write'; cost: number },
): void {
  const strict = collection.config.strict_mode_config;
  if (strict?.enabled !== true) return;
  const { shard, kind, cost } = take;
  const present = engine.limiters.get(shard);
  const limiters = present?.of === strict ? present : fullLimiters(strict);
  engine.limiters.set(shard, limiters);
  limiters[kind]?.take(cost, { now: Date.now(), what: kind === 'read' ? 'Read' : 'Write' });
}

function fullLimiters(strict: JsonObject): Limiters {
  const { read_rate_limit: read, write_rate_limit: write } = strict;
  const now = Date.now();
  return {
    of: strict,
    ...(typeof read === 'number' ? { read: new RateLimiter(read, now) } : {}),
    ...(typeof write === 'number' ? { write: new RateLimiter(write, now) } : {}),
  };
}
