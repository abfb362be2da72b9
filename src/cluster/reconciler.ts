import {
  overruled,
  overruledEvent,
  type QdrantCluster,
  type QdrantClusterStatus,
  type Violation,
  validate,
} from '../api/index.ts';
import {
  addFinalizer,
  DONE,
  Expectations,
  hasFinalizer,
  KubeError,
  keyText,
  type ObjectKey,
  type Outcome,
  type ReconcileContext,
} from '../kube/index.ts';
import { type Acting, act, pendingChanges } from './act.ts';
import { type Decision, decide } from './decide.ts';
import { type ClusterDeps, QDRANT_CLUSTERS } from './deps.ts';
import { digestOf, sameValue } from './digest.ts';
import { type Gathered, gather } from './gather.ts';
import { Memory } from './memory.ts';
import { ClusterMetrics } from './metrics.ts';
import { FINALIZER, STATUS_MANAGER } from './names.ts';
import { eventsOf } from './report/events.ts';
import type { Ending } from './report/facts.ts';
import { statusOf, withoutVolatile } from './report.ts';

/** While an operation runs, numbers that only tick are written so often. */
const TICK_SECONDS = 5;

/** Gathers, decides, acts, reports: once for every pass over a QdrantCluster. */
export class ClusterReconciler {
  readonly #deps: ClusterDeps;
  readonly #expectations: Expectations;
  readonly #metrics: ClusterMetrics;
  readonly #memories = new Map<string, Memory>();

  constructor(deps: ClusterDeps) {
    this.#deps = deps;
    this.#expectations = new Expectations({ log: deps.log, clock: { now: deps.now } });
    this.#metrics = new ClusterMetrics(deps.metrics);
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<Outcome> {
    const { informers, kube, settings } = this.#deps;
    const cluster = informers.clusters.store.get(key);
    if (cluster === undefined) return this.#forget(key);
    if (this.#expectations.pending(key).length > 0) {
      return {
        kind: 'wait',
        seconds: settings.busySeconds / 10,
        reason: 'CacheBehind',
        message: 'waits for its own writes',
      };
    }
    if (!hasFinalizer(cluster, FINALIZER)) {
      if (cluster.metadata.deletionTimestamp !== undefined) return DONE;
      const object = await addFinalizer(kube, { type: QDRANT_CLUSTERS, object: cluster }, FINALIZER);
      this.#expectations.wrote(key, informers.clusters, object);
      return { kind: 'wait', seconds: settings.busySeconds / 10, reason: 'CacheBehind', message: 'finalizer added' };
    }
    return this.#pass(cluster, context);
  }

  async #pass(cluster: QdrantCluster, context: ReconcileContext): Promise<Outcome> {
    const memory = this.#memoryOf(cluster);
    const gathered = await gather(this.#deps, { cluster, memory, signal: context.signal });
    const invalid = violationsOf(cluster, memory);
    if (invalid.length > 0 && cluster.metadata.deletionTimestamp === undefined) {
      return this.#report({ cluster, memory, gathered, decision: undefined, ending: ending({ invalid }) });
    }
    const decision = decide(gathered.world, gathered.topology);
    const acting: Acting = { deps: this.#deps, context, memory, expectations: this.#expectations, cluster, gathered };
    if (cluster.spec.suspend === true) {
      const pending = pendingChanges(acting, decision);
      return this.#report({ cluster, memory, gathered, decision: idle(decision), ending: ending({ pending }) });
    }
    this.#tellOverruled(cluster, gathered, context);
    try {
      await act(acting, decision);
    } catch (error) {
      context.signal.throwIfAborted();
      await this.#report({ cluster, memory, gathered, decision, ending: ending({ failure: messageOf(error) }) });
      throw error;
    }
    if (decision.step !== undefined) this.#metrics.step(decision.step);
    if (decision.step?.kind === 'removeFinalizer') return DONE;
    return this.#report({ cluster, memory, gathered, decision, ending: ending({}) });
  }

  /** The one exit: writes the status when it changed, records what changed, says when to look again. */
  async #report(pass: {
    cluster: QdrantCluster;
    memory: Memory;
    gathered: Gathered;
    decision: Decision | undefined;
    ending: Ending;
  }): Promise<Outcome> {
    const { cluster, memory, gathered, decision, ending: how } = pass;
    const status = statusOf({ ...gathered, decision, ending: how });
    this.#metrics.blocked(keyText(keyFor(cluster)), decision?.operation);
    if (mustWrite(cluster.status, status, { memory, now: this.#deps.now() })) {
      if (!(await this.#write(cluster, status))) return DONE;
      memory.statusWrittenAt = this.#deps.now();
      for (const event of eventsOf(cluster.status, status)) this.#deps.recorder.record(cluster, event);
    }
    if (how.invalid.length > 0) return { kind: 'stalled', reason: 'InvalidSpec', message: how.invalid.join('; ') };
    return { kind: 'wait', ...this.#next(cluster, decision, status) };
  }

  /** @returns false when the object is gone */
  async #write(cluster: QdrantCluster, status: QdrantClusterStatus): Promise<boolean> {
    const { name, namespace, uid } = cluster.metadata;
    const { apiVersion, kind } = cluster;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) };
    const object = { apiVersion, kind, metadata, status };
    const options = { fieldManager: STATUS_MANAGER, subresource: 'status' };
    try {
      const answer = await this.#deps.kube.apply(QDRANT_CLUSTERS, object, options);
      this.#expectations.wrote(keyFor(cluster), this.#deps.informers.clusters, answer);
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return false;
      throw error;
    }
  }

  /** Soon after a step, now and then while something is under way, seldom at rest. */
  #next(cluster: QdrantCluster, decision: Decision | undefined, status: QdrantClusterStatus) {
    const { busySeconds, resyncSeconds } = this.#deps.settings;
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    const reason = ready?.reason ?? 'Unknown';
    const message = ready?.message ?? '';
    if (decision?.step !== undefined) return { seconds: busySeconds / 4, reason, message };
    const resting = ready?.status === 'True' || cluster.spec.suspend === true;
    // Clusters that were all seen at one start should not be looked at all together.
    const spread = 0.9 + (Number.parseInt(digestOf(cluster.metadata.uid).slice(0, 4), 16) / 0xffff) * 0.2;
    // A budget that is closed is opened in time.
    if (resting && decision?.evictable === false) return { seconds: busySeconds, reason, message };
    if (resting) return { seconds: resyncSeconds * spread, reason, message };
    const stuck = decision?.operation?.blockedBy.some(({ passing }) => !passing) ?? false;
    const away = cluster.spec.external !== undefined;
    return { seconds: stuck || away ? Math.min(resyncSeconds, busySeconds * 5) : busySeconds, reason, message };
  }

  #tellOverruled(cluster: QdrantCluster, { world, topology }: Gathered, { log }: ReconcileContext): void {
    const strict = () =>
      decide({ ...world, disabled: new Set() }, topology).proposals.flatMap(({ operation }) => operation.blockedBy);
    for (const refusal of overruled(world.disabled, strict)) {
      log.warn({ predicate: refusal.name, refusal: refusal.reason }, 'a predicate that is switched off refuses');
      this.#deps.recorder.record(cluster, overruledEvent(refusal));
    }
  }

  /** By uid: an object of the same name that was made anew starts with nothing. */
  #memoryOf(cluster: QdrantCluster): Memory {
    const id = `${keyText(keyFor(cluster))} ${cluster.metadata.uid}`;
    const memory = this.#memories.get(id) ?? new Memory();
    this.#memories.set(id, memory);
    return memory;
  }

  #forget(key: ObjectKey): Outcome {
    const id = `${keyText(key)} `;
    for (const known of this.#memories.keys()) if (known.startsWith(id)) this.#memories.delete(known);
    this.#expectations.forget(key);
    this.#metrics.blocked(keyText(key), undefined);
    return DONE;
  }
}

const ending = (end: { invalid?: readonly Violation[]; failure?: string; pending?: boolean }): Ending => ({
  invalid: (end.invalid ?? []).map(
    ({ field, value, rule }) => `${field}: ${value === undefined ? '' : `${JSON.stringify(value)}: `}${rule}`,
  ),
  failure: end.failure,
  pending: end.pending ?? false,
});

const keyFor = ({ metadata }: QdrantCluster): ObjectKey => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
});

/** Nothing is under way while nothing is done. */
const idle = (decision: Decision): Decision => ({ ...decision, operation: undefined, step: undefined, proposals: [] });

/** Errors of both clients hold no header, no key and no body. */
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown error');

function violationsOf(cluster: QdrantCluster, memory: Memory): readonly Violation[] {
  const { apiVersion, kind, metadata, spec } = cluster;
  const { generation } = metadata;
  if (memory.violations === undefined || memory.violations.generation !== generation) {
    memory.violations = { generation, found: validate({ apiVersion, kind, metadata: { name: metadata.name }, spec }) };
  }
  return memory.violations.found;
}

function mustWrite(
  before: QdrantClusterStatus | undefined,
  after: QdrantClusterStatus,
  { memory, now }: { memory: Memory; now: number },
): boolean {
  if (sameValue(before ?? {}, after)) return false;
  if (before === undefined || after.operation === undefined) return true;
  if (!sameValue(withoutVolatile(before), withoutVolatile(after))) return true;
  return now - memory.statusWrittenAt >= TICK_SECONDS * 1000;
}
