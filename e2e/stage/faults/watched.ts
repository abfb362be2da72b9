import { setTimeout as sleep } from 'node:timers/promises';
import { Informer, type KubeObject, type ResourceType } from '../../../src/kube/index.ts';
import type { Stage } from '../stage.ts';

type Look<T> = (object: T) => void;

/** The objects of a namespace as they change: no state that one shows is missed. */
export class Watched<T extends KubeObject> {
  readonly #informer: Informer<T>;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  readonly #looks = new Map<string, Set<Look<T>>>();

  constructor({ admin, namespace }: Stage, type: ResourceType<T>) {
    this.#informer = new Informer<T>({ client: admin, type, namespace });
    this.#informer.onChange(({ object }) => {
      for (const look of this.#looks.get(object.metadata.name) ?? []) look(object);
    });
    this.#running = this.#informer.start(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  now(name: string): T | undefined {
    return this.#informer.store.list().find(({ metadata }) => metadata.name === name);
  }

  /** Calls `look` at each change from now on. @returns what ends it */
  watch(name: string, look: Look<T>): () => void {
    const looks = this.#looks.get(name) ?? new Set();
    this.#looks.set(name, looks.add(look));
    return () => void looks.delete(look);
  }

  /** Until a change shows it, or the present holds it. */
  until(name: string, holds: (object: T) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (object: T): void => {
      if (holds(object)) resolve();
    };
    const unwatch = this.watch(name, look);
    const now = this.now(name);
    if (now !== undefined) look(now);
    return promise.finally(unwatch);
  }

  /** Until this state or a later one is shown: while nobody could write it down it may have been passed. */
  async reaches<S>(
    name: string,
    wanted: S,
    { order, shown }: { readonly order: readonly S[]; readonly shown: (object: T) => S | undefined },
  ): Promise<S> {
    let reached = wanted;
    await this.until(name, (object) => {
      const now = shown(object);
      if (now === undefined || order.indexOf(now) < order.indexOf(wanted)) return false;
      reached = now;
      return true;
    });
    return reached;
  }
}

/** @throws Error that says `what()` is the case when the time is over */
export async function inTime(seconds: number, waiting: Promise<unknown>, what: () => string): Promise<void> {
  const ending = new AbortController();
  const late = sleep(seconds * 1000, undefined, { signal: ending.signal }).then(
    () => Promise.reject(new Error(`not within ${seconds} s: ${what()}`)),
    () => undefined,
  );
  try {
    await Promise.race([waiting, late]);
  } finally {
    ending.abort();
  }
}
