import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { installDefinitions } from '../../sandbox/install.ts';
import { type ApiServer, type AuditEntry, startApiServer } from '../../sandbox/kube/index.ts';
import { type Node, startNode } from '../../sandbox/qdrant/node.ts';
import { readSettings } from '../../sandbox/qdrant/settings.ts';
import {
  API_VERSION,
  type DomainLibrary,
  type DomainLibrarySpec,
  type QdrantCluster,
  REBALANCE_POLICY,
  type RebalancePolicy,
} from '../../src/api/index.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  type ClusterRole,
  type ClusterRoleBinding,
  CONFIG_MAPS,
  type Controller,
  Informer,
  JOBS,
  type Job,
  KubeClient,
  type KubeObject,
  type Occurrence,
  policyRules,
  type ResourceType,
  resourceType,
  SECRETS,
  type Secret,
  staticConnection,
} from '../../src/kube/index.ts';
import { discoveryStore, runDiscoveryWorker } from '../../src/library/discovery/worker.ts';
import {
  DOMAIN_LIBRARIES,
  LIBRARY_RULES,
  type LibraryControllerSettings,
  libraryController,
  QDRANT_CLUSTERS,
} from '../../src/library/index.ts';
import { runSnapshotWorker, taskStore } from '../../src/library/snapshots/worker.ts';
import { COPY_PROGRESS, configMapProgress } from '../../src/migration/progress-store.ts';
import { reverseStore, runReverseWorker } from '../../src/migration/reverse-worker.ts';
import { runCopyWorker } from '../../src/migration/worker.ts';
import { ClientPool, ClusterClient } from '../../src/qdrant/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';

export const NAMESPACE = 'default';
export const CANARY = 'canary-7f3d1c9b-secret-key';
/** The key of every further Qdrant. */
export const OTHER_CANARY = 'canary-5b2e8a07-other-key';
export const POLICIES = resourceType<RebalancePolicy>(REBALANCE_POLICY);
const OPERATOR = 'system:serviceaccount:system:operator';
const KEY = { namespace: NAMESPACE, name: 'docs' };

/**
 * The library room whole: its controller, with no more rights than LIBRARY_RULES give, against an API server, one
 * embedded Qdrant behind a key, and real copy workers with no more rights than their own Role gives.
 */
export class Room {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  readonly qdrant: ClusterClient;
  readonly events: Occurrence[] = [];
  readonly logged: string[] = [];
  readonly metrics = new Registry();
  readonly url: string;
  settings: LibraryControllerSettings = {
    resyncSeconds: 0.2,
    busySeconds: 0.05,
    workerImage: 'qdrant-librarian:test',
    greenSeconds: 0,
    retireSeconds: 0,
  };
  /** Kills the next worker when it is asked to. */
  workerSignal = new AbortController();
  readonly #node: Node;
  readonly #directory: string;
  readonly #operator: KubeClient;
  readonly #pool = new ClientPool({ metrics: this.metrics });
  readonly #informers: ReturnType<typeof informersOf>;
  readonly #others: { node: Node; client: ClusterClient }[] = [];
  readonly #writes: AuditEntry[] = [];
  readonly #stopping = new AbortController();
  readonly #tasks: Promise<unknown>[] = [];
  readonly #workers = new Map<string, Promise<void>>();
  #controller:
    | { readonly controller: Controller<DomainLibrary>; readonly stop: AbortController; readonly ended: Promise<void> }
    | undefined;

  static async start(): Promise<Room> {
    const server = await startApiServer({ tls: false, allocateClusterIP: () => '10.0.0.1' });
    const directory = await mkdtemp(join(tmpdir(), 'library-room-'));
    const [http, grpc] = [await freePort(), await freePort()];
    const node = await startQdrant(join(directory, 'main'), { http, grpc, apiKey: CANARY });
    const room = new Room({ server, directory, node, url: `http://127.0.0.1:${http}` });
    await installDefinitions(room.admin);
    await room.#grant();
    const informers = Object.values(room.#informers) as Informer<KubeObject>[];
    room.#tasks.push(...informers.map((informer) => informer.start(room.#stopping.signal)));
    await Promise.all(informers.map((informer) => informer.whenSynced()));
    room.#tasks.push(room.#runJobs());
    return room;
  }

  private constructor(options: { server: ApiServer; directory: string; node: Node; url: string }) {
    const { server } = options;
    this.server = server;
    this.#directory = options.directory;
    this.#node = options.node;
    this.url = options.url;
    this.qdrant = new ClusterClient({ peers: [{ name: 'room', rest: options.url }], apiKey: CANARY });
    this.admin = this.#client('system:admin');
    this.#operator = this.#client(OPERATOR);
    server.audit.onRequest((entry) => {
      if (entry.user === OPERATOR && !['get', 'list', 'watch'].includes(entry.verb)) this.#writes.push(entry);
    });
    this.#informers = informersOf(this.#operator);
  }

  async stop(): Promise<void> {
    await this.stopOperator();
    this.#stopping.abort();
    this.workerSignal.abort();
    await Promise.allSettled([...this.#tasks, ...this.#workers.values()]);
    await this.#pool.close();
    await this.qdrant.close();
    await this.#node.stop();
    for (const { node, client } of this.#others) {
      await client.close();
      await node.stop();
    }
    await Promise.all([this.admin.close(), this.#operator.close()]);
    await this.server.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** One more Qdrant, with a key of its own, and the object that adopts it, ready. */
  async startOther(name: string, change: Partial<QdrantCluster['spec']> = {}): Promise<ClusterClient> {
    const [http, grpc] = [await freePort(), await freePort()];
    const url = `http://127.0.0.1:${http}`;
    const node = await startQdrant(join(this.#directory, name), { http, grpc, apiKey: OTHER_CANARY });
    const client = new ClusterClient({ peers: [{ name, rest: url }], apiKey: OTHER_CANARY });
    this.#others.push({ node, client });
    await this.putKey(OTHER_CANARY, `${name}-key`);
    await this.createCluster(name, {
      external: { url, apiKeySecretRef: { name: `${name}-key`, key: 'api-key' } },
      ...change,
    });
    return client;
  }

  startOperator(): void {
    const stop = new AbortController();
    const controller = libraryController({
      kube: this.#operator,
      informers: this.#informers,
      pool: this.#pool,
      recorder: { record: (_object, event) => void this.events.push(event) },
      metrics: new Registry(),
      log: createLogger('debug', { write: (line: string) => void this.logged.push(line) }),
      settings: this.settings,
      now: Date.now,
    });
    this.#controller = { controller, stop, ended: controller.start(stop.signal) };
  }

  /** Snapshots as they lie on the disks of all Qdrants, whatever these show. */
  async snapshotFiles(): Promise<string[]> {
    const files = await readdir(this.#directory, { recursive: true });
    return files.filter((path) => path.endsWith('.snapshot'));
  }

  async stopOperator(): Promise<void> {
    this.#controller?.stop.abort();
    await this.#controller?.ended;
    this.#controller = undefined;
  }

  /** The cluster object, ready, with its key in a Secret. */
  async createCluster(name = 'main', change: Partial<QdrantCluster['spec']> = {}): Promise<void> {
    const object = {
      apiVersion: API_VERSION,
      kind: 'QdrantCluster',
      metadata: { name, namespace: NAMESPACE },
      spec: { external: { url: this.url, apiKeySecretRef: { name: 'main-key', key: 'api-key' } }, ...change },
    } as QdrantCluster;
    await this.admin.create(QDRANT_CLUSTERS, object);
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const status = { conditions: [condition], endpoints: { rest: object.spec.external?.url ?? this.url } };
    await this.admin.patch(
      QDRANT_CLUSTERS,
      { namespace: NAMESPACE, name },
      { status },
      { type: 'merge', subresource: 'status' },
    );
  }

  async putKey(value: string, name = 'main-key'): Promise<void> {
    const data = { 'api-key': Buffer.from(value).toString('base64') };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, data } as Secret;
    await this.admin.delete(SECRETS, { namespace: NAMESPACE, name });
    await this.admin.create(SECRETS, secret);
  }

  async createLibrary(spec: Partial<DomainLibrarySpec> = {}, name = 'docs'): Promise<void> {
    const object = {
      apiVersion: API_VERSION,
      kind: 'DomainLibrary',
      metadata: { name, namespace: NAMESPACE },
      spec: {
        domain: 'documentation',
        placement: { clusterRef: { name: 'main' } },
        vectors: [{ name: '', size: 3, distance: 'Dot' }],
        ...spec,
      },
    } as DomainLibrary;
    await this.admin.create(DOMAIN_LIBRARIES, object);
  }

  async change(body: unknown, name = 'docs'): Promise<void> {
    await this.admin.patch(DOMAIN_LIBRARIES, { namespace: NAMESPACE, name }, body, { type: 'merge' });
  }

  library(name = 'docs'): Promise<DomainLibrary> {
    return this.admin.get(DOMAIN_LIBRARIES, { ...KEY, name });
  }

  async condition(type: string, name = 'docs'): Promise<string | undefined> {
    const found = (await this.library(name)).status?.conditions?.find((condition) => condition.type === type);
    return found === undefined ? undefined : `${found.status} ${found.reason}`;
  }

  async ready(name = 'docs'): Promise<void> {
    await this.until(async () => {
      const { status, metadata } = await this.library(name);
      const is = (type: string) => status?.conditions?.find((condition) => condition.type === type);
      return (
        is('Ready')?.status === 'True' &&
        is('Reconciling') === undefined &&
        status?.observedGeneration === metadata.generation
      );
    });
  }

  async until(holds: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end) {
      if (await holds()) return;
      await sleep(20);
    }
    const { status } = await this.library().catch(() => ({ status: 'no library' }));
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
      rules: policyRules(LIBRARY_RULES),
    } as unknown as ClusterRole);
    await this.admin.create(CLUSTER_ROLE_BINDINGS, {
      ...rbac,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'operator' },
      subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: 'system' }],
    } as ClusterRoleBinding);
  }

  /** What the Job controller, the scheduler and a kubelet would do. */
  async #runJobs(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      for (const job of await this.admin.listAll(JOBS, { namespace: NAMESPACE })) {
        const { name, uid = '', finalizers = [] } = job.metadata;
        const running = this.#workers.get(uid);
        if (job.metadata.deletionTimestamp !== undefined) {
          this.workerSignal.abort();
          await running;
          if (finalizers.length > 0)
            await this.admin.patch(
              JOBS,
              { namespace: NAMESPACE, name },
              { metadata: { finalizers: null } },
              { type: 'merge' },
            );
        } else if (running === undefined) {
          this.#workers.set(uid, this.#runJob(job));
        }
      }
      await sleep(20);
    }
  }

  /** What a kubelet would mount of Secrets, with the variables that name the directories. */
  async #mounted(job: Job, directory: string): Promise<Record<string, string>> {
    const pod = job.spec?.template.spec;
    const environment: Record<string, string> = {};
    for (const volume of pod?.volumes ?? []) {
      const path = pod?.containers[0]?.volumeMounts?.find((mount) => mount.name === volume.name)?.mountPath;
      const variable = pod?.containers[0]?.env?.find(({ value }) => value === path)?.name;
      if (volume.projected === undefined || variable === undefined) continue;
      environment[variable] = join(directory, volume.name);
      await mkdir(environment[variable], { recursive: true });
      for (const { secret } of volume.projected.sources ?? []) {
        const { data } = await this.admin.get(SECRETS, { namespace: NAMESPACE, name: secret?.name ?? '' });
        for (const { key, path: file } of secret?.items ?? [])
          await writeFile(join(directory, volume.name, file), Buffer.from(data?.[key] ?? '', 'base64'));
      }
    }
    return environment;
  }

  async #runJob(job: Job): Promise<void> {
    const { name } = job.metadata;
    const pod = job.spec?.template.spec;
    const config = await this.admin.get(CONFIG_MAPS, {
      namespace: NAMESPACE,
      name: pod?.volumes?.[0]?.configMap?.name ?? '',
    });
    const directory = join(this.#directory, name);
    await mkdir(directory, { recursive: true });
    const text = config.data?.['config.json'] ?? '';
    await writeFile(join(directory, 'config.json'), text);
    const environment = await this.#mounted(job, directory);
    const { progress } = JSON.parse(text) as { progress: { namespace: string; name: string } };
    const kube = this.#client(`system:serviceaccount:${NAMESPACE}:${pod?.serviceAccountName}`);
    this.workerSignal = new AbortController();
    const options = {
      configFile: join(directory, 'config.json'),
      environment: { ...environment, POD_NAME: `${name}-pod` },
      signal: AbortSignal.any([this.#stopping.signal, this.workerSignal.signal]),
      log: createLogger('debug', { write: (line: string) => void this.logged.push(line) }),
    };
    const tasks: Record<string, () => Promise<number>> = {
      copy: () => runCopyWorker({ ...options, store: configMapProgress(kube, progress, COPY_PROGRESS) }),
      reverse: () => runReverseWorker({ ...options, store: reverseStore(kube, progress) }),
      discover: () => runDiscoveryWorker({ ...options, store: (more) => discoveryStore(kube, progress, more) }),
    };
    const task = tasks[pod?.containers[0]?.args?.[1] ?? ''];
    const code = await (task ?? (() => runSnapshotWorker({ ...options, store: taskStore(kube, progress) })))();
    await kube.close();
    const condition = {
      type: code === 0 ? 'Complete' : 'Failed',
      status: 'True',
      lastTransitionTime: new Date().toISOString(),
    };
    await this.admin
      .patch(
        JOBS,
        { namespace: NAMESPACE, name },
        { status: { conditions: [condition] } },
        { type: 'merge', subresource: 'status' },
      )
      .catch(() => undefined);
  }
}

function informersOf(client: KubeClient) {
  const informer = <T extends KubeObject>(type: ResourceType<T>) => new Informer<T>({ client, type });
  return {
    libraries: informer(DOMAIN_LIBRARIES),
    clusters: informer(QDRANT_CLUSTERS),
    policies: informer(POLICIES),
    secrets: informer(SECRETS),
    jobs: informer(JOBS),
    configMaps: informer(CONFIG_MAPS),
  };
}

function startQdrant(
  directory: string,
  { http, grpc, apiKey }: { readonly http: number; readonly grpc: number; readonly apiKey: string },
): Promise<Node> {
  const settings = readSettings(
    {
      QDRANT__SERVICE__HOST: '127.0.0.1',
      QDRANT__SERVICE__HTTP_PORT: String(http),
      QDRANT__SERVICE__GRPC_PORT: String(grpc),
      QDRANT__SERVICE__API_KEY: apiKey,
      QDRANT__STORAGE__STORAGE_PATH: join(directory, 'storage'),
      QDRANT__STORAGE__SNAPSHOTS_PATH: join(directory, 'snapshots'),
      SANDBOX_QDRANT_OPTIMIZE_MS: '0',
    },
    undefined,
  );
  return startNode(settings, { uri: undefined, bootstrap: undefined });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
