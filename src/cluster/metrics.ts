import { Counter, Gauge } from 'prom-client';
import { type Registry, registered } from '../telemetry/index.ts';
import type { Operation, Step } from './decide/step.ts';

/** How many clusters each predicate holds up now, and how many steps were done. */
export class ClusterMetrics {
  readonly #blocked: Gauge<'kind' | 'predicate'>;
  readonly #steps: Counter<'kind' | 'step'>;
  readonly #predicates = new Map<string, readonly string[]>();

  constructor(registry: Registry) {
    this.#blocked = registered(
      registry,
      'qdrant_librarian_blocked',
      (name) =>
        new Gauge({
          name,
          help: 'Objects whose next step a predicate refuses.',
          labelNames: ['kind', 'predicate'],
          registers: [registry],
        }),
    );
    this.#steps = registered(
      registry,
      'qdrant_librarian_steps_total',
      (name) =>
        new Counter({
          name,
          help: 'Steps that were carried out.',
          labelNames: ['kind', 'step'],
          registers: [registry],
        }),
    );
  }

  blocked(cluster: string, operation: Operation | undefined): void {
    const before = this.#predicates.get(cluster) ?? [];
    const now = (operation?.blockedBy ?? []).map(({ name }) => name);
    for (const predicate of before) this.#blocked.dec({ kind: 'QdrantCluster', predicate });
    for (const predicate of now) this.#blocked.inc({ kind: 'QdrantCluster', predicate });
    if (now.length > 0) this.#predicates.set(cluster, now);
    else this.#predicates.delete(cluster);
  }

  step(step: Step): void {
    this.#steps.inc({ kind: 'QdrantCluster', step: step.kind });
  }
}
