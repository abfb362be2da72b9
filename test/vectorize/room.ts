import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { installDefinitions } from '../../sandbox/install.ts';
import { type ApiServer, type AuditEntry, startApiServer } from '../../sandbox/kube/index.ts';
import { API_VERSION, type VectorizationJob } from '../../src/api/index.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  type ClusterRole,
  type ClusterRoleBinding,
  CONFIG_MAPS,
  type ConfigMap,
  Informer,
  JOBS,
  KubeClient,
  type KubeObject,
  type Occurrence,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  policyRules,
  type ResourceType,
  SECRETS,
  type Secret,
  staticConnection,
} from '../../src/kube/index.ts';
import { ClientPool } from '../../src/qdrant/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import type { VectorizeConfig } from '../../src/vectorize/config.ts';
import {
  DOMAIN_LIBRARIES,
  QDRANT_CLUSTERS,
  VECTORIZATION_JOBS,
  type VectorizeInformers,
} from '../../src/vectorize/deps.ts';
import { VECTORIZE_RULES, vectorizeController } from '../../src/vectorize/index.ts';
import { newVectorizeProgress, VECTORIZE_PROGRESS_KEY, type VectorizeProgress } from '../../src/vectorize/progress.ts';

export const NAMESPACE = 'default';
export const CANARY = 'canary-5d1e77-secret-key';
const OPERATOR = 'system:serviceaccount:system:operator';
const OLD = '2026-01-01T00:00:00Z';

/** What a worker says in the end, made from what it was told. */
export type Worker = (config: VectorizeConfig) => Partial<VectorizeProgress>;

/**
 * The vectorize room's controller, with no more rights than VECTORIZE_RULES give, against an API server, a collection
 * that can be asked for its vectors, and workers that say what the test wants.
 */
export class Room {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  readonly events: Occurrence[] = [];
  readonly logged: string[] = [];
  readonly configs: VectorizeConfig[] = [];
  metrics = new Registry();
  worker: Worker = () => ({ result: { result: 'Succeeded', finishedAt: Date.now() } });
  readonly #operator: KubeClient;
  readonly #informers: VectorizeInformers;
  readonly #pool = new ClientPool();
  readonly #qdrant: Server;
  readonly #writes: AuditEntry[] = [];
  readonly #stopping = new AbortController();
  readonly #tasks: Promise<unknown>[] = [];
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  static async start(): Promise<Room> {
    const server = await startApiServer({ tls: false, allocateClusterIP: () => '10.0.0.1' });
    const qdrant = createServer((_request, response) => {
      const result = { config: { params: { vectors: { size: 3, distance: 'Cosine' } } } };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ result, status: 'ok' }));
    });
    qdrant.listen(0, '127.0.0.1');
    await once(qdrant, 'listening');
    const room = new Room(server, qdrant);
    await installDefinitions(room.admin);
    await room.#grant();
    const informers = Object.values(room.#informers) as Informer<KubeObject>[];
    room.#tasks.push(...informers.map((informer) => informer.start(room.#stopping.signal)));
    await Promise.all(informers.map((informer) => informer.whenSynced()));
    room.#tasks.push(room.#runJobs());
    return room;
  }

  private constructor(server: ApiServer, qdrant: Server) {
    this.server = server;
    this.#qdrant = qdrant;
    this.admin = this.#client('system:admin');
    this.#operator = this.#client(OPERATOR);
    server.audit.onRequest((entry) => {
      if (entry.user === OPERATOR && !['get', 'list', 'watch'].includes(entry.verb)) this.#writes.push(entry);
    });
    const informer = <T extends KubeObject>(type: ResourceType<T>) => new Informer<T>({ client: this.#operator, type });
    this.#informers = {
      vectorizationJobs: informer(VECTORIZATION_JOBS),
      libraries: informer(DOMAIN_LIBRARIES),
      clusters: informer(QDRANT_CLUSTERS),
      secrets: informer(SECRETS),
      configMaps: informer(CONFIG_MAPS),
      claims: informer(PERSISTENT_VOLUME_CLAIMS),
      jobs: informer(JOBS),
      pods: informer(PODS),
    };
  }

  startOperator(): void {
    const stop = new AbortController();
    this.metrics = new Registry();
    const controller = vectorizeController({
      kube: this.#operator,
      informers: this.#informers,
      pool: this.#pool,
      recorder: { record: (_object, event) => void this.events.push(event) },
      metrics: this.metrics,
      log: createLogger('debug', { write: (line: string) => void this.logged.push(line) }),
      settings: {
        resyncSeconds: 0.2,
        busySeconds: 0.05,
        workerImage: 'qdrant-librarian:test',
        againSeconds: 1,
        restSeconds: 0.3,
      },
      now: Date.now,
    });
    this.#running = { stop, ended: controller.start(stop.signal) };
  }

  async stopOperator(): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.ended;
    this.#running = undefined;
  }

  async stop(): Promise<void> {
    await this.stopOperator();
    this.#stopping.abort();
    await Promise.allSettled(this.#tasks);
    await this.#pool.close();
    await Promise.all([this.admin.close(), this.#operator.close()]);
    this.#qdrant.close();
    await this.server.stop();
  }

  /** A cluster, and a library on it as its controller leaves it. */
  async createLibrary(name = 'docs'): Promise<void> {
    const url = `http://127.0.0.1:${(this.#qdrant.address() as AddressInfo).port}`;
    const metadata = (of: string) => ({ name: of, namespace: NAMESPACE });
    await this.putSecret('main-key', { 'api-key': CANARY });
    await this.putSecret(`${name}-binding`, { uri: url, collection: name, 'api-key': CANARY });
    const external = { url, apiKeySecretRef: { name: 'main-key', key: 'api-key' } };
    await this.admin.create(QDRANT_CLUSTERS, {
      apiVersion: API_VERSION,
      kind: 'QdrantCluster',
      metadata: metadata('main'),
      spec: { external },
    });
    await this.admin.create(DOMAIN_LIBRARIES, {
      apiVersion: API_VERSION,
      kind: 'DomainLibrary',
      metadata: metadata(name),
      spec: {
        domain: name,
        placement: { clusterRef: { name: 'main' } },
        vectors: [{ name: '', size: 3, distance: 'Cosine' }],
      },
    });
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: OLD }];
    const status = { conditions, cluster: 'main', binding: { name: `${name}-binding` } };
    const key = { namespace: NAMESPACE, name };
    await this.admin.patch(DOMAIN_LIBRARIES, key, { status }, { type: 'merge', subresource: 'status' });
  }

  async putSecret(name: string, values: Readonly<Record<string, string>>): Promise<void> {
    const data = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, data } as Secret;
    await this.admin.delete(SECRETS, { namespace: NAMESPACE, name });
    await this.admin.create(SECRETS, secret);
  }

  async putPages(data: Readonly<Record<string, string>>): Promise<void> {
    const map: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'pages', namespace: NAMESPACE },
      data,
    };
    await this.admin.create(CONFIG_MAPS, map);
  }

  async createJob(spec: Partial<VectorizationJob['spec']> = {}): Promise<void> {
    await this.admin.create(VECTORIZATION_JOBS, {
      apiVersion: API_VERSION,
      kind: 'VectorizationJob',
      metadata: { name: 'handbook', namespace: NAMESPACE },
      spec: {
        source: { configMap: { name: 'pages' } },
        embedder: { protocol: 'Ollama', url: 'http://ollama:11434', model: 'nomic', dimensions: 3 },
        target: { libraryRef: { name: 'docs' } },
        ...spec,
      },
    });
  }

  job(): Promise<VectorizationJob> {
    return this.admin.get(VECTORIZATION_JOBS, { namespace: NAMESPACE, name: 'handbook' });
  }

  async change(body: unknown): Promise<void> {
    await this.admin.patch(VECTORIZATION_JOBS, { namespace: NAMESPACE, name: 'handbook' }, body, { type: 'merge' });
  }

  async condition(type: string): Promise<string | undefined> {
    const found = (await this.job()).status?.conditions?.find((condition) => condition.type === type);
    return found === undefined ? undefined : `${found.status} ${found.reason}`;
  }

  async until(holds: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end) {
      if (await holds()) return;
      await sleep(20);
    }
    const { status } = await this.job().catch(() => ({ status: 'no job' }));
    assert.fail(`not within ${seconds} s: ${JSON.stringify(status, null, 1)}\n${this.logged.slice(-10).join('')}`);
  }

  /** Writes of the operator since it was asked last, as `verb resource name`. */
  writes(): string[] {
    return this.#writes.splice(0).map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
  }

  forbidden(): number {
    return this.server.audit.count({ user: OPERATOR, code: 403 });
  }

  async everythingSaid(): Promise<string> {
    const objects = Object.entries(this.server.snapshot()).filter(
      ([type]) => !type.endsWith('/secrets') && type !== 'secrets',
    );
    return JSON.stringify(objects) + this.logged.join('') + JSON.stringify(this.events);
  }

  #client(user: string): KubeClient {
    return new KubeClient({
      config: staticConnection({ server: this.server.url, token: this.server.tokenFor(user) }),
      maxRetries: 0,
    });
  }

  async #grant(): Promise<void> {
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'operator' } };
    await this.admin.create(CLUSTER_ROLES, {
      ...rbac,
      kind: 'ClusterRole',
      rules: policyRules(VECTORIZE_RULES),
    } as unknown as ClusterRole);
    await this.admin.create(CLUSTER_ROLE_BINDINGS, {
      ...rbac,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'operator' },
      subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: 'system' }],
    } as ClusterRoleBinding);
  }

  /** What the Job controller and a worker would do. */
  async #runJobs(): Promise<void> {
    const seen = new Set<string>();
    while (!this.#stopping.signal.aborted) {
      for (const { metadata, spec } of await this.admin.listAll(JOBS, { namespace: NAMESPACE })) {
        const { name, uid = '', finalizers = [] } = metadata;
        const key = { namespace: NAMESPACE, name };
        if (metadata.deletionTimestamp !== undefined && finalizers.length > 0) {
          await this.admin.patch(JOBS, key, { metadata: { finalizers: null } }, { type: 'merge' });
        }
        if (metadata.deletionTimestamp !== undefined || seen.has(uid)) continue;
        seen.add(uid);
        const pod = spec?.template.spec;
        await this.#work(pod?.volumes?.[0]?.configMap?.name ?? '', pod?.serviceAccountName ?? '');
        const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime: new Date().toISOString() }];
        await this.admin.patch(JOBS, key, { status: { conditions } }, { type: 'merge', subresource: 'status' });
      }
      await sleep(20);
    }
  }

  async #work(config: string, account: string): Promise<void> {
    const map = await this.admin.get(CONFIG_MAPS, { namespace: NAMESPACE, name: config });
    const told = JSON.parse(map.data?.['config.json'] ?? '') as VectorizeConfig;
    this.configs.push(told);
    const kube = this.#client(`system:serviceaccount:${NAMESPACE}:${account}`);
    const holder = { id: 'w', pod: 'p', beat: 1, released: true };
    const said = { ...newVectorizeProgress(told.run, holder, Date.now()), ...this.worker(told) };
    const data = { [VECTORIZE_PROGRESS_KEY]: JSON.stringify(said) };
    const { namespace, name } = told.progress;
    await kube.patch(CONFIG_MAPS, { namespace, name }, { data }, { type: 'merge' });
    await kube.close();
  }
}
