import { isDeepStrictEqual } from 'node:util';
import {
  applyDefaults,
  FIELD_MANAGERS,
  overruledEvent,
  type RebalancePolicy,
  type RebalancePolicyStatus,
} from '../api/index.ts';
import {
  DONE,
  Expectations,
  findCondition,
  keyOf,
  keyText,
  type ObjectKey,
  type Outcome,
  type ReconcileContext,
} from '../kube/index.ts';
import { isQdrantError } from '../qdrant/index.ts';
import { threads, type Workings } from './act/workings.ts';
import { type Acting, act, clearVerb, saveHistory } from './act.ts';
import { running } from './decide/moves.ts';
import { type Decision, decide } from './decide.ts';
import { REBALANCE_POLICIES, type RebalanceDeps } from './deps.ts';
import { gather, observe, restoreHistory } from './gather.ts';
import { RebalanceMemory } from './memory.ts';
import { RebalanceMetrics } from './metrics.ts';
import { COARSE } from './observe/ring.ts';
import { isAhead, seriesAhead } from './outlook.ts';
import { type Failure, foreseen } from './report/conditions.ts';
import { statusOf, withoutTicks } from './report.ts';
import { windowSeconds } from './settings.ts';
import type { World } from './world.ts';

/** What may be missing of the window after a restart, and how often history is written at most and at least. */
const LOSABLE = 0.05;
const SAVE_SECONDS = { least: 60, most: 300 } as const;

/** Observes, gathers, decides, acts, reports: once for every pass over a RebalancePolicy. */
export class RebalanceReconciler {
  readonly #deps: RebalanceDeps;
  readonly #workings: Workings;
  readonly #expectations: Expectations;
  readonly #metrics: RebalanceMetrics;
  readonly #memories = new Map<string, RebalanceMemory>();
  readonly #writtenAt = new Map<string, number>();

  constructor(deps: RebalanceDeps, workings: Workings = threads) {
    this.#deps = deps;
    this.#workings = workings;
    this.#expectations = new Expectations({ log: deps.log, clock: { now: deps.now } });
    this.#metrics = new RebalanceMetrics(deps.metrics);
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<Outcome> {
    const stored = this.#deps.informers.policies.store.get(key);
    if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return this.#forget(key);
    const pending = this.#expectations.pending(key);
    if (pending.length > 0)
      return { kind: 'wait', seconds: 0.05, reason: 'CacheBehind', message: `waits for ${pending.join(', ')}` };
    const policy = applyDefaults(stored);
    const memory = this.#memoryOf(policy);
    await this.#look(policy, memory, context);
    const world = gather(this.#deps, { policy, memory });
    if (world.invalid.length > 0) return this.#reportInvalid(world, memory);
    return this.#carryOut({ world, memory, context, decision: await this.#decide(world, context) });
  }

  /** Asks the peers when it is time to; passes in between go on with what is known. */
  async #look(policy: RebalancePolicy, memory: RebalanceMemory, { signal }: ReconcileContext): Promise<void> {
    const due = (memory.lookedAt ?? Number.NEGATIVE_INFINITY) + intervalOf(policy) * 1000;
    if (policy.spec.suspend === true || this.#deps.now() < due) return;
    await observe(this.#deps, { policy, memory, signal });
    const step = Math.floor(this.#deps.now() / (COARSE.stepSeconds * 1000));
    if (step === memory.outlookAt) return;
    const { clusters, now } = gather(this.#deps, { policy, memory });
    const series = seriesAhead(policy.spec, clusters, now);
    memory.outlook = series.length === 0 ? [] : await this.#workings.outlook(series, signal);
    memory.outlookAt = step;
  }

  async #decide(world: World, { signal }: ReconcileContext): Promise<Decision> {
    const decision = decide(world);
    if (decision.ask === undefined) return decision;
    const { problem, now } = decision.ask;
    const began = performance.now();
    const plan = await this.#workings.plan(problem, now, signal);
    this.#metrics.planned((performance.now() - began) / 1000);
    return decide({ ...world, made: { problem, plan } });
  }

  async #carryOut(pass: {
    readonly world: World;
    readonly decision: Decision;
    readonly memory: RebalanceMemory;
    readonly context: ReconcileContext;
  }): Promise<Outcome> {
    const { world, decision, memory, context } = pass;
    const { policy } = world;
    const key = keyOf(policy);
    const acting: Acting = { deps: this.#deps, context, expectations: this.#expectations, world };
    const unknown = world.clusters.filter((cluster) => cluster.unknown !== undefined).length;
    this.#metrics.decided(key, decision, unknown);
    let failure: unknown;
    try {
      await act(acting, decision);
    } catch (error) {
      context.signal.throwIfAborted();
      failure = error;
    }
    const described = failure === undefined ? undefined : describe(failure);
    const status = statusOf({ world, decision, failure: described, lookedAt: memory.lookedAt });
    await this.#write(policy, status);
    if (failure !== undefined) throw failure;
    this.#metrics.acted(decision);
    this.#tell(world, decision, { status, context });
    for (const step of decision.steps) if (step.kind === 'clearVerb') await clearVerb(acting, step.value);
    await this.#save(acting, memory);
    return this.#next(world, decision, memory);
  }

  #tell(
    { policy, outlook = [], now }: World,
    { events, verb, overruled }: Decision,
    { status, context }: { readonly status: RebalancePolicyStatus; readonly context: ReconcileContext },
  ): void {
    for (const event of events) this.#deps.recorder.record(policy, event);
    for (const refusal of overruled) {
      context.log.warn(
        { predicate: refusal.name, refusal: refusal.reason },
        'a predicate that is switched off refuses',
      );
      this.#deps.recorder.record(policy, overruledEvent(refusal));
    }
    const was = (type: string): string | undefined => reasonOf(policy.status, type);
    for (const type of ['Ready', 'VersionsDiffer']) {
      const condition = findCondition(status.conditions ?? [], type);
      if (condition === undefined || !TO_BE_MENDED.has(condition.reason) || was(type) === condition.reason) continue;
      const { reason, message: note } = condition;
      this.#deps.recorder.record(policy, { type: 'Warning', reason, action: 'Observe', note });
    }
    const ahead = outlook.filter((prediction) => isAhead(prediction, now));
    if (ahead.length > 0 && was('ThresholdAhead') !== 'ThresholdAhead') {
      const note = ahead.map(foreseen).join('; ').slice(0, 1000);
      this.#deps.recorder.record(policy, { type: 'Warning', reason: 'ThresholdAhead', action: 'Forecast', note });
    }
    const refused = reasonOf(status, 'VerbRefused');
    if (verb?.kind === 'refused' && refused !== was('VerbRefused'))
      this.#deps.recorder.record(policy, { type: 'Warning', reason: verb.reason, action: 'Obey', note: verb.message });
  }

  /** A restart may cost so much of the window that it still counts as known. */
  async #save(acting: Acting, memory: RebalanceMemory): Promise<void> {
    const { policy, now } = acting.world;
    const period = Math.min(Math.max(windowSeconds(policy.spec) * LOSABLE, SAVE_SECONDS.least), SAVE_SECONDS.most);
    if (policy.spec.suspend === true || memory.lookedAt === undefined || now - memory.savedAt < period * 1000) return;
    memory.savedAt = now;
    await saveHistory(acting, memory);
  }

  #next(world: World, decision: Decision, memory: RebalanceMemory): Outcome {
    const { policy, now } = world;
    const { reason, message } = decision;
    const changed = decision.state !== (policy.status?.plan?.state ?? 'None') || decision.steps.length > 0;
    if (changed) return { kind: 'wait', seconds: 0.05, reason, message };
    if (policy.spec.suspend === true && running(decision.execution).length === 0) return DONE;
    const look = ((memory.lookedAt ?? now) - now) / 1000 + intervalOf(policy);
    const busy = running(decision.execution).length > 0 ? this.#deps.settings.busySeconds : Number.POSITIVE_INFINITY;
    const opens = decision.window.open ? undefined : decision.window.opensAt;
    const window = opens === undefined ? Number.POSITIVE_INFINITY : (opens - now) / 1000;
    return { kind: 'wait', seconds: Math.max(0.05, Math.min(look, busy, window)), reason, message };
  }

  async #reportInvalid(world: World, memory: RebalanceMemory): Promise<Outcome> {
    const message = world.invalid.join('; ');
    const decision = decide({ ...world, policy: { ...world.policy, spec: { suspend: true } } });
    await this.#write(world.policy, statusOf({ world, decision, failure: undefined, lookedAt: memory.lookedAt }));
    return { kind: 'stalled', reason: 'InvalidSpec', message };
  }

  /** What only ticks is written once in a twentieth of the window, and the time of the look alone every five minutes. */
  async #write(policy: RebalancePolicy, status: RebalancePolicyStatus): Promise<void> {
    const before = policy.status ?? {};
    if (isDeepStrictEqual(plain(before), plain(status))) return;
    const id = keyText(keyOf(policy));
    const passed = (this.#deps.now() - (this.#writtenAt.get(id) ?? 0)) / 1000;
    const same = (view: (status: RebalancePolicyStatus) => unknown): boolean =>
      isDeepStrictEqual(plain(view(before)), plain(view(status)));
    if (same(withoutTicks)) {
      const least = same(withoutTime) ? SAVE_SECONDS.most : figuresSeconds(policy);
      if (passed < least) return;
    }
    this.#writtenAt.set(id, this.#deps.now());
    const { name, namespace = '', uid = '' } = policy.metadata;
    const { apiVersion, kind } = policy;
    const object = { apiVersion, kind, metadata: { name, namespace, uid }, status } as RebalancePolicy;
    const options = { fieldManager: FIELD_MANAGERS.status, subresource: 'status' } as const;
    const written = await this.#deps.kube.apply(REBALANCE_POLICIES, object, options);
    this.#expectations.wrote(keyOf(policy), this.#deps.informers.policies, written);
  }

  /** By uid: an object of the same name that was made anew starts with nothing. */
  #memoryOf(policy: RebalancePolicy): RebalanceMemory {
    const id = `${keyText(keyOf(policy))} ${policy.metadata.uid}`;
    const known = this.#memories.get(id);
    if (known !== undefined) return known;
    const memory = new RebalanceMemory();
    restoreHistory(this.#deps, { policy, memory });
    memory.savedAt = this.#deps.now();
    this.#memories.set(id, memory);
    return memory;
  }

  #forget(key: ObjectKey): Outcome {
    const id = keyText(key);
    for (const known of this.#memories.keys()) if (known.startsWith(`${id} `)) this.#memories.delete(known);
    this.#writtenAt.delete(id);
    this.#expectations.forget(key);
    this.#metrics.forget(key);
    return DONE;
  }
}

const intervalOf = ({ spec }: RebalancePolicy): number => spec.observe?.intervalSeconds ?? 30;

/** Figures over a window move with it: so often they have something new to tell. */
const figuresSeconds = (policy: RebalancePolicy): number =>
  Math.max(intervalOf(policy), Math.min(windowSeconds(policy.spec) * LOSABLE, SAVE_SECONDS.most));

/** What somebody has to mend, by the reasons of `Ready` and `VersionsDiffer`. What is not known yet passes by itself. */
const TO_BE_MENDED: ReadonlySet<string> = new Set([
  'NoClusterMatches',
  'OneCluster',
  'NoLibraryMatches',
  'LibrariesClaimed',
  'ConfigMapTaken',
  'VersionsDiffer',
]);

const reasonOf = (status: RebalancePolicyStatus | undefined, type: string): string | undefined =>
  status?.conditions?.find((condition) => condition.type === type)?.reason;

const withoutTime = ({ observedAt: _at, ...status }: RebalancePolicyStatus): RebalancePolicyStatus => status;

/** As it looks after a journey over the wire: without undefined fields. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Errors of both clients hold no header, no key and no body. */
function describe(error: unknown): Failure {
  const message = error instanceof Error ? error.message : 'unknown error';
  return { reason: 'Failed', message: isQdrantError(error) ? `Qdrant: ${message}` : message };
}
