/** How often and how patiently a request is sent again. */
export type RetryOptions = {
  /** Attempts in all, the first one included. */
  readonly attempts: number;
  readonly baseMilliseconds: number;
  readonly capMilliseconds: number;
  /** A longer `Retry-After` is not waited for but given to the caller in the error. */
  readonly maxRetryAfterSeconds: number;
};

export type Wait = { readonly milliseconds: number } | 'giveUp';

/**
 * How long to wait before the next attempt: exponential with full jitter, never less than `Retry-After`.
 *
 * @param round 0 for the first repeat
 * @param error what the last attempt ended with
 * @param random in [0, 1)
 */
export function waitBefore(
  round: number,
  error: { readonly retryAfterSeconds: number | undefined },
  options: RetryOptions & { random: () => number },
): Wait {
  const asked = error.retryAfterSeconds ?? 0;
  if (asked > options.maxRetryAfterSeconds) return 'giveUp';
  const ceiling = Math.min(options.capMilliseconds, options.baseMilliseconds * 2 ** round);
  return { milliseconds: Math.round(asked * 1000 + options.random() * ceiling) };
}

/** Seconds of a `Retry-After` header, given in seconds or as a date. `now` is milliseconds since the epoch. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
