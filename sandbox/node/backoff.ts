/** How long a container that ended rests before it is started again. */
export type RestartBackoff = {
  readonly baseMilliseconds: number;
  readonly maximumMilliseconds: number;
  /** A container that ran at least this long starts again from the base. */
  readonly resetAfterMilliseconds: number;
};

/** Shorter than the kubelet's 10 s to 5 min: a sandbox that waits for minutes shows nothing. */
export const SANDBOX_BACKOFF: RestartBackoff = {
  baseMilliseconds: 500,
  maximumMilliseconds: 10_000,
  resetAfterMilliseconds: 20_000,
};

/** Delays given so far in a row; the first restart is immediate. Source: kubelet `doBackOff`. */
export type BackoffState = { readonly failures: number };

export const RESTED: BackoffState = { failures: 0 };

/**
 * @param ranMilliseconds how long the container that just ended had run
 * @returns the delay before the next start, and the state for the time after
 */
export function nextRestart(
  state: BackoffState,
  ranMilliseconds: number,
  limits: RestartBackoff,
): { readonly delayMilliseconds: number; readonly state: BackoffState } {
  const failures = ranMilliseconds >= limits.resetAfterMilliseconds ? 0 : state.failures;
  const doubled = limits.baseMilliseconds * 2 ** (failures - 1);
  const delayMilliseconds = failures === 0 ? 0 : Math.min(doubled, limits.maximumMilliseconds);
  return { delayMilliseconds, state: { failures: failures + 1 } };
}

/** Whether a container that ended with `exitCode` is started again. Source: Kubernetes `RestartPolicy`. */
export function restarts(policy: string | undefined, exitCode: number): boolean {
  if (policy === 'Never') return false;
  return policy !== 'OnFailure' || exitCode !== 0;
}
