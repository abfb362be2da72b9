import type { ContainerEvent } from './container-event.ts';
import type { ProbeTarget } from './probe-check.ts';
import { probeLoop } from './probe-loop.ts';
import type { ProbeVerdicts } from './probe-state.ts';

export type ContainerProbes = {
  readonly target: ProbeTarget;
  readonly signal: AbortSignal;
  readonly onVerdict: (change: Partial<ProbeVerdicts>) => void;
  readonly onEvent: (event: ContainerEvent) => void;
  /** A failed startup or liveness probe asks for the container's end; seconds as the probe itself sets them. */
  readonly onFailed: (graceSeconds: number | undefined) => void;
};

/** Runs the probes of one running container until `signal` aborts: startup alone, then readiness and liveness together. */
export async function runProbes(options: ContainerProbes): Promise<void> {
  const { target, signal } = options;
  const { startupProbe, readinessProbe, livenessProbe } = target.container;
  if (startupProbe !== undefined) {
    let passed = false;
    const onVerdict = (verdict: boolean, message: string): boolean => {
      passed = verdict;
      options.onVerdict({ startup: { probed: true, verdict } });
      if (!verdict) fail('Startup', message, startupProbe.terminationGracePeriodSeconds);
      return true;
    };
    await probeLoop({ probe: startupProbe, target, signal, onVerdict });
    if (!passed) return;
  }
  await Promise.all([probeReadiness(), probeLiveness()]);

  function unhealthy(kind: string, message: string): void {
    options.onEvent({ type: 'Warning', reason: 'Unhealthy', message: `${kind} probe failed: ${message}` });
  }

  function fail(kind: string, message: string, graceSeconds: number | undefined): void {
    unhealthy(kind, message);
    const text = `Container ${target.container.name} failed ${kind.toLowerCase()} probe`;
    options.onEvent({ type: 'Normal', reason: 'Killing', message: text });
    options.onFailed(graceSeconds);
  }

  async function probeReadiness(): Promise<void> {
    if (readinessProbe === undefined) return;
    const onVerdict = (verdict: boolean, message: string): boolean => {
      if (!verdict) unhealthy('Readiness', message);
      options.onVerdict({ readiness: { probed: true, verdict } });
      return false;
    };
    await probeLoop({ probe: readinessProbe, target, signal, onVerdict });
  }

  async function probeLiveness(): Promise<void> {
    if (livenessProbe === undefined) return;
    const onVerdict = (verdict: boolean, message: string): boolean => {
      if (!verdict) fail('Liveness', message, livenessProbe.terminationGracePeriodSeconds);
      return !verdict;
    };
    await probeLoop({ probe: livenessProbe, target, signal, onVerdict });
  }
}
