/** Exponential delays with jitter. Times are milliseconds. */
export type BackoffOptions = {
  readonly baseMilliseconds: number;
  readonly maxMilliseconds: number;
  /** 0.2: the delay is lengthened by up to a fifth, so that many don't come back at once. */
  readonly jitter: number;
  readonly random: () => number;
};

/** The delay before attempt `failures + 1`; `failures` counts from 1. */
export function backoffDelay(failures: number, options: BackoffOptions): number {
  const { baseMilliseconds, maxMilliseconds, jitter, random } = options;
  const exponential = baseMilliseconds * 2 ** Math.min(failures - 1, 50);
  return Math.min(exponential, maxMilliseconds) * (1 + jitter * random());
}

export type StreamBackoff = {
  readonly failures: number;
  /** When the last delay ended; undefined before the first failure. */
  readonly resumedAt: number | undefined;
};

export const CALM: StreamBackoff = { failures: 0, resumedAt: undefined };

/** Source: kube-rs `watcher::DefaultBackoff`: 800 ms to 30 s, doubled, forgotten after 120 s without a failure. */
const STREAM = { baseMilliseconds: 800, maxMilliseconds: 30_000, jitter: 0.25 } as const;
const HEALTHY_MILLISECONDS = 120_000;

/** One more failure of a long-lived stream at `now`: how long to wait, and what to remember. */
export function streamFailed(
  before: StreamBackoff,
  now: number,
  random: () => number,
): { readonly after: StreamBackoff; readonly delay: number } {
  const healthy = before.resumedAt !== undefined && now - before.resumedAt >= HEALTHY_MILLISECONDS;
  const failures = healthy ? 1 : before.failures + 1;
  const delay = backoffDelay(failures, { ...STREAM, random });
  return { after: { failures, resumedAt: now + delay }, delay };
}
