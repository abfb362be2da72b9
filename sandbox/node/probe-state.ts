/** The limits of one probe. Source: Kubernetes `core/v1` Probe. */
export type ProbeLimits = { readonly successThreshold: number; readonly failureThreshold: number };

/** Consecutive equal results, and the verdict they led to last. */
export type ProbeState = { readonly verdict: boolean | undefined; readonly result: boolean; readonly run: number };

export const UNPROBED: ProbeState = { verdict: undefined, result: false, run: 0 };

/** Counts one more result; the verdict changes only when its threshold is reached. Source: kubelet `prober/worker.go`. */
export function countResult(state: ProbeState, succeeded: boolean, limits: ProbeLimits): ProbeState {
  const run = state.result === succeeded ? state.run + 1 : 1;
  const threshold = succeeded ? limits.successThreshold : limits.failureThreshold;
  return { verdict: run >= threshold ? succeeded : state.verdict, result: succeeded, run };
}

/** What the probes of a container have said so far; undefined = has not said anything, or there is no such probe. */
export type ProbeVerdicts = {
  readonly running: boolean;
  readonly startup: { readonly probed: boolean; readonly verdict: boolean | undefined };
  readonly readiness: { readonly probed: boolean; readonly verdict: boolean | undefined };
};

/** `started` of a container status: running, and past its startup probe. */
export function isStarted({ running, startup }: ProbeVerdicts): boolean {
  return running && (!startup.probed || startup.verdict === true);
}

/** `ready` of a container status: started, and its readiness probe, if any, succeeded last. */
export function isReady(verdicts: ProbeVerdicts): boolean {
  if (!isStarted(verdicts)) return false;
  return !verdicts.readiness.probed || verdicts.readiness.verdict === true;
}
