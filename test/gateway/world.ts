import assert from 'node:assert/strict';
import { DOMAIN_LIBRARY, type DomainLibrary, type QdrantCluster, type VectorizationJob } from '../../src/api/index.ts';
import {
  BY_LIBRARY,
  BY_NAME,
  byPublicName,
  byTargetLibrary,
  createGateway,
  type Gateway,
  type GatewayOptions,
  SKETCH_LIMITS,
} from '../../src/gateway/index.ts';
import {
  type KubeClient,
  type KubeObject,
  keyText,
  type ResourceType,
  resourceType,
  Store,
} from '../../src/kube/index.ts';
import { createRegistry, silentLogger } from '../../src/telemetry/index.ts';

export const NAMESPACE = 'team';
export const KEY = 'a-key-of-the-cluster';
const LIBRARIES = resourceType<DomainLibrary>(DOMAIN_LIBRARY);

type Changes = { readonly spec?: Partial<DomainLibrary['spec']>; readonly status?: Partial<DomainLibrary['status']> };

/** The Kubernetes that gateways read: objects are what was put last; caches are what was shown last. */
export class World {
  readonly objects = new Map<string, KubeObject>();
  readonly #gateways: Gateway[] = [];
  readonly #stores: Store<DomainLibrary>[] = [];
  readonly clusters = new Store<QdrantCluster>();
  readonly jobs = new Store<VectorizationJob>({ [BY_LIBRARY]: byTargetLibrary });
  /** Secrets and libraries that were asked for, in order. */
  readonly asked: string[] = [];
  #version = 0;

  putCluster(name: string, url: string, more: Partial<QdrantCluster> = {}): void {
    const cluster = {
      apiVersion: 'qdrant-librarian.io/v1alpha1',
      kind: 'QdrantCluster',
      metadata: this.#metadata(name, NAMESPACE),
      spec: { external: { url, apiKeySecretRef: { name: `${name}-key` } } },
      status: { version: '1.18.3', endpoints: { rest: url } },
      ...more,
    } as QdrantCluster;
    this.clusters.apply(cluster);
    this.putSecret(`${name}-key`, { 'api-key': KEY });
  }

  putSecret(name: string, values: Readonly<Record<string, string>>, namespace = NAMESPACE): void {
    const data = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    const metadata = this.#metadata(name, namespace);
    this.objects.set(`secrets/${namespace}/${name}`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      data,
    } as KubeObject);
  }

  /** A library on a cluster, its binding included; shown to all caches. */
  putLibrary(
    name: string,
    {
      cluster,
      url,
      key = KEY,
      namespace = NAMESPACE,
    }: { cluster: string; url: string; key?: string; namespace?: string },
    changes: Changes = {},
  ): DomainLibrary {
    const library = {
      apiVersion: 'qdrant-librarian.io/v1alpha1',
      kind: 'DomainLibrary',
      metadata: this.#metadata(name, namespace),
      spec: { domain: name, placement: { clusterRef: { name: cluster } }, ...changes.spec },
      status: {
        cluster,
        generation: 1,
        collection: `${name}--g1`,
        binding: { name: `${name}-binding` },
        ...changes.status,
      },
    } as DomainLibrary;
    this.objects.set(`domainlibraries/${namespace}/${name}`, library);
    this.putSecret(`${name}-binding`, { uri: url, collection: name, 'api-key': key }, namespace);
    this.show(library);
    return library;
  }

  /** Lets all caches see a library as it is, or as it is given. */
  show(library: DomainLibrary): void {
    for (const store of this.#stores) store.apply(library);
  }

  /** Lets one gateway's cache see it, in the order in which gateways were made. */
  showTo(gateway: number, library: DomainLibrary): void {
    this.#stores[gateway]?.apply(library);
  }

  seenBy(gateway: number, name: string): DomainLibrary | undefined {
    return this.#stores[gateway]?.get({ namespace: NAMESPACE, name });
  }

  library(name: string): DomainLibrary {
    return this.objects.get(`domainlibraries/${NAMESPACE}/${name}`) as DomainLibrary;
  }

  /** Changes a library on the server; caches see it when it is shown. */
  change(name: string, status: Partial<DomainLibrary['status']>): DomainLibrary {
    const key = `domainlibraries/${NAMESPACE}/${name}`;
    const before = this.objects.get(key) as DomainLibrary;
    this.#version += 1;
    const metadata = { ...before.metadata, resourceVersion: String(this.#version) };
    const after = { ...before, metadata, status: { ...before.status, ...status } } as DomainLibrary;
    this.objects.set(key, after);
    return after;
  }

  #metadata(name: string, namespace: string) {
    this.#version += 1;
    return { name, namespace, uid: `uid-of-${namespace}-${name}`, resourceVersion: String(this.#version) };
  }

  /** A gateway with a cache of its own; resolves with its base URL. */
  async gateway(options: Partial<GatewayOptions> = {}): Promise<string> {
    const libraries = new Store<DomainLibrary>({ [BY_NAME]: byPublicName });
    for (const object of this.objects.values()) {
      if (object.kind === 'DomainLibrary') libraries.apply(object as DomainLibrary);
    }
    this.#stores.push(libraries);
    const gateway = createGateway({
      client: this.#client(),
      libraryType: LIBRARIES,
      stores: { libraries, clusters: this.clusters, jobs: this.jobs },
      embed: async () => assert.fail('nothing is to be embedded'),
      sketches: { ...SKETCH_LIMITS, restMilliseconds: 0 },
      defaultNamespace: NAMESPACE,
      bodies: { largest: 32 << 20, kept: 1 << 20, keptInAll: 16 << 20 },
      patience: { hold: 30_000, retry: 5000, read: 10_000, write: 30_000 },
      most: { reads: 100, writes: 100, searches: 10 },
      unready: () => undefined,
      metrics: createRegistry('0'),
      log: silentLogger,
      ...options,
    });
    this.#gateways.push(gateway);
    const port = await gateway.listen({ host: '127.0.0.1', port: 0 });
    return `http://127.0.0.1:${port}`;
  }

  /** The gateway that was made last. */
  get last(): Gateway {
    const gateway = this.#gateways.at(-1);
    if (gateway === undefined) throw new Error('there is no gateway');
    return gateway;
  }

  #client(): Pick<KubeClient, 'find'> {
    return {
      find: async <T extends KubeObject>(type: ResourceType<T>, key: { namespace: string; name: string }) => {
        this.asked.push(`${type.plural}/${keyText(key)}`);
        return this.objects.get(`${type.plural}/${keyText(key)}`) as T | undefined;
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway.close(500)));
  }
}

export type Answer = {
  readonly status: number;
  readonly text: string;
  readonly body: unknown;
  readonly headers: Headers;
};

/** One request to a gateway. */
export async function call(
  url: string,
  {
    method = 'GET',
    body,
    key = KEY,
    headers = {},
  }: { method?: string; body?: unknown; key?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(key === '' ? {} : { 'api-key': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: answer.status, text, body: parsed, headers: answer.headers };
}

export const codeOf = ({ body }: Answer): unknown =>
  (body as { status?: { code?: unknown } } | undefined)?.status?.code;
