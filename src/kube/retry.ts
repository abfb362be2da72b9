import { backoffDelay } from './backoff.ts';
import type { KubeError } from './errors.ts';

/** Whether sending a request twice comes to the same as sending it once. */
export type Repeatable = 'always' | 'whenRefused';

export type RetryOptions = { readonly maxRetries: number; readonly maxDelaySeconds: number };

export const DEFAULT_RETRY: RetryOptions = { maxRetries: 4, maxDelaySeconds: 30 };

const DELAYS = { baseMilliseconds: 200, maxMilliseconds: 5000, jitter: 0.5 } as const;
const PASSING = new Set([0, 429, 500, 502, 503, 504]);

/**
 * Milliseconds to wait before the request is sent again; undefined when it must not be, or when that helps nobody.
 * A request that may have been carried out is repeated only if that is harmless. A server that answers 429 or 503 with
 * `Retry-After` has not acted. Source: client-go `rest.checkWait`, `rest.IsRetryableError`.
 *
 * @param attempt counts from 1
 */
export function retryDelay(
  failure: Pick<KubeError, 'status' | 'retryAfterSeconds'>,
  request: { readonly repeatable: Repeatable; readonly attempt: number; readonly random: () => number },
  options: RetryOptions = DEFAULT_RETRY,
): number | undefined {
  const { status, retryAfterSeconds } = failure;
  if (request.attempt > options.maxRetries || !PASSING.has(status)) return undefined;
  const refused = (status === 429 || status === 503) && retryAfterSeconds !== undefined;
  if (request.repeatable === 'whenRefused' && !refused) return undefined;
  if (retryAfterSeconds !== undefined && retryAfterSeconds > options.maxDelaySeconds) return undefined;
  const own = backoffDelay(request.attempt, { ...DELAYS, random: request.random });
  return Math.max(own, (retryAfterSeconds ?? 0) * 1000);
}
