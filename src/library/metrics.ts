import { Counter, Gauge } from 'prom-client';
import type { Blocker } from '../api/index.ts';
import { type Registry, registered } from '../telemetry/index.ts';
import type { Step } from './plan.ts';
import { dueAt } from './snapshots/decide/making.ts';
import { newestFirst } from './snapshots/decide/retention.ts';
import { manifestsOf } from './snapshots/world.ts';
import type { World } from './world.ts';

const KIND = 'DomainLibrary';

/** How many libraries each predicate holds up now, how many steps were done, and how long writes were held back. */
export class LibraryMetrics {
  readonly #blocked: Gauge<'kind' | 'predicate'>;
  readonly #steps: Counter<'kind' | 'step'>;
  readonly #frozen: Counter;
  readonly #saved: Gauge<'namespace' | 'name'>;
  readonly #due: Gauge<'namespace' | 'name'>;
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
    const gauge = (metric: string, help: string): Gauge<'namespace' | 'name'> =>
      registered(
        registry,
        metric,
        (name) => new Gauge({ name, help, labelNames: ['namespace', 'name'], registers: [registry] }),
      );
    this.#saved = gauge(
      'qdrant_librarian_snapshot_timestamp_seconds',
      'When the newest snapshot was made; no series before the first.',
    );
    this.#due = gauge(
      'qdrant_librarian_snapshot_due_timestamp_seconds',
      'By when the schedule wants the next snapshot to be made; no series without a schedule.',
    );
  }

  /** When the newest snapshot was made, and by when the next must be; no series where there is none. */
  snapshots(world: Pick<World, 'library' | 'snapshots'>): void {
    const { name, namespace = '' } = world.library.metadata;
    const [newest] = newestFirst(manifestsOf(world.snapshots));
    const due = dueAt(world);
    this.forgetSnapshots({ name, namespace });
    if (newest !== undefined) this.#saved.set({ namespace, name }, Date.parse(newest.createdAt) / 1000);
    if (due !== undefined) this.#due.set({ namespace, name }, due / 1000);
  }

  forgetSnapshots(key: { readonly name: string; readonly namespace: string }): void {
    this.#saved.remove({ namespace: key.namespace, name: key.name });
    this.#due.remove({ namespace: key.namespace, name: key.name });
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
