import { counter, gauge, histogram, type Registry } from './metrics.ts';

export type ReconcileResult = 'success' | 'error' | 'requeue' | 'requeue_after';

/** Source: controller-runtime `pkg/internal/controller/metrics/metrics.go`. */
const BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 1.75,
  2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const LABELS = ['controller'] as const;

/** The `controller_runtime_*` metrics of one controller; all exist with 0 from the start, so that rates work. */
export class ControllerMetrics {
  readonly #controller: { readonly controller: string };
  readonly #total;
  readonly #errors;
  readonly #terminal;
  readonly #panics;
  readonly #timeouts;
  readonly #seconds;
  readonly #active;

  constructor(registry: Registry, controller: string, workers: number) {
    this.#controller = { controller };
    const count = (name: string, help: string) => {
      const metric = counter(registry, { name, help, labelNames: LABELS });
      metric.inc(this.#controller, 0);
      return metric;
    };
    this.#total = counter(registry, {
      name: 'controller_runtime_reconcile_total',
      help: 'Total number of reconciliations per controller',
      labelNames: ['controller', 'result'] as const,
    });
    for (const result of ['success', 'error', 'requeue', 'requeue_after']) {
      this.#total.inc({ controller, result }, 0);
    }
    this.#errors = count(
      'controller_runtime_reconcile_errors_total',
      'Total number of reconciliation errors per controller',
    );
    this.#terminal = count(
      'controller_runtime_terminal_reconcile_errors_total',
      'Total number of terminal reconciliation errors per controller',
    );
    this.#panics = count(
      'controller_runtime_reconcile_panics_total',
      'Total number of reconciliation panics per controller',
    );
    this.#timeouts = count(
      'controller_runtime_reconcile_timeouts_total',
      'Total number of reconciliation timeouts per controller',
    );
    this.#seconds = histogram(registry, {
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Length of time per reconciliation per controller',
      labelNames: LABELS,
      buckets: BUCKETS,
    });
    this.#seconds.zero(this.#controller);
    const perController = { labelNames: LABELS };
    gauge(registry, {
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Maximum number of concurrent reconciles per controller',
      ...perController,
    }).set(this.#controller, workers);
    this.#active = gauge(registry, {
      name: 'controller_runtime_active_workers',
      help: 'Number of currently used workers per controller',
      ...perController,
    });
    this.#active.set(this.#controller, 0);
  }

  begun(): void {
    this.#active.inc(this.#controller);
  }

  ended(result: ReconcileResult, seconds: number): void {
    this.#active.dec(this.#controller);
    this.#total.inc({ ...this.#controller, result });
    this.#seconds.observe(this.#controller, seconds);
  }

  failed(): void {
    this.#errors.inc(this.#controller);
  }

  failedForGood(): void {
    this.#terminal.inc(this.#controller);
  }

  panicked(): void {
    this.#panics.inc(this.#controller);
  }

  timedOut(): void {
    this.#timeouts.inc(this.#controller);
  }
}
