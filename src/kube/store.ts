import { type KubeObject, keyOf, keyText, type ObjectKey } from './objects.ts';

/** One change of a cached object. `initial`: it was there when the first list was read. */
export type Change<T extends KubeObject> =
  | { readonly type: 'added'; readonly object: T; readonly initial: boolean }
  | { readonly type: 'updated'; readonly object: T; readonly old: T; readonly initial: boolean }
  | { readonly type: 'deleted'; readonly object: T; readonly initial: boolean };

/** The values under which an index finds an object; the same ones for as long as the object is the same. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Value of the index -> key of the object -> object. */
type Index<T> = Map<string, Map<string, T>>;

const byNamespace = ({ metadata }: KubeObject): string[] => [metadata.namespace ?? ''];

/** What an informer has seen, by key and by index. Its objects are shared: never change one. */
export class Store<T extends KubeObject> {
  readonly #named: Readonly<Record<string, IndexFunction<T>>>;
  readonly #indexes = new Map<IndexFunction<T>, Index<T>>();
  #objects = new Map<string, T>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#named = indexes;
    for (const values of Object.values(indexes)) this.#indexes.set(values, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyText(key));
  }

  /** Of all namespaces when none is given. */
  list(namespace?: string): T[] {
    return namespace === undefined ? [...this.#objects.values()] : this.by(byNamespace, namespace);
  }

  /** Throws a TypeError for an index that was not declared. */
  byIndex(name: string, value: string): T[] {
    const values = this.#named[name];
    if (values === undefined) throw new TypeError(`no index named ${name}`);
    return this.by(values, value);
  }

  /**
   * Objects that `values` puts under `value`. The first call with a function reads all objects once; from then on the
   * index is kept, so pass a function that lives as long as the store, never one made for the call.
   */
  by(values: IndexFunction<T>, value: string): T[] {
    const index = this.#indexes.get(values) ?? this.#newIndex(values);
    return [...(index.get(value)?.values() ?? [])];
  }

  /** Takes in one object that was created or changed; returns what that is to a cache that may have known it. */
  apply(object: T): Change<T>[] {
    const id = keyText(keyOf(object));
    const old = this.#objects.get(id);
    if (old !== undefined) this.#unindex(id, old);
    this.#objects.set(id, object);
    this.#index(id, object);
    return changesBetween(old, object);
  }

  remove(object: T): Change<T>[] {
    const id = keyText(keyOf(object));
    const old = this.#objects.get(id);
    if (old === undefined) return [];
    this.#unindex(id, old);
    this.#objects.delete(id);
    return [{ type: 'deleted', object, initial: false }];
  }

  /** Swaps the whole content at once; returns the differences, deletions first. */
  replaceAll(objects: readonly T[]): Change<T>[] {
    const before = this.#objects;
    this.#objects = new Map(objects.map((object) => [keyText(keyOf(object)), object]));
    for (const values of this.#indexes.keys()) this.#newIndex(values);
    const gone = [...before].filter(([id]) => !this.#objects.has(id));
    return [
      ...gone.map(([, object]): Change<T> => ({ type: 'deleted', object, initial: false })),
      ...[...this.#objects].flatMap(([id, object]) => changesBetween(before.get(id), object)),
    ];
  }

  #newIndex(values: IndexFunction<T>): Index<T> {
    const index: Index<T> = new Map();
    this.#indexes.set(values, index);
    for (const [id, object] of this.#objects) enter(index, values(object), [id, object]);
    return index;
  }

  #index(id: string, object: T): void {
    for (const [values, index] of this.#indexes) enter(index, values(object), [id, object]);
  }

  #unindex(id: string, object: T): void {
    for (const [values, index] of this.#indexes) {
      for (const value of values(object)) {
        const found = index.get(value);
        found?.delete(id);
        if (found?.size === 0) index.delete(value);
      }
    }
  }
}

function enter<T>(index: Index<T>, values: readonly string[], [id, object]: readonly [string, T]): void {
  for (const value of values) {
    const found = index.get(value) ?? new Map<string, T>();
    index.set(value, found.set(id, object));
  }
}

/** An object of the same name but another uid is another object: the old one was deleted unseen. */
function changesBetween<T extends KubeObject>(old: T | undefined, object: T): Change<T>[] {
  if (old === undefined) return [{ type: 'added', object, initial: false }];
  if (old.metadata.uid !== object.metadata.uid) {
    return [
      { type: 'deleted', object: old, initial: false },
      { type: 'added', object, initial: false },
    ];
  }
  const same = old.metadata.resourceVersion === object.metadata.resourceVersion && object.metadata.resourceVersion;
  return same ? [] : [{ type: 'updated', object, old, initial: false }];
}
