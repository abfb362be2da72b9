import { isDeepStrictEqual } from 'node:util';
import {
  applyDefaults,
  FIELD_MANAGERS,
  overruledEvent,
  type VectorizationJob,
  type VectorizationJobStatus,
} from '../api/index.ts';
import { DONE, Expectations, keyText, type ObjectKey, type Outcome, type ReconcileContext } from '../kube/index.ts';
import { act } from './act.ts';
import { changedInputs, nextDue } from './decide/due.ts';
import { decide, overruledBy } from './decide.ts';
import { completeSettings, VECTORIZATION_JOBS, type VectorizeDeps } from './deps.ts';
import { gather, keyOfJob, violationsOf } from './gather.ts';
import { VectorizeMetrics } from './metrics.ts';
import type { Plan } from './plan.ts';
import { statusOf, withoutTicks } from './report.ts';
import { Sight } from './sight.ts';
import type { VectorizeSettings, World } from './world.ts';

/** While a run goes on, numbers that only tick are written so often. */
const TICK_MILLISECONDS = 2000;

/** Gathers, decides, acts, reports: once for every pass over a VectorizationJob. */
export class VectorizeReconciler {
  readonly #deps: VectorizeDeps;
  readonly #settings: VectorizeSettings;
  readonly #expectations: Expectations;
  readonly #metrics: VectorizeMetrics;
  readonly #writtenAt = new Map<string, number>();
  readonly #sight = new Sight();

  constructor(deps: VectorizeDeps) {
    this.#deps = deps;
    this.#settings = completeSettings(deps.settings);
    this.#expectations = new Expectations({ log: deps.log, clock: { now: deps.now } });
    this.#metrics = new VectorizeMetrics(deps.metrics);
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<Outcome> {
    const stored = this.#deps.informers.vectorizationJobs.store.get(key);
    if (stored === undefined) return this.#forget(key);
    if (stored.metadata.deletionTimestamp !== undefined) return DONE;
    const pending = this.#expectations.pending(key);
    if (pending.length > 0) {
      return { kind: 'wait', seconds: 0.05, reason: 'CacheBehind', message: `waits for ${pending.join(', ')}` };
    }
    const job = applyDefaults(stored);
    const invalid = violationsOf(stored);
    const { signal } = context;
    const gathering = { job, settings: this.#settings, signal, blind: invalid.length > 0, sight: this.#sight };
    const world = await gather(this.#deps, gathering);
    const plan: Plan = invalid.length > 0 ? { steps: [] } : decide(world);
    if (invalid.length === 0) this.#tellOverruled(world, context);
    this.#metrics.blocked(keyText(key), plan.blockedBy ?? []);
    return this.#carryOut({ world, plan, invalid, context });
  }

  async #carryOut(pass: {
    readonly world: World;
    readonly plan: Plan;
    readonly invalid: readonly string[];
    readonly context: ReconcileContext;
  }): Promise<Outcome> {
    const { world, plan, invalid, context } = pass;
    const { job } = world;
    let failure: unknown;
    try {
      await act({ deps: this.#deps, context, expectations: this.#expectations, world }, plan.steps);
      for (const step of plan.steps) this.#metrics.step(step);
    } catch (error) {
      context.signal.throwIfAborted();
      this.#sight.lookedAway(keyText(keyOfJob(job)));
      failure = error;
    }
    const described =
      failure === undefined
        ? undefined
        : { reason: 'Failed', message: failure instanceof Error ? failure.message : 'unknown error' };
    const status = statusOf({ world, plan, failure: described, invalid });
    await this.#write(job, status);
    this.#metrics.shows({ ...job, status });
    if (failure !== undefined) throw failure;
    for (const event of plan.events ?? []) this.#deps.recorder.record(job, event);
    if (plan.status?.lastRun !== undefined) this.#metrics.ended(plan.status.lastRun);
    return this.#outcome(pass, { ...job, status });
  }

  #outcome(
    { plan, invalid, world }: { readonly plan: Plan; readonly invalid: readonly string[]; readonly world: World },
    job: VectorizationJob,
  ): Outcome {
    if (invalid.length > 0) return { kind: 'stalled', reason: 'InvalidSpec', message: invalid.join('; ') };
    const { waiting } = plan;
    const seconds = Math.min(waiting?.seconds ?? this.#settings.resyncSeconds, this.#secondsToNext(job, world));
    const { reason, message } = waiting ?? { reason: 'Succeeded', message: 'nothing is due' };
    return { kind: 'wait', seconds, reason, message };
  }

  /** Only when to look: whether a run is due is read from the status then. */
  #secondsToNext(job: VectorizationJob, { now, inputs }: World): number {
    const appointed = job.status?.nextAt === undefined ? undefined : nextDue(job, this.#settings);
    const settled = changedInputs({ job, inputs }) ? inputs.settledAt : undefined;
    const next = Math.min(appointed ?? Number.POSITIVE_INFINITY, settled ?? Number.POSITIVE_INFINITY);
    return Math.max(0.05, (next - now) / 1000);
  }

  async #write(job: VectorizationJob, status: VectorizationJobStatus): Promise<void> {
    const before = job.status ?? {};
    if (isDeepStrictEqual(plain(before), plain(status))) return;
    const id = keyText(keyOfJob(job));
    const now = this.#deps.now();
    const ticks = isDeepStrictEqual(plain(withoutTicks(before)), plain(withoutTicks(status)));
    if (ticks && now - (this.#writtenAt.get(id) ?? 0) < TICK_MILLISECONDS) return;
    this.#writtenAt.set(id, now);
    const { name, namespace, uid } = job.metadata;
    const { apiVersion, kind } = job;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) };
    const answer = await this.#deps.kube.apply(
      VECTORIZATION_JOBS,
      { apiVersion, kind, metadata, status } as VectorizationJob,
      { fieldManager: FIELD_MANAGERS.status, subresource: 'status' },
    );
    this.#expectations.wrote(keyOfJob(job), this.#deps.informers.vectorizationJobs, answer);
  }

  #tellOverruled(world: World, { log }: ReconcileContext): void {
    for (const refusal of overruledBy(world)) {
      log.warn({ predicate: refusal.name, refusal: refusal.reason }, 'a predicate that is switched off refuses');
      this.#deps.recorder.record(world.job, overruledEvent(refusal));
    }
  }

  #forget(key: ObjectKey): Outcome {
    const id = keyText(key);
    this.#writtenAt.delete(id);
    this.#sight.forget(id);
    this.#expectations.forget(key);
    this.#metrics.blocked(id, []);
    this.#metrics.forget(key);
    return DONE;
  }
}

/** As it looks after a journey over the wire: without undefined fields. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
