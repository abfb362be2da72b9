import { Counter, Gauge } from 'prom-client';
import type { Blocker, VectorizationJob, VectorizationRun } from '../api/index.ts';
import { type Registry, registered } from '../telemetry/index.ts';
import type { Step } from './plan.ts';

const KIND = 'VectorizationJob';

/** What runs came to, and what holds them up. */
export class VectorizeMetrics {
  readonly #blocked: Gauge<'kind' | 'predicate'>;
  readonly #steps: Counter<'kind' | 'step'>;
  readonly #runs: Counter<'result' | 'reason'>;
  readonly #chunks: Counter<'source'>;
  readonly #tokens: Counter;
  readonly #failed: Counter;
  readonly #success: Gauge<'namespace' | 'name'>;
  readonly #quality: Gauge<'namespace' | 'name'>;
  readonly #predicates = new Map<string, readonly string[]>();

  constructor(registry: Registry) {
    const registers = [registry];
    const blocked = 'qdrant_librarian_blocked';
    this.#blocked = registered(registry, blocked, () => {
      const help = 'Objects whose next step a predicate refuses.';
      return new Gauge({ name: blocked, help, labelNames: ['kind', 'predicate'], registers });
    });
    const steps = 'qdrant_librarian_steps_total';
    this.#steps = registered(registry, steps, () => {
      const help = 'Steps that were carried out.';
      return new Counter({ name: steps, help, labelNames: ['kind', 'step'], registers });
    });
    this.#runs = new Counter({
      name: 'qdrant_librarian_vectorization_runs_total',
      help: 'Runs that ended, by how they ended and why.',
      labelNames: ['result', 'reason'],
      registers,
    });
    this.#chunks = new Counter({
      name: 'qdrant_librarian_vectorization_chunks_total',
      help: 'Chunks of runs that ended: embedded, or reused with the vector that was known.',
      labelNames: ['source'],
      registers,
    });
    this.#tokens = new Counter({
      name: 'qdrant_librarian_vectorization_tokens_total',
      help: 'Tokens that runs that ended had embedded.',
      registers,
    });
    this.#failed = new Counter({
      name: 'qdrant_librarian_vectorization_failed_documents_total',
      help: 'Documents that failed in runs that ended.',
      registers,
    });
    this.#success = new Gauge({
      name: 'qdrant_librarian_vectorization_last_success_timestamp_seconds',
      help: 'When the last run that succeeded ended; no series before the first.',
      labelNames: ['namespace', 'name'],
      registers,
    });
    this.#quality = new Gauge({
      name: 'qdrant_librarian_vectorization_gates_closed',
      help: 'Gates that did not hold at the last check; no series before the first.',
      labelNames: ['namespace', 'name'],
      registers,
    });
  }

  blocked(id: string, blockedBy: readonly Blocker[]): void {
    const now = [...new Set(blockedBy.map(({ name }) => name))];
    for (const predicate of this.#predicates.get(id) ?? []) this.#blocked.dec({ kind: KIND, predicate });
    for (const predicate of now) this.#blocked.inc({ kind: KIND, predicate });
    if (now.length > 0) this.#predicates.set(id, now);
    else this.#predicates.delete(id);
  }

  step({ kind }: Step): void {
    this.#steps.inc({ kind: KIND, step: kind });
  }

  ended({ result, reason = '', embedded = 0, reused = 0, tokens = 0, failed = 0 }: VectorizationRun): void {
    this.#runs.inc({ result, reason });
    this.#chunks.inc({ source: 'embedded' }, embedded);
    this.#chunks.inc({ source: 'reused' }, reused);
    this.#tokens.inc(tokens);
    this.#failed.inc(failed);
  }

  /** What stands in the status: known again at once after a restart, where the last run succeeded. */
  shows({ metadata, status }: VectorizationJob): void {
    const labels = { namespace: metadata.namespace ?? '', name: metadata.name };
    const { lastRun, quality } = status ?? {};
    if (lastRun?.result === 'Succeeded') this.#success.set(labels, Date.parse(lastRun.finishedAt) / 1000);
    if (quality !== undefined) this.#quality.set(labels, quality.failed);
  }

  forget(labels: { readonly namespace: string; readonly name: string }): void {
    this.#success.remove(labels);
    this.#quality.remove(labels);
  }
}
