import { counter, gauge, histogram, type Registry, sampledGauge } from './metrics.ts';

/** Source: controller-runtime `pkg/internal/metrics/workqueue.go`: 10 ns to 1000 s, each ten times the last. */
const BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000];
const LABELS = ['name', 'controller'] as const;

type Work = { readonly now: number; readonly begun: readonly number[] };

/** The `workqueue_*` metrics of one queue, with the names and labels of controller-runtime. */
export class QueueMetrics {
  readonly #labels: { readonly name: string; readonly controller: string };
  readonly #depth;
  readonly #adds;
  readonly #retries;
  readonly #queued;
  readonly #worked;
  readonly #stop: readonly (() => void)[];

  /** @param work when each piece of work in hand began, in milliseconds, and the time now */
  constructor(registry: Registry, name: string, work: () => Work) {
    this.#labels = { name, controller: name };
    this.#depth = gauge(registry, {
      name: 'workqueue_depth',
      help: 'Current depth of workqueue by workqueue and priority',
      labelNames: [...LABELS, 'priority'] as const,
    });
    this.#adds = counter(registry, {
      name: 'workqueue_adds_total',
      help: 'Total number of adds handled by workqueue',
      labelNames: LABELS,
    });
    this.#retries = counter(registry, {
      name: 'workqueue_retries_total',
      help: 'Total number of retries handled by workqueue',
      labelNames: LABELS,
    });
    this.#queued = histogram(registry, {
      name: 'workqueue_queue_duration_seconds',
      help: 'How long in seconds an item stays in workqueue before being requested',
      labelNames: LABELS,
      buckets: BUCKETS,
    });
    this.#worked = histogram(registry, {
      name: 'workqueue_work_duration_seconds',
      help: 'How long in seconds processing an item from workqueue takes.',
      labelNames: LABELS,
      buckets: BUCKETS,
    });
    this.#adds.inc(this.#labels, 0);
    this.#retries.inc(this.#labels, 0);
    this.depth(0, 0);
    const seconds = ({ now, begun }: Work): number[] => begun.map((start) => (now - start) / 1000);
    this.#stop = [
      sampledGauge(
        registry,
        {
          name: 'workqueue_unfinished_work_seconds',
          help: 'How many seconds of work has been done that is in progress and has not been observed by work_duration',
          labelNames: LABELS,
        },
        (metric) =>
          metric.set(
            this.#labels,
            seconds(work()).reduce((sum, each) => sum + each, 0),
          ),
      ),
      sampledGauge(
        registry,
        {
          name: 'workqueue_longest_running_processor_seconds',
          help: 'How many seconds has the longest running processor for workqueue been running.',
          labelNames: LABELS,
        },
        (metric) => metric.set(this.#labels, Math.max(0, ...seconds(work()))),
      ),
    ];
  }

  added(): void {
    this.#adds.inc(this.#labels);
  }

  retried(): void {
    this.#retries.inc(this.#labels);
  }

  depth(priority: number, depth: number): void {
    this.#depth.set({ ...this.#labels, priority: String(priority) }, depth);
  }

  started(waitedSeconds: number): void {
    this.#queued.observe(this.#labels, waitedSeconds);
  }

  finished(workedSeconds: number): void {
    this.#worked.observe(this.#labels, workedSeconds);
  }

  close(): void {
    for (const stop of this.#stop) stop();
  }
}
