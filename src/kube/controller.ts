import { randomUUID } from 'node:crypto';
import { type Logger, type Span, silentLogger } from '../telemetry/index.ts';
import { type Clock, systemClock } from './clock.ts';
import { ControllerMetrics, type ReconcileResult } from './controller-metrics.ts';
import { DeadlineError, withDeadline } from './deadline.ts';
import type { Informer } from './informer.ts';
import { privateRegistry, type Registry } from './metrics.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey } from './objects.ts';
import type { Outcome } from './outcome.ts';
import { LOW_PRIORITY, WorkQueue } from './queue.ts';
import type { Change } from './store.ts';
import { inPassSpan, noteFailure, noteOutcome } from './traces.ts';
import { type Verdict, verdictOfError, verdictOfOutcome } from './verdict.ts';

export type ReconcileContext = {
  /** Aborts when the time for this pass is over, or when a graceful stop takes too long. */
  readonly signal: AbortSignal;
  /** Names the controller, the object and this pass on every line. */
  readonly log: Logger;
  readonly reconcileId: string;
  /** Throws unless this process surely leads. Call it right before each destructive step. */
  assertLeading(): void;
};

/** What a controller asks of an informer. Methods, so that one of any type can stand in a list. */
type Observed<T extends KubeObject> = {
  readonly type: { readonly plural: string };
  readonly hasSynced: boolean;
  readonly started: boolean;
  whenSynced(): Promise<void>;
  onChange(handler: (change: Change<T>) => void): () => void;
};

/**
 * Objects of another kind whose changes concern objects of the controller's own. Write it with `watching`, or name the
 * type of the argument of `map`.
 */
export type Watched<T extends KubeObject = KubeObject> = {
  readonly informer: Observed<T>;
  map(object: T): readonly ObjectKey[];
  filter?(change: Change<T>): boolean;
};

export type ControllerOptions<T extends KubeObject> = {
  readonly name: string;
  /** Informers are the caller's: start them too, so that several controllers can share one. */
  readonly primary: Informer<T>;
  /** Which changes of the controller's own kind count; all when not given. See `specChanged`. */
  readonly filter?: (change: Change<T>) => boolean;
  readonly watches?: readonly Watched[];
  readonly reconcile: (key: ObjectKey, context: ReconcileContext) => Promise<Outcome>;
  /** Passes at once; 1 when not given. */
  readonly workers?: number;
  /** Time for one pass; 120 when not given. */
  readonly timeoutSeconds?: number;
  /** Every object is looked at again so often, with jitter and low priority; 3600 when not given. */
  readonly resyncSeconds?: number;
  /** Delay after a first failure; 0.5 when not given. */
  readonly backoffFloorSeconds?: number;
  readonly assertLeading?: () => void;
  readonly log?: Logger;
  readonly metrics?: Registry;
  readonly clock?: Clock;
  readonly random?: () => number;
};

/** Told of when it took so long: nothing else was done for the object meanwhile. */
const LONG_PASS_SECONDS = 10;
/** Source: controller-runtime `CacheSyncTimeout`, `GracefulShutdownTimeout`. */
const SYNC_MILLISECONDS = 120_000;
const GRACE_MILLISECONDS = 30_000;
/** A resync is spread over this part of its period. */
const RESYNC_SPREAD = 0.1;

/** Calls `reconcile` for each object that changed, once at a time per object, until all is as wanted. */
export class Controller<T extends KubeObject> {
  readonly #options: ControllerOptions<T>;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #queue: WorkQueue<ObjectKey>;
  readonly #metrics: ControllerMetrics;
  readonly #workers: number;

  constructor(options: ControllerOptions<T>) {
    this.#options = options;
    this.#log = (options.log ?? silentLogger).child({ controller: options.name });
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#workers = options.workers ?? 1;
    const metrics = options.metrics ?? privateRegistry();
    this.#metrics = new ControllerMetrics(metrics, options.name, this.#workers);
    this.#queue = new WorkQueue({
      name: options.name,
      textOf: keyText,
      clock: this.#clock,
      random: this.#random,
      metrics,
      backoffFloorSeconds: options.backoffFloorSeconds ?? 0.5,
    });
  }

  enqueue(key: ObjectKey, priority = 0): void {
    this.#queue.add(key, { priority });
  }

  /**
   * Runs until the signal aborts and what is in hand has ended; what has not ended 30 s later is aborted.
   * Rejects when a cache is not complete after two minutes.
   */
  async start(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#subscribe();
    const grace = new AbortController();
    let endGrace = (): void => undefined;
    const stop = (): void => {
      this.#queue.close();
      endGrace = this.#clock.after(GRACE_MILLISECONDS, () => {
        this.#log.warn({ working: this.#queue.working }, 'graceful stop took too long');
        grace.abort(new DeadlineError('the controller stops'));
      });
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.#cachesSynced(signal);
      if (signal.aborted) return;
      this.#log.info({ workers: this.#workers }, 'controller started');
      const workers = Array.from({ length: this.#workers }, () => this.#work(grace.signal));
      await Promise.all([...workers, this.#resync(signal)]);
    } finally {
      signal.removeEventListener('abort', stop);
      this.#queue.close();
      endGrace();
      for (const end of unsubscribe) end();
    }
    this.#log.info({}, 'controller stopped');
  }

  #subscribe(): (() => void)[] {
    const { primary, filter = () => true, watches = [] } = this.#options;
    return [
      primary.onChange((change) => {
        if (!filter(change)) return;
        const key = keyOf(change.object);
        if (newGeneration(change)) this.#queue.forget(key);
        this.enqueue(key, priorityOf(change));
      }),
      ...watches.map((watched) =>
        watched.informer.onChange((change) => {
          if (watched.filter?.(change) === false) return;
          // What no longer points here may have done so before.
          const objects = change.type === 'updated' ? [change.object, change.old] : [change.object];
          for (const object of objects) for (const key of watched.map(object)) this.enqueue(key, priorityOf(change));
        }),
      ),
    ];
  }

  async #cachesSynced(signal: AbortSignal): Promise<void> {
    const { primary, watches = [], name } = this.#options;
    const informers = [primary, ...watches.map(({ informer }) => informer)];
    const timeout = new AbortController();
    const wait = this.#clock.sleep(SYNC_MILLISECONDS, AbortSignal.any([signal, timeout.signal])).then(
      () => 'late' as const,
      () => 'stopped' as const,
    );
    const synced = Promise.all(informers.map((informer) => informer.whenSynced())).then(() => 'synced' as const);
    const first = await Promise.race([synced, wait]);
    timeout.abort();
    if (first !== 'late') return;
    const missing = informers.filter(({ hasSynced }) => !hasSynced);
    const names = missing.map(({ type, started }) => `${type.plural}${started ? '' : ' (not started)'}`);
    throw new Error(`controller ${name}: caches not complete after two minutes: ${names.join(', ')}`);
  }

  async #work(grace: AbortSignal): Promise<void> {
    for (let item = await this.#queue.next(); item !== undefined; item = await this.#queue.next()) {
      try {
        await this.#pass(item, grace);
      } finally {
        this.#queue.done(item.key);
      }
    }
  }

  async #pass(item: { readonly key: ObjectKey; readonly priority: number }, grace: AbortSignal): Promise<void> {
    const { key, priority } = item;
    const reconcileId = randomUUID();
    const log = this.#log.child({ namespace: key.namespace, object: key.name, reconcileID: reconcileId });
    const begun = this.#clock.now();
    this.#metrics.begun();
    let result: ReconcileResult = 'error';
    try {
      const verdict = await inPassSpan({ controller: this.#options.name, key, reconcileId }, (span) =>
        this.#verdict(key, { log, reconcileId, grace, span }),
      );
      result = this.#settle(key, priority, verdict);
    } finally {
      this.#metrics.ended(result, (this.#clock.now() - begun) / 1000);
    }
  }

  async #verdict(
    key: ObjectKey,
    pass: { readonly log: Logger; readonly reconcileId: string; readonly grace: AbortSignal; readonly span: Span },
  ): Promise<Verdict> {
    const { reconcile, timeoutSeconds = 120, assertLeading = () => undefined } = this.#options;
    const { log, reconcileId, grace, span } = pass;
    const begun = this.#clock.now();
    const timedOut = (signal: AbortSignal): boolean => signal.reason instanceof DeadlineError && !grace.aborted;
    try {
      return await withDeadline(timeoutSeconds * 1000, grace, async (signal) => {
        signal.addEventListener('abort', () => {
          if (!timedOut(signal)) return;
          this.#metrics.timedOut();
          log.warn({ timeoutSeconds }, 'reconcile takes too long and is aborted');
        });
        const outcome = await reconcile(key, { signal, log, reconcileId, assertLeading });
        if (outcome.kind !== 'done') log.debug({ outcome }, 'reconcile has more to do');
        noteOutcome(span, outcome);
        return verdictOfOutcome(outcome);
      });
    } catch (error) {
      const verdict = verdictOfError(error);
      noteFailure(span, error, verdict);
      if (verdict.kind === 'conflict') log.info({ err: error }, 'somebody else wrote first; trying again');
      else if (verdict.kind === 'leaving') log.info({ err: error }, 'the namespace is being deleted; trying again');
      else log.error({ err: error }, verdict.kind === 'terminal' ? 'reconcile failed for good' : 'reconcile failed');
      return verdict;
    } finally {
      const seconds = (this.#clock.now() - begun) / 1000;
      if (seconds >= LONG_PASS_SECONDS) log.info({ seconds }, 'reconcile took long');
    }
  }

  /** Source: controller-runtime `Controller.reconcileHandler`. */
  #settle(key: ObjectKey, priority: number, verdict: Verdict): ReconcileResult {
    switch (verdict.kind) {
      case 'success':
        this.#queue.forget(key);
        return 'success';
      case 'requeueAfter':
        this.#queue.forget(key);
        this.#queue.add(key, { priority, afterSeconds: verdict.seconds });
        return 'requeue_after';
      case 'conflict':
      case 'leaving':
        this.#queue.addRateLimited(key, { priority });
        return 'requeue';
      case 'terminal':
        this.#queue.forget(key);
        this.#metrics.failed();
        this.#metrics.failedForGood();
        return 'error';
      case 'error':
        this.#metrics.failed();
        if (verdict.panic) this.#metrics.panicked();
        this.#queue.addRateLimited(key, { priority, floorSeconds: verdict.floorSeconds });
        return 'error';
    }
  }

  /** A net for what a watch may have missed and nothing else reports. */
  async #resync(signal: AbortSignal): Promise<void> {
    const period = this.#options.resyncSeconds ?? 3600;
    try {
      while (!signal.aborted) {
        await this.#clock.sleep(period * 1000 * (1 + RESYNC_SPREAD * this.#random()), signal);
        for (const object of this.#options.primary.store.list()) {
          const afterSeconds = period * RESYNC_SPREAD * this.#random();
          this.#queue.add(keyOf(object), { priority: LOW_PRIORITY, afterSeconds });
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** An entry of `watches`, with `map` typed by its informer. */
export const watching = <T extends KubeObject>(watched: {
  readonly informer: Informer<T>;
  map(object: NoInfer<T>): readonly ObjectKey[];
  filter?(change: Change<NoInfer<T>>): boolean;
}): Watched<T> => watched;

const priorityOf = (change: { readonly initial: boolean }): number => (change.initial ? LOW_PRIORITY : 0);

const newGeneration = <T extends KubeObject>(change: Change<T>): boolean =>
  change.type === 'updated' && change.object.metadata.generation !== change.old.metadata.generation;
