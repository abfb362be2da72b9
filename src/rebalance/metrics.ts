import { Counter, Gauge, Histogram } from 'prom-client';
import { type Registry, registered } from '../telemetry/index.ts';
import type { Decision } from './decide.ts';
import { DIMENSIONS } from './load.ts';

const KIND = 'RebalancePolicy';

/** Load and plans of all policies. */
export class RebalanceMetrics {
  readonly #blocked: Gauge<'kind' | 'predicate'>;
  readonly #steps: Counter<'kind' | 'step'>;
  readonly #relative: Gauge<'namespace' | 'policy' | 'cluster' | 'dimension'>;
  readonly #silent: Gauge<'namespace' | 'policy'>;
  readonly #moves: Counter<'outcome'>;
  readonly #planning: Histogram;
  readonly #predicates = new Map<string, readonly string[]>();
  readonly #clusters = new Map<string, readonly string[]>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#blocked = registered(
      registry,
      'qdrant_librarian_blocked',
      (name) =>
        new Gauge({
          name,
          help: 'Objects whose next step a predicate refuses.',
          labelNames: ['kind', 'predicate'],
          registers,
        }),
    );
    this.#steps = registered(
      registry,
      'qdrant_librarian_steps_total',
      (name) => new Counter({ name, help: 'Steps that were carried out.', labelNames: ['kind', 'step'], registers }),
    );
    this.#relative = registered(
      registry,
      'qdrant_librarian_rebalance_relative_load',
      (name) =>
        new Gauge({
          name,
          help: 'Load of a cluster over the window of its policy, as a multiple of the mean; 1 = balanced.',
          labelNames: ['namespace', 'policy', 'cluster', 'dimension'],
          registers,
        }),
    );
    this.#silent = registered(
      registry,
      'qdrant_librarian_rebalance_unknown_clusters',
      (name) =>
        new Gauge({
          name,
          help: 'Clusters of a policy whose load is not known now.',
          labelNames: ['namespace', 'policy'],
          registers,
        }),
    );
    this.#moves = registered(
      registry,
      'qdrant_librarian_rebalance_moves_total',
      (name) =>
        new Counter({ name, help: 'Moves of plans that came to an end, by how.', labelNames: ['outcome'], registers }),
    );
    this.#planning = registered(
      registry,
      'qdrant_librarian_rebalance_planning_seconds',
      (name) =>
        new Histogram({
          name,
          help: 'Time that a plan took.',
          buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
          registers,
        }),
    );
  }

  planned(seconds: number): void {
    this.#planning.observe(seconds);
  }

  decided({ namespace, name }: { namespace: string; name: string }, decision: Decision, unknown: number): void {
    const id = `${namespace}/${name}`;
    this.#block(id, [...new Set(decision.blockedBy.map((blocker) => blocker.name))]);
    const labels = { namespace, policy: name };
    this.#silent.set(labels, unknown);
    const clusters = decision.measured.clusters.map((cluster) => cluster.name);
    for (const gone of (this.#clusters.get(id) ?? []).filter((one) => !clusters.includes(one)))
      for (const dimension of DIMENSIONS) this.#relative.remove({ ...labels, cluster: gone, dimension });
    this.#clusters.set(id, clusters);
    for (const { name: cluster, relative } of decision.measured.clusters)
      for (const dimension of DIMENSIONS) this.#relative.set({ ...labels, cluster, dimension }, relative[dimension]);
  }

  acted({ steps, events }: Decision): void {
    for (const { kind } of steps) this.#steps.inc({ kind: KIND, step: kind });
    for (const { reason } of events) {
      if (reason === 'MoveCompleted') this.#moves.inc({ outcome: 'done' });
      if (reason === 'MoveFailed' && events.length > 0) this.#moves.inc({ outcome: 'failed' });
      if (reason === 'MoveStopped') this.#moves.inc({ outcome: 'stopped' });
    }
  }

  forget({ namespace, name }: { namespace: string; name: string }): void {
    const id = `${namespace}/${name}`;
    const labels = { namespace, policy: name };
    this.#block(id, []);
    this.#silent.remove(labels);
    for (const cluster of this.#clusters.get(id) ?? [])
      for (const dimension of DIMENSIONS) this.#relative.remove({ ...labels, cluster, dimension });
    this.#clusters.delete(id);
  }

  #block(id: string, now: readonly string[]): void {
    for (const predicate of this.#predicates.get(id) ?? []) this.#blocked.dec({ kind: KIND, predicate });
    for (const predicate of now) this.#blocked.inc({ kind: KIND, predicate });
    if (now.length > 0) this.#predicates.set(id, now);
    else this.#predicates.delete(id);
  }
}
