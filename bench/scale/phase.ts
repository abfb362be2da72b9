import { watchMemory } from '../../sandbox/run/memory.ts';
import { Metrics } from '../metrics.ts';
import type { Counted, RequestCount } from '../requests.ts';
import type { Operator } from './operator.ts';

/** What an operator did in a stretch of time. */
export type Phase = {
  readonly seconds: number;
  readonly passes: number;
  /** Passes by controller, and Qdrant requests by operation, largest first. */
  readonly passesOf: readonly (readonly [string, number])[];
  readonly qdrantRequestsOf: readonly (readonly [string, number])[];
  /** Passes that threw. */
  readonly errors: number;
  readonly cpuSeconds: number;
  readonly qdrantRequests: number;
  readonly requests: Counted;
  /** Highest resident memory that was seen, twice a second. */
  readonly peakBytes: number;
  /** 99th percentile of the event loop's delay; its sampling interval of 10 ms is in it. */
  readonly lagP99Milliseconds: number;
};

const PASSES = 'controller_runtime_reconcile_total';
const QDRANT_REQUESTS = 'qdrant_client_requests_total';

/** Cuts an operator's life into phases. */
export class PhaseMeter {
  readonly #operator: Operator;
  readonly #requests: RequestCount;
  #before = new Metrics('');
  #began = performance.now();
  #memory: { stop(): number };
  #lagSeconds = 0;

  /** Begins the first phase; the operator was just started. */
  constructor(operator: Operator, requests: RequestCount) {
    this.#operator = operator;
    this.#requests = requests;
    this.#requests.take();
    this.#memory = watchMemory(() => [operator.process.pid]);
  }

  /** Passes since the phase began. */
  async passes(): Promise<number> {
    return (await this.#read()).sum(PASSES) - this.#before.sum(PASSES);
  }

  /** Each reading starts the event loop's percentiles anew. */
  async #read(): Promise<Metrics> {
    const metrics = await this.#operator.metrics();
    this.#lagSeconds = Math.max(this.#lagSeconds, metrics.sum('nodejs_eventloop_lag_p99_seconds'));
    return metrics;
  }

  /** Ends a phase and begins the next. */
  async cut(): Promise<Phase> {
    const before = this.#before;
    const after = await this.#read();
    const lagP99Milliseconds = this.#lagSeconds * 1000;
    this.#lagSeconds = 0;
    const requests = this.#requests.take();
    const ended = performance.now();
    const seconds = (ended - this.#began) / 1000;
    const peakBytes = this.#memory.stop();
    this.#before = after;
    this.#began = ended;
    this.#memory = watchMemory(() => [this.#operator.process.pid]);
    const gained = (name: string): number => after.sum(name) - before.sum(name);
    const gainedBy = (name: string, label: string) =>
      [...after.by(name, label)]
        .map(([key, value]) => [key, value - (before.by(name, label).get(key) ?? 0)] as const)
        .filter(([, value]) => value > 0)
        .toSorted(([, a], [, b]) => b - a);
    return {
      seconds,
      passes: gained(PASSES),
      passesOf: gainedBy(PASSES, 'controller'),
      qdrantRequestsOf: gainedBy(QDRANT_REQUESTS, 'operation'),
      errors: gained('controller_runtime_reconcile_errors_total'),
      cpuSeconds: gained('process_cpu_seconds_total'),
      qdrantRequests: gained(QDRANT_REQUESTS),
      requests,
      peakBytes,
      lagP99Milliseconds,
    };
  }

  stop(): void {
    this.#memory.stop();
  }
}
