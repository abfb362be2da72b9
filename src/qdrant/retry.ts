import type { RetryOptions } from '../http/index.ts';
import type { Safety } from './call.ts';
import type { QdrantError, QdrantErrorCode } from './errors.ts';

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
