import { type DomainLibrary, publicName } from '../api/index.ts';
import { keyOf, type ObjectKey, type Store } from '../kube/index.ts';

/** What the gateway knows of a library. */
export type Library = {
  readonly key: ObjectKey;
  readonly uid: string;
  /** Public name: the alias in Qdrant. */
  readonly collection: string;
  readonly domain: string;
  /** Further aliases. */
  readonly aliases: readonly string[];
  /** Cluster on which it lives, and the other one while it moves. */
  readonly cluster: string | undefined;
  readonly otherCluster: string | undefined;
  /** Clusters besides its own that hold a generation of it: it left them, or is going there. */
  readonly formerClusters: readonly string[];
  readonly generation: number | undefined;
  /** Physical collection. */
  readonly physical: string | undefined;
  /** Name of the binding Secret. */
  readonly binding: string | undefined;
  /** Step of the change that is under way. */
  readonly step: string | undefined;
  /** Longest time for which that change holds writes back. */
  readonly maxFreezeSeconds: number | undefined;
};

/** Steps in which writes are held back, or were until just now. */
const FENCED_STEPS: readonly string[] = ['Fenced', 'Verified', 'Switched'];

export const fencedByMap = ({ step }: Library): boolean => step !== undefined && FENCED_STEPS.includes(step);

export function libraryOf(object: DomainLibrary): Library {
  const { metadata, spec, status } = object;
  const change = status?.change;
  const cluster = status?.cluster;
  // A move between clusters names both; a change of generation on one cluster neither.
  const other = [change?.toCluster, change?.fromCluster].find((name) => name !== undefined && name !== cluster);
  return {
    key: keyOf(object),
    uid: metadata.uid ?? '',
    collection: publicName(object),
    domain: spec.domain,
    aliases: spec.aliases ?? [],
    cluster,
    otherCluster: other,
    formerClusters: formerOf(status, cluster),
    generation: status?.generation,
    physical: status?.collection,
    binding: status?.binding?.name,
    step: change?.step,
    maxFreezeSeconds: change?.maxFreezeSeconds,
  };
}

function formerOf(status: DomainLibrary['status'], cluster: string | undefined): string[] {
  // One that is built onto what the library had left there stands in the place of the retired one: it goes back.
  const held = (status?.generations ?? []).filter(({ state }) => state === 'Retired' || state === 'Building');
  // While it moves the binding may already be that of the new place, and the status not.
  const leaving = status?.change?.fromCluster;
  return [
    ...new Set([
      ...held.map((one) => one.cluster).filter((name) => name !== cluster),
      ...(leaving === undefined ? [] : [leaving]),
    ]),
  ];
}

/** Index of a store of libraries: by namespace and every public name. */
export const BY_NAME = 'publicName';
export const byPublicName = (object: DomainLibrary): readonly string[] => {
  const { collection, aliases, key } = libraryOf(object);
  return [collection, ...aliases].map((name) => nameKey(key.namespace, name));
};
const nameKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/** The libraries as the cache has them, and as the server has them where somebody asked past the cache. */
export class Libraries {
  readonly #store: Store<DomainLibrary>;
  /** Read past the cache, by uid; counts while it is newer than the cache. */
  readonly #fresh = new Map<string, { readonly object: DomainLibrary; readonly at: number }>();
  readonly #now: () => number;

  constructor(store: Store<DomainLibrary>, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Those that bear the name; most often one. */
  named(namespace: string, name: string): Library[] {
    return this.#store.byIndex(BY_NAME, nameKey(namespace, name)).map((object) => this.#newest(object));
  }

  within(namespace: string): Library[] {
    return this.#store.list(namespace).map((object) => this.#newest(object));
  }

  all(): Library[] {
    return this.#store.list().map((object) => this.#newest(object));
  }

  /** The same library as it is known now; undefined once it is gone. */
  current({ key }: Library): Library | undefined {
    const object = this.#store.get(key);
    return object === undefined ? undefined : this.#newest(object);
  }

  /** Takes in what was read past the cache. */
  learn(object: DomainLibrary): void {
    this.#fresh.set(object.metadata.uid ?? '', { object, at: this.#now() });
  }

  #newest(object: DomainLibrary): Library {
    const uid = object.metadata.uid ?? '';
    const fresh = this.#fresh.get(uid);
    if (fresh === undefined) return libraryOf(object);
    const cached = Number(object.metadata.resourceVersion);
    const read = Number(fresh.object.metadata.resourceVersion);
    // Where versions can't be compared, what was read last counts for as long as a watch may be behind.
    const newer = Number.isFinite(cached) && Number.isFinite(read) ? read > cached : this.#now() - fresh.at < FRESH;
    if (newer) return libraryOf(fresh.object);
    this.#fresh.delete(uid);
    return libraryOf(object);
  }
}

const FRESH = 30_000;
