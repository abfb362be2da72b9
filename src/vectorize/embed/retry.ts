import { type RetryOptions, type Wait, waitBefore } from '../../http/index.ts';
import type { EmbedError } from './errors.ts';

/** Endpoints with limits per minute ask for up to a minute. */
export const DEFAULT_RETRY: RetryOptions = {
  attempts: 6,
  baseMilliseconds: 500,
  capMilliseconds: 30_000,
  maxRetryAfterSeconds: 120,
};

/**
 * How long to wait before one batch is sent again.
 *
 * @param round 0 for the first repeat
 * @param random in [0, 1)
 */
export function nextWait(round: number, error: EmbedError, options: RetryOptions & { random: () => number }): Wait {
  if (error.permanent || round + 1 >= options.attempts) return 'giveUp';
  return waitBefore(round, error, options);
}
