import type { Safety } from './call.ts';
import type { QdrantError, QdrantErrorCode } from './errors.ts';
import type { RetryOptions } from './types.ts';

export const DEFAULT_RETRY: RetryOptions = {
  attempts: 3,
  baseMilliseconds: 100,
  capMilliseconds: 5000,
  maxRetryAfterSeconds: 10,
};

/** What may pass by itself. A 500 is among them: "Local shard N not found" lasts as long as a recovery swaps the shard. */
const TRANSIENT: ReadonlySet<QdrantErrorCode> = new Set<QdrantErrorCode>([
  'Timeout',
  'Unreachable',
  'RateLimited',
  'Unavailable',
  'Internal',
]);

/** Whether the call may be sent again after this error. */
export function mayRepeat(error: QdrantError, safety: Safety): boolean {
  if (safety !== 'once') return TRANSIENT.has(error.code);
  return !error.ambiguous && (error.code === 'Unreachable' || error.code === 'RateLimited');
}

export type Wait = { readonly milliseconds: number } | 'giveUp';

/**
 * How long to wait before the next attempt: exponential with full jitter, never less than `Retry-After`.
 *
 * @param round 0 for the first repeat
 * @param random in [0, 1)
 */
export function waitBefore(round: number, error: QdrantError, options: RetryOptions & { random: () => number }): Wait {
  const asked = error.retryAfterSeconds ?? 0;
  if (asked > options.maxRetryAfterSeconds) return 'giveUp';
  const ceiling = Math.min(options.capMilliseconds, options.baseMilliseconds * 2 ** round);
  return { milliseconds: Math.round(asked * 1000 + options.random() * ceiling) };
}
