import { setTimeout as sleep } from 'node:timers/promises';
import { check, type ProbeTarget } from './probe-check.ts';
import { countResult, type ProbeLimits, UNPROBED } from './probe-state.ts';
import type { Probe } from './wire.ts';

export type ProbeLoop = {
  readonly probe: Probe;
  readonly target: ProbeTarget;
  readonly signal: AbortSignal;
  /** Called when the verdict changes, and on every repeated failing verdict; `true` ends the loop. */
  readonly onVerdict: (verdict: boolean, message: string) => boolean;
};

/** Source: Kubernetes `core/v1` defaults of Probe. */
const DEFAULTS = { periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 };

/** Between the first probes of a container that has not answered yet. */
const EAGER_MILLISECONDS = 100;

/** Probes until `onVerdict` says that it is enough or `signal` aborts. */
export async function probeLoop({ probe, target, signal, onVerdict }: ProbeLoop): Promise<void> {
  const limits: ProbeLimits = {
    successThreshold: probe.successThreshold ?? DEFAULTS.successThreshold,
    failureThreshold: probe.failureThreshold ?? DEFAULTS.failureThreshold,
  };
  const timeoutSeconds = probe.timeoutSeconds ?? DEFAULTS.timeoutSeconds;
  let state = UNPROBED;
  try {
    await sleep((probe.initialDelaySeconds ?? 0) * 1000, undefined, { signal });
    while (!signal.aborted) {
      const { succeeded, message } = await check(probe, target, timeoutSeconds);
      if (signal.aborted) return;
      const before = state.verdict;
      state = countResult(state, succeeded, limits);
      const news = state.verdict !== before || state.verdict === false;
      if (state.verdict !== undefined && news && onVerdict(state.verdict, message)) return;
      const period = (probe.periodSeconds ?? DEFAULTS.periodSeconds) * 1000;
      if (state.verdict === undefined) await untilSuccess(period, () => check(probe, target, timeoutSeconds), signal);
      else await sleep(period, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * Ends after the period, or as soon as one more attempt would succeed: what starts faster than the period isn't kept
 * waiting. Failed attempts in between don't count.
 */
async function untilSuccess(
  period: number,
  attempt: () => Promise<{ readonly succeeded: boolean }>,
  signal: AbortSignal,
): Promise<void> {
  const end = Date.now() + period;
  while (Date.now() < end) {
    await sleep(Math.min(EAGER_MILLISECONDS, Math.max(end - Date.now(), 1)), undefined, { signal });
    if ((await attempt()).succeeded) return;
  }
}
