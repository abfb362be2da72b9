import { isDeepStrictEqual } from 'node:util';
import {
  applyDefaults,
  type DomainLibrary,
  type DomainLibraryStatus,
  FIELD_MANAGERS,
  overruledEvent,
} from '../api/index.ts';
import {
  DONE,
  Expectations,
  keyOf,
  keyText,
  type ObjectKey,
  type Outcome,
  type ReconcileContext,
  SECRETS,
} from '../kube/index.ts';
import { isQdrantError, type PeerClient } from '../qdrant/index.ts';
import { act } from './act.ts';
import { bindingData, bindingSecret, bindingState } from './binding.ts';
import { decide, overruledBy } from './decide.ts';
import { completeSettings, DOMAIN_LIBRARIES, type LibraryDeps } from './deps.ts';
import { type Gathered, gather, keyOfLibrary, violationsOf } from './gather.ts';
import { LibraryMemory } from './memory.ts';
import { LibraryMetrics } from './metrics.ts';
import { bindingName } from './names.ts';
import type { CommonAnswers } from './observe.ts';
import type { Note, Plan } from './plan.ts';
import { isDeleting, servingCollection, statusOf, withoutTicks } from './report.ts';
import { decideAtRest, secondsToNextLook } from './rest.ts';
import { SharedLooks } from './shared-looks.ts';
import { VectorSizes } from './sizes.ts';
import type { LibrarySettings, World } from './world.ts';

/** While a change runs, numbers that only tick are written so often. */
const TICK_MILLISECONDS = 2000;
/** A size that is on its way is looked for so soon: a move asks for it, and a status that tells it late is no rest. */
const SIZE_SECONDS = 2;

/** Gathers, decides, acts, reports: once for every pass over a DomainLibrary. */
export class LibraryReconciler {
  readonly #deps: LibraryDeps;
  readonly #settings: LibrarySettings;
  readonly #expectations: Expectations;
  readonly #metrics: LibraryMetrics;
  readonly #memories = new Map<string, LibraryMemory>();
  readonly #writtenAt = new Map<string, number>();
  readonly #looks: SharedLooks<PeerClient, CommonAnswers>;
  readonly #sizes = new VectorSizes();

  constructor(deps: LibraryDeps) {
    this.#deps = deps;
    this.#settings = completeSettings(deps.settings);
    this.#expectations = new Expectations({ log: deps.log, clock: { now: deps.now } });
    this.#metrics = new LibraryMetrics(deps.metrics);
    this.#looks = new SharedLooks({ now: deps.now });
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<Outcome> {
    const stored = this.#deps.informers.libraries.store.get(key);
    if (stored === undefined) return this.#forget(key);
    const pending = this.#expectations.pending(key);
    if (pending.length > 0) {
      return { kind: 'wait', seconds: 0.05, reason: 'CacheBehind', message: `waits for ${pending.join(', ')}` };
    }
    const library = applyDefaults(stored);
    const memory = this.#memoryOf(library);
    const invalid = isDeleting(library) ? [] : violationsOf(stored, memory);
    const { signal } = context;
    const { gathered, plan } = await decideAtRest(library, async ({ fresh }) => {
      const options = { library, memory, settings: this.#settings, signal, looks: this.#looks, fresh };
      const seen = await gather(this.#deps, options);
      return { gathered: seen, plan: invalid.length > 0 ? { steps: [] } : decide(seen.world) };
    });
    if (invalid.length === 0) this.#tellOverruled(gathered.world, context);
    return this.#carryOut({ gathered, plan, invalid, memory, context });
  }

  async #carryOut(pass: {
    readonly gathered: Gathered;
    readonly plan: Plan;
    readonly invalid: readonly string[];
    readonly memory: LibraryMemory;
    readonly context: ReconcileContext;
  }): Promise<Outcome> {
    const { gathered, plan, memory, context } = pass;
    const { world, reaches } = gathered;
    const { library } = world;
    this.#metrics.blocked(keyText(keyOfLibrary(library)), plan.blockedBy ?? []);
    this.#metrics.snapshots(world);
    if ((plan.blockedBy ?? []).length > 0) context.log.debug({ blockedBy: plan.blockedBy }, 'predicates refuse');
    const notes: Note[] = [];
    let failure: unknown;
    try {
      const binding = await this.#bind(gathered, context);
      if (binding !== undefined) notes.push(binding);
      await act({ deps: this.#deps, context, memory, expectations: this.#expectations, world, reaches }, plan.steps);
      for (const step of plan.steps) this.#metrics.step(step);
    } catch (error) {
      context.signal.throwIfAborted();
      failure = error;
    } finally {
      if (plan.steps.length > 0) {
        for (const { cluster } of [world, ...world.places]) {
          if (cluster !== undefined) this.#looks.forget(keyText(keyOf(cluster)));
        }
      }
    }
    if (failure === undefined && plan.steps.some(({ kind }) => kind === 'removeFinalizer')) {
      this.#record(library, plan);
      return DONE;
    }
    const described = failure === undefined ? undefined : describe(failure);
    const bound = notes.some(({ type, status }) => type === 'Bound' && status === 'True');
    const status = statusOf({
      world,
      placed: gathered.placed,
      plan,
      notes,
      failure: described,
      invalid: pass.invalid,
      bound,
      vectorsBytes: this.#sizeOf(gathered),
    });
    await this.#write(library, status);
    if (failure !== undefined) throw failure;
    this.#record(library, plan);
    if (plan.status?.change?.step === 'Switched' && library.status?.change?.step !== 'Switched') {
      this.#metrics.froze(plan.status.change.freezeMilliseconds ?? 0);
    }
    return this.#outcome(pass, status);
  }

  #outcome(
    pass: { readonly gathered: Gathered; readonly plan: Plan; readonly invalid: readonly string[] },
    status: DomainLibraryStatus,
  ): Outcome {
    const { gathered, plan, invalid } = pass;
    if (invalid.length > 0) return { kind: 'stalled', reason: 'InvalidSpec', message: invalid.join('; ') };
    const { waiting, stalled } = plan;
    // What was done may have opened the way for more: the next look says.
    if (plan.steps.length > 0 && waiting === undefined) {
      return { kind: 'wait', seconds: 0.05, reason: 'Changing', message: 'looks whether there is more to do' };
    }
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    if (waiting === undefined || stalled === true) {
      const { namespace } = keyOfLibrary(gathered.world.library);
      const seconds = secondsToNextLook({
        now: this.#deps.now(),
        resyncSeconds: this.#settings.resyncSeconds,
        cluster: keyText({ namespace, name: status.cluster ?? '' }),
      });
      const sizeSoon = status.vectorsBytes === undefined && this.#sizeIsOnItsWay(gathered);
      return {
        kind: 'wait',
        seconds: Math.min(seconds, plan.again ?? seconds, sizeSoon ? SIZE_SECONDS : seconds),
        reason: ready?.reason ?? 'Unknown',
        message: ready?.message ?? '',
      };
    }
    return { kind: 'wait', ...waiting };
  }

  /** Keeps the binding Secret as the cluster and its key are; somebody else's Secret of that name is left alone. */
  async #bind({ world, reach }: Gathered, context: ReconcileContext): Promise<Note | undefined> {
    const { library, cluster } = world;
    if (reach === undefined || cluster === undefined || isDeleting(library) || library.spec.suspend === true)
      return undefined;
    if (servingCollection(world) === undefined) return undefined;
    const data = bindingData(library, cluster, reach.connection);
    if (data === undefined) return undefined;
    const { informers, kube } = this.#deps;
    const key = { namespace: keyOfLibrary(library).namespace, name: bindingName(library.metadata.name) };
    const wanted = bindingSecret(library, data);
    const state = bindingState(library, informers.secrets.store.get(key), wanted);
    if (state.kind === 'write') {
      const options = { fieldManager: FIELD_MANAGERS.objects, signal: context.signal };
      const written = await kube.apply(SECRETS, wanted, options);
      this.#expectations.wrote(keyOfLibrary(library), informers.secrets, written);
    }
    return state.note;
  }

  #sizeOf({ world, reach }: Gathered): number | undefined {
    const serving = servingCollection(world);
    if (reach === undefined || serving === undefined || world.sight.kind === 'blind') return undefined;
    return this.#sizes.of(reach.client, world.sight.look, serving, world.now);
  }

  #sizeIsOnItsWay({ world, reach }: Gathered): boolean {
    const serving = servingCollection(world);
    return reach !== undefined && serving !== undefined && this.#sizes.awaits(reach.client, serving);
  }

  async #write(library: DomainLibrary, status: DomainLibraryStatus): Promise<void> {
    const { assignment: _assignment, ...before } = library.status ?? {};
    if (isDeepStrictEqual(plain(before), plain(status))) return;
    const key = keyText(keyOfLibrary(library));
    const now = this.#deps.now();
    const ticks = isDeepStrictEqual(plain(withoutTicks(before)), plain(withoutTicks(status)));
    if (ticks && now - (this.#writtenAt.get(key) ?? 0) < TICK_MILLISECONDS) return;
    this.#writtenAt.set(key, now);
    const { name, namespace, uid } = library.metadata;
    const { apiVersion, kind } = library;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) };
    const options = { fieldManager: FIELD_MANAGERS.status, subresource: 'status' };
    const answer = await this.#deps.kube.apply(
      DOMAIN_LIBRARIES,
      { apiVersion, kind, metadata, status } as DomainLibrary,
      options,
    );
    this.#expectations.wrote(keyOfLibrary(library), this.#deps.informers.libraries, answer);
  }

  #tellOverruled(world: World, { log }: ReconcileContext): void {
    for (const refusal of overruledBy(world)) {
      log.warn({ predicate: refusal.name, refusal: refusal.reason }, 'a predicate that is switched off refuses');
      this.#deps.recorder.record(world.library, overruledEvent(refusal));
    }
  }

  #record(library: DomainLibrary, { events = [] }: Plan): void {
    for (const event of events) this.#deps.recorder.record(library, event);
  }

  /** By uid: an object of the same name that was made anew starts with nothing. */
  #memoryOf(library: DomainLibrary): LibraryMemory {
    const id = `${keyText(keyOfLibrary(library))} ${library.metadata.uid}`;
    const memory = this.#memories.get(id) ?? new LibraryMemory();
    this.#memories.set(id, memory);
    return memory;
  }

  #forget(key: ObjectKey): Outcome {
    const id = keyText(key);
    for (const known of this.#memories.keys()) if (known.startsWith(`${id} `)) this.#memories.delete(known);
    this.#writtenAt.delete(id);
    this.#expectations.forget(key);
    this.#metrics.blocked(id, []);
    this.#metrics.forgetSnapshots(key);
    return DONE;
  }
}

/** As it looks after a journey over the wire: without undefined fields. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Errors of both clients hold no header, no key and no body. */
function describe(error: unknown): { reason: string; message: string } {
  const message = error instanceof Error ? error.message : 'unknown error';
  if (!isQdrantError(error)) return { reason: 'Failed', message };
  return {
    reason: error.code === 'Unauthorized' || error.code === 'Forbidden' ? 'Unauthorized' : 'QdrantFailed',
    message,
  };
}
