import { Counter, Gauge } from 'prom-client';
import type { Blocker } from '../api/index.ts';
import { type Registry, registered } from '../telemetry/index.ts';
import type { Step } from './plan.ts';

const KIND = 'DomainLibrary';

/** How many libraries each predicate holds up now, how many steps were done, and how long writes were held back. */
export class LibraryMetrics {
  readonly #blocked: Gauge<'kind' | 'predicate'>;
  readonly #steps: Counter<'kind' | 'step'>;
  readonly #frozen: Counter;
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
    this.#frozen = registered(
      registry,
      'qdrant_librarian_library_frozen_seconds_total',
      (name) =>
        new Counter({ name, help: 'Time for which writes to libraries were held back.', registers: [registry] }),
    );
  }

  blocked(library: string, blockedBy: readonly Blocker[]): void {
    const now = [...new Set(blockedBy.map(({ name }) => name))];
    for (const predicate of this.#predicates.get(library) ?? []) this.#blocked.dec({ kind: KIND, predicate });
    for (const predicate of now) this.#blocked.inc({ kind: KIND, predicate });
    if (now.length > 0) this.#predicates.set(library, now);
    else this.#predicates.delete(library);
  }

  step({ kind }: Step): void {
    this.#steps.inc({ kind: KIND, step: kind });
  }

  froze(milliseconds: number): void {
    this.#frozen.inc(milliseconds / 1000);
  }
}
