import type { QdrantCluster } from '../api/index.ts';
import type { Store } from '../kube/index.ts';
import { connectionOf, peerAddresses } from '../qdrant/index.ts';
import type { Library } from './libraries.ts';
import type { SecretCache, SecretData } from './secrets.ts';

/** Where requests of a library go. */
export type Place = {
  readonly cluster: string;
  /** The cluster's own address first, then its peers one by one. */
  readonly urls: readonly string[];
  readonly apiKey: string | undefined;
  readonly ca: string | undefined;
};

/** What a library's binding Secret says; undefined while there is none. */
export type Binding = {
  readonly uri: string;
  readonly collection: string;
  readonly apiKey: string | undefined;
  readonly ca: string | undefined;
};

export class Places {
  readonly #clusters: Store<QdrantCluster>;
  readonly #secrets: SecretCache;
  /** Cluster and generation for which a binding was read last, by the library's uid. */
  readonly #readFor = new Map<string, string>();

  constructor(clusters: Store<QdrantCluster>, secrets: SecretCache) {
    this.#clusters = clusters;
    this.#secrets = secrets;
  }

  /** @param again past the cache */
  async binding(library: Library, again = false): Promise<Binding | undefined> {
    if (library.binding === undefined) return undefined;
    const key = { namespace: library.key.namespace, name: library.binding };
    const wanted = `${library.cluster}/${library.generation}`;
    // A binding follows its library: one that was read before it moved leads to the old place.
    const moved = this.#readFor.get(library.uid) !== wanted;
    const data = await (again || moved ? this.#secrets.again(key) : this.#secrets.get(key));
    this.#readFor.set(library.uid, wanted);
    return data === undefined ? undefined : bindingOf(data);
  }

  /** Where the library is by its status. */
  async home(library: Library, binding: Binding): Promise<Place> {
    const { uri, apiKey, ca } = binding;
    const cluster = library.cluster ?? '';
    return { cluster, urls: [uri, ...this.#peers(library, cluster)], apiKey, ca };
  }

  /** The other cluster while it moves; undefined where it can't be reached. */
  async elsewhere(library: Library): Promise<Place | undefined> {
    const { otherCluster, key } = library;
    const object = otherCluster === undefined ? undefined : this.#cluster(key.namespace, otherCluster);
    if (object === undefined || otherCluster === undefined) return undefined;
    const connection = await this.#connection(object);
    if (connection === undefined) return undefined;
    const { apiKey, tls } = connection;
    const rest = object.status?.endpoints?.rest ?? object.spec.external?.url;
    const urls = [...(rest === undefined ? [] : [rest]), ...this.#peers(library, otherCluster)];
    return { cluster: otherCluster, urls, apiKey, ca: tls?.ca };
  }

  /** Keys of the clusters that hold a library: its own, and those that it left or goes to. */
  async keysOfHolders({ key, cluster: own, formerClusters }: Library): Promise<string[]> {
    const names = own === undefined ? formerClusters : [own, ...formerClusters];
    const found = names.map(async (name) => {
      const cluster = this.#cluster(key.namespace, name);
      return cluster === undefined ? undefined : (await this.#connection(cluster))?.apiKey;
    });
    return (await Promise.all(found)).filter((apiKey) => apiKey !== undefined);
  }

  #cluster = (namespace: string, name: string): QdrantCluster | undefined => this.#clusters.get({ namespace, name });

  /** Peers that the operator saw Ready: only they may take what the Service would not bring them. */
  #peers(library: Library, cluster: string): string[] {
    const object = this.#cluster(library.key.namespace, cluster);
    if (object === undefined || object.spec.external !== undefined) return [];
    const ready = new Set(
      (object.status?.peers ?? []).filter(({ state }) => state === 'Ready').map(({ name }) => name),
    );
    return (peerAddresses(object) ?? []).filter(({ name }) => ready.has(name)).map(({ rest }) => rest);
  }

  async #connection(cluster: QdrantCluster) {
    const known = new Map<string, SecretData | undefined>();
    for (;;) {
      const asked: string[] = [];
      const result = connectionOf(cluster, (name) => {
        if (!known.has(name)) asked.push(name);
        return known.get(name);
      });
      if (asked.length === 0) return result.ok ? result.connection : undefined;
      const namespace = cluster.metadata.namespace ?? '';
      for (const name of asked) known.set(name, await this.#secrets.get({ namespace, name }));
    }
  }
}

function bindingOf(data: SecretData): Binding | undefined {
  const { uri, collection } = data;
  if (uri === undefined || collection === undefined) return undefined;
  return { uri, collection, apiKey: data['api-key'], ca: data['ca.crt'] };
}
