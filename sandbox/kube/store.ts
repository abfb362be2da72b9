import { type ApiObject, keyOf, storeKey } from './objects.ts';
import { expired } from './status.ts';

export type Change = {
  readonly revision: number;
  readonly kind: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** Storage type, `group/plural`. */
  readonly type: string;
  /** The object after the change; for DELETED the last state, carrying the revision of the deletion. */
  readonly object: ApiObject;
  readonly previous: ApiObject | undefined;
};

type Listener = (change: Change) => void;

const byKey = (a: ApiObject, b: ApiObject): number => (keyOf(a) < keyOf(b) ? -1 : 1);

/**
 * Objects in memory under one global revision, with the last changes kept for watches and for reading the past.
 * Stored objects are never changed in place.
 */
export class Store {
  readonly #objects = new Map<string, Map<string, ApiObject>>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #historyLimit: number;
  #history: Change[] = [];
  #revision = 1;
  #compacted = 0;

  constructor(options: { historyLimit: number }) {
    this.#historyLimit = options.historyLimit;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Changes up to this revision can no longer be told. */
  get compactedRevision(): number {
    return this.#compacted;
  }

  get types(): string[] {
    return [...this.#objects.keys()];
  }

  get(type: string, namespace: string, name: string): ApiObject | undefined {
    return this.#objects.get(type)?.get(storeKey(namespace, name));
  }

  /** All objects of a type in no order. */
  values(type: string): Iterable<ApiObject> {
    return this.#objects.get(type)?.values() ?? [];
  }

  /** All objects of a type ordered by namespace and name; `namespace` undefined = of all. */
  list(type: string, namespace?: string): ApiObject[] {
    return this.#select(this.#objects.get(type)?.values() ?? [], namespace);
  }

  /**
   * The objects as they were at a revision.
   *
   * @throws StatusError 410 when that revision is compacted
   */
  listAt(type: string, revision: number, namespace?: string): ApiObject[] {
    if (revision < this.#compacted)
      throw expired(`The provided resource version is too old: ${revision} (${this.#compacted})`);
    const objects = new Map(this.#objects.get(type));
    for (const change of this.#history.slice(this.#indexAfter(revision)).reverse()) {
      if (change.type !== type) continue;
      if (change.previous === undefined) objects.delete(keyOf(change.object));
      else objects.set(keyOf(change.object), change.previous);
    }
    return this.#select(objects.values(), namespace);
  }

  #select(objects: Iterable<ApiObject>, namespace: string | undefined): ApiObject[] {
    const all = [...objects];
    return (namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace)).sort(
      byKey,
    );
  }

  /** Stores a new or changed object under the next revision and returns it as stored. */
  put(type: string, object: ApiObject): ApiObject {
    const objects = this.#objects.get(type) ?? new Map<string, ApiObject>();
    this.#objects.set(type, objects);
    const previous = objects.get(keyOf(object));
    const stored = this.#stamped(object);
    objects.set(keyOf(stored), stored);
    this.#record({ kind: previous === undefined ? 'ADDED' : 'MODIFIED', type, object: stored, previous });
    return stored;
  }

  remove(type: string, object: ApiObject): ApiObject {
    const previous = this.#objects.get(type)?.get(keyOf(object));
    this.#objects.get(type)?.delete(keyOf(object));
    const stored = this.#stamped(object);
    this.#record({ kind: 'DELETED', type, object: stored, previous });
    return stored;
  }

  #stamped(object: ApiObject): ApiObject {
    this.#revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
  }

  #record(change: Omit<Change, 'revision'>): void {
    const entry = { ...change, revision: this.#revision };
    this.#history.push(entry);
    // Cut in batches: shifting one by one would move the whole history at each write.
    if (this.#history.length > this.#historyLimit * 1.25) this.#cut(this.#history.length - this.#historyLimit);
    for (const listener of this.#listeners.get(change.type) ?? []) listener(entry);
  }

  #cut(count: number): void {
    this.#compacted = this.#history[count - 1]?.revision ?? this.#compacted;
    this.#history = this.#history.slice(count);
  }

  /** Forgets all past changes: older watches and continue tokens get 410. */
  compact(): void {
    this.#history = [];
    this.#compacted = this.#revision;
  }

  /** The kept changes of a type after a revision; undefined when that revision is compacted. */
  changesAfter(type: string, revision: number): Change[] | undefined {
    if (revision < this.#compacted) return undefined;
    return this.#history.slice(this.#indexAfter(revision)).filter((change) => change.type === type);
  }

  #indexAfter(revision: number): number {
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#history[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Calls `listener` at each change of a type; the returned function ends it. */
  subscribe(type: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }
}
