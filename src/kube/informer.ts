import { type Logger, silentLogger } from '../telemetry/index.ts';
import { CALM, type StreamBackoff, streamFailed } from './backoff.ts';
import type { KubeClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import { KubeError } from './errors.ts';
import { privateRegistry, type Registry, sampledGauge } from './metrics.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from './objects.ts';
import { type Change, type IndexFunction, Store } from './store.ts';
import type { WatchEvent } from './watch-stream.ts';
import { advance, EMPTY, nextRequest, type WatcherInput, type WatcherOutput, type WatcherState } from './watcher.ts';

export type InformerOptions<T extends KubeObject> = {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly type: ResourceType<T>;
  /** All namespaces when not given. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** What is kept of each object; drops `managedFields` when not given. It may change its argument. */
  readonly transform?: (object: T) => T;
  readonly log?: Logger;
  readonly metrics?: Registry;
  readonly clock?: Clock;
  readonly random?: () => number;
};

export type ChangeHandler<T extends KubeObject> = (change: Change<T>) => void;

/** Objects on a page, and seconds that a watch runs. Source: kube-rs `watcher::Config`; the server's limit is 295. */
const PAGE = 500;
const WATCH_SECONDS = 290;
/** A watch that ends so soon and empty is a failure. Source: client-go reflector, "very short watch". */
const SHORT_WATCH_MILLISECONDS = 1000;

/** Keeps a `Store` equal to the server by list and watch, whatever breaks, and tells its handlers of each change. */
export class Informer<T extends KubeObject> {
  readonly type: ResourceType<T>;
  readonly store: Store<T>;
  readonly #options: InformerOptions<T>;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #transform: (object: T) => T;
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #synced = Promise.withResolvers<void>();
  #state: WatcherState<T> = EMPTY;
  #backoff: StreamBackoff = CALM;
  #lastEventAt: number | undefined;
  #hasSynced = false;
  #running: Promise<void> | undefined;

  constructor(options: InformerOptions<T>) {
    this.type = options.type;
    this.store = new Store(options.indexes);
    this.#options = options;
    this.#log = (options.log ?? silentLogger).child({ resource: options.type.plural });
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#transform = options.transform ?? withoutManagedFields;
  }

  /** Whether the store once held everything the server had. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get started(): boolean {
    return this.#running !== undefined;
  }

  /** The store holds all that happened up to this version; undefined until it is known. */
  get resourceVersion(): string | undefined {
    return this.#state.phase === 'Watching' ? this.#state.resourceVersion : undefined;
  }

  /** Resolves when the first list is in the store and its handlers were told; never, if that never comes. */
  whenSynced(): Promise<void> {
    return this.#synced.promise;
  }

  /**
   * Calls `handler` for each change, after the store took it in. What the store already holds comes at once, as
   * `added` with `initial`. An exception of a handler is logged and stops nothing.
   *
   * @returns what ends the calls
   */
  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.store.list()) this.#call(handler, { type: 'added', object, initial: true });
    return () => void this.#handlers.delete(handler);
  }

  /** Runs until the signal aborts, then resolves. A second call joins the first. */
  start(signal: AbortSignal): Promise<void> {
    this.#running ??= this.#run(signal);
    return this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const stopMetric = this.#ageMetric();
    try {
      while (!signal.aborted) {
        const input = await this.#ask(signal);
        if (signal.aborted) return;
        this.#take(input);
        if (input.kind !== 'page' && input.kind !== 'closed') await this.#rest(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      stopMetric();
    }
  }

  /** One request to its end; the events of a watch are taken on the way. */
  async #ask(signal: AbortSignal): Promise<WatcherInput<T>> {
    const request = nextRequest(this.#state);
    try {
      if (request.kind === 'watch') return await this.#watch(request.resourceVersion, signal);
      const { client, type } = this.#options;
      const token = request.continue === undefined ? {} : { continue: request.continue };
      const page = await client.list(type, { ...this.#selection(), limit: PAGE, ...token, signal });
      return { kind: 'page', ...page, items: page.items.map(this.#transform) };
    } catch (error) {
      if (!signal.aborted) this.#report(error, request.kind);
      return { kind: error instanceof KubeError && error.isExpired ? 'expired' : 'failed' };
    }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<WatcherInput<T>> {
    const { client, type } = this.#options;
    const begun = this.#clock.now();
    // Watches that all began at one restart should not all end together.
    const watchSeconds = Math.round(WATCH_SECONDS * (0.9 + 0.1 * this.#random()));
    let events = 0;
    for await (const event of client.watch(type, { ...this.#selection(), resourceVersion, watchSeconds }, signal)) {
      if (signal.aborted) break;
      if (event.type === 'ERROR') throw event.error;
      events += 1;
      this.#take(inputOf(event, this.#transform));
    }
    const short = events === 0 && this.#clock.now() - begun < SHORT_WATCH_MILLISECONDS;
    return { kind: short ? 'failed' : 'closed' };
  }

  #selection(): { namespace?: string; labelSelector?: string; fieldSelector?: string } {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }

  #take(input: WatcherInput<T>): void {
    const { state, output } = advance(this.#state, input);
    this.#state = state;
    if (input.kind !== 'failed' && input.kind !== 'expired') this.#lastEventAt = this.#clock.now();
    if (output !== undefined) this.#publish(output);
  }

  #publish(output: WatcherOutput<T>): void {
    const initial = !this.#hasSynced;
    for (const change of changesOf(this.store, output)) {
      for (const handler of this.#handlers) this.#call(handler, { ...change, initial });
    }
    if (output.kind === 'replaceAll' && initial) {
      this.#hasSynced = true;
      this.#log.info({ objects: this.store.size }, 'cache is complete');
      this.#synced.resolve();
    }
  }

  #call(handler: ChangeHandler<T>, change: Change<T>): void {
    const failed = (error: unknown): void => this.#log.error({ err: error }, 'a change handler failed');
    try {
      // An async function is a handler to the compiler; its rejection would end the process.
      const result: unknown = handler(change);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const { after, delay } = streamFailed(this.#backoff, this.#clock.now(), this.#random);
    this.#backoff = after;
    await this.#clock.sleep(delay, signal);
  }

  #report(error: unknown, verb: 'list' | 'watch'): void {
    const { group, plural } = this.type;
    const forbidden = error instanceof KubeError && error.isForbidden;
    if (forbidden) this.#log.warn({ verb, group, plural }, 'not allowed: the role probably lacks this verb');
    else this.#log.warn({ err: error, verb }, 'list or watch broke off');
  }

  #ageMetric(): () => void {
    const definition = {
      name: 'kube_informer_last_event_age_seconds',
      help: 'Time since the server last told anything (event, bookmark, page or end of watch) about a resource.',
      labelNames: ['group', 'resource'] as const,
    };
    const labels = { group: apiVersionOf(this.type), resource: this.type.plural };
    return sampledGauge(this.#options.metrics ?? privateRegistry(), definition, (metric) => {
      if (this.#lastEventAt !== undefined) metric.set(labels, (this.#clock.now() - this.#lastEventAt) / 1000);
    });
  }
}

function changesOf<T extends KubeObject>(store: Store<T>, output: WatcherOutput<T>): Change<T>[] {
  switch (output.kind) {
    case 'replaceAll':
      return store.replaceAll(output.objects);
    case 'apply':
      return store.apply(output.object);
    case 'delete':
      return store.remove(output.object);
  }
}

function inputOf<T extends KubeObject>(
  event: Exclude<WatchEvent<T>, { type: 'ERROR' }>,
  transform: (object: T) => T,
): WatcherInput<T> {
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
      return { kind: 'applied', object: transform(event.object) };
    case 'DELETED':
      return { kind: 'deleted', object: transform(event.object) };
    case 'BOOKMARK':
      return { kind: 'bookmark', resourceVersion: event.resourceVersion };
  }
}

function withoutManagedFields<T extends KubeObject>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}
