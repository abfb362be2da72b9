import { type Logger, silentLogger } from '../telemetry/index.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Informer } from './informer.ts';
import { atLeastVersion, type KubeObject, keyOf, keyText, type ObjectKey } from './objects.ts';

type Cache<T extends KubeObject> = Pick<Informer<T>, 'store' | 'resourceVersion' | 'type'>;
type Expectation = { readonly what: string; readonly since: number; readonly seen: () => boolean };

/** After this long a write that does not show is told of: whatever waits for it stands still. */
const LONG_SECONDS = 5;

/**
 * What a cache has not shown yet of what this process wrote. A controller that acts on a cache without its own last
 * write repeats the write: so it waits while anything is pending for the object it works on.
 * Source: cloud-on-k8s `common/expectations`.
 */
export class Expectations {
  readonly #byOwner = new Map<string, Expectation[]>();
  readonly #told = new WeakSet<Expectation>();
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #timeoutSeconds: number;

  /** @param options `timeoutSeconds`: a cache that shows nothing for so long is believed again, with a warning; 60 */
  constructor(
    options: { readonly log?: Logger; readonly clock?: Pick<Clock, 'now'>; readonly timeoutSeconds?: number } = {},
  ) {
    this.#log = options.log ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
    this.#timeoutSeconds = options.timeoutSeconds ?? 60;
  }

  /** Expect `cache` to show this version of the object, or a later one. Give it what the server answered. */
  wrote<T extends KubeObject>(owner: ObjectKey, cache: Cache<T>, written: T): void {
    const { uid, resourceVersion = '' } = written.metadata;
    this.#expect(owner, `${written.kind} ${keyText(keyOf(written))} at ${resourceVersion}`, () => {
      // The whole cache is past that version, also when the object itself is gone again.
      if (cache.resourceVersion !== undefined && atLeastVersion(cache.resourceVersion, resourceVersion)) return true;
      const cached = cache.store.get(keyOf(written))?.metadata;
      return cached?.uid === uid && atLeastVersion(cached?.resourceVersion ?? '', resourceVersion);
    });
  }

  /** Expect `cache` to lose the object with this uid. */
  deleted<T extends KubeObject>(owner: ObjectKey, cache: Cache<T>, object: T): void {
    const { uid } = object.metadata;
    this.#expect(owner, `${object.kind} ${keyText(keyOf(object))} deleted`, () => {
      return cache.store.get(keyOf(object))?.metadata.uid !== uid;
    });
  }

  /** What the caches have not shown yet; empty: go ahead. */
  pending(owner: ObjectKey): string[] {
    const id = keyText(owner);
    const rest = (this.#byOwner.get(id) ?? []).filter((expectation) => !this.#over(owner, expectation));
    if (rest.length === 0) this.#byOwner.delete(id);
    else this.#byOwner.set(id, rest);
    return rest.map(({ what }) => what);
  }

  /** The owner is gone, and what was expected for it too. */
  forget(owner: ObjectKey): void {
    this.#byOwner.delete(keyText(owner));
  }

  #expect(owner: ObjectKey, what: string, seen: () => boolean): void {
    const id = keyText(owner);
    const expectation = { what, since: this.#clock.now(), seen };
    this.#byOwner.set(id, [...(this.#byOwner.get(id) ?? []), expectation]);
  }

  #over(owner: ObjectKey, expectation: Expectation): boolean {
    const { what, since, seen } = expectation;
    if (seen()) return true;
    const waitedSeconds = (this.#clock.now() - since) / 1000;
    if (waitedSeconds < this.#timeoutSeconds) {
      if (waitedSeconds >= LONG_SECONDS && !this.#told.has(expectation)) {
        this.#told.add(expectation);
        this.#log.warn({ owner: keyText(owner), what, waitedSeconds }, 'the cache has long not shown a write');
      }
      return false;
    }
    this.#log.warn({ owner: keyText(owner), what, waitedSeconds }, 'the cache never showed a write; going on without');
    return true;
  }
}
