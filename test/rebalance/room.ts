import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { installDefinitions } from '../../sandbox/install.ts';
import { type ApiServer, type AuditEntry, startApiServer } from '../../sandbox/kube/index.ts';
import {
  ANNOTATIONS,
  API_VERSION,
  type DomainLibrary,
  type QdrantCluster,
  type RebalancePolicy,
  type RebalancePolicySpec,
} from '../../src/api/index.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  type ClusterRole,
  type ClusterRoleBinding,
  CONFIG_MAPS,
  Informer,
  KubeClient,
  type KubeObject,
  type Occurrence,
  policyRules,
  type ResourceType,
  SECRETS,
  staticConnection,
} from '../../src/kube/index.ts';
import { type ClientPool, QdrantError } from '../../src/qdrant/index.ts';
import type { Workings } from '../../src/rebalance/act/workings.ts';
import {
  DOMAIN_LIBRARIES,
  QDRANT_CLUSTERS,
  REBALANCE_POLICIES,
  REBALANCE_RULES,
  type RebalanceInformers,
} from '../../src/rebalance/index.ts';
import { look } from '../../src/rebalance/outlook.ts';
import { readPlan } from '../../src/rebalance/plan/document.ts';
import { makePlan, type Plan } from '../../src/rebalance/plan/plan.ts';
import { RebalanceReconciler } from '../../src/rebalance/reconciler.ts';
import { createLogger } from '../../src/telemetry/index.ts';

export const NAMESPACE = 'default';
const OPERATOR = 'system:serviceaccount:system:operator';
export const GIGABYTE = 1024 ** 3;
const VERSION = '1.18.3';

/** Planning in the thread of the test: the same answer, no process to wait for. */
const inline: Workings = {
  plan: (problem, now) => Promise.resolve(makePlan(problem, { now, effort: 20_000 })),
  outlook: (series) => Promise.resolve(look(series)),
};

/** What a cluster of the world is like; a test changes it. */
export type SimCluster = {
  version: string;
  cores: number;
  memoryBytes: number;
  diskBytes: number;
  residentBytes: number;
  members: number;
  startedAt: string;
  /** Why nobody answers there. */
  silent: string | undefined;
  /** Counters by the name that was asked for, since the process began. */
  counters: Map<string, { requests: number; busy: number }>;
};

export type SimLibrary = { requests: number; busySeconds: number; bytes: number; points: number; optimising: boolean };

/**
 * The rebalance room whole: its reconciler, with no more rights than REBALANCE_RULES give, against an API server, a
 * world of clusters that count requests, and a clock that the test turns.
 */
export class Room {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  readonly clusters = new Map<string, SimCluster>();
  readonly libraries = new Map<string, SimLibrary>();
  readonly events: Occurrence[] = [];
  readonly logged: string[] = [];
  now = Date.parse('2026-03-02T08:00:00Z');
  metrics = new Registry();
  plans = 0;
  readonly #operator: KubeClient;
  readonly #informers: RebalanceInformers;
  readonly #writes: AuditEntry[] = [];
  readonly #stopping = new AbortController();
  readonly #tasks: Promise<unknown>[] = [];
  #reconciler: RebalanceReconciler;

  static async start(): Promise<Room> {
    const server = await startApiServer({ tls: false, allocateClusterIP: () => '10.0.0.1' });
    const room = new Room(server);
    await installDefinitions(room.admin);
    await room.#grant();
    const informers = Object.values(room.#informers);
    room.#tasks.push(...informers.map((informer) => informer.start(room.#stopping.signal)));
    await Promise.all(informers.map((informer) => informer.whenSynced()));
    return room;
  }

  private constructor(server: ApiServer) {
    this.server = server;
    this.admin = this.#client('system:admin');
    this.#operator = this.#client(OPERATOR);
    server.audit.onRequest((entry) => {
      if (entry.user === OPERATOR && !['get', 'list', 'watch'].includes(entry.verb)) this.#writes.push(entry);
    });
    const informer = <T extends KubeObject>(type: ResourceType<T>) => new Informer<T>({ client: this.#operator, type });
    this.#informers = {
      policies: informer(REBALANCE_POLICIES),
      clusters: informer(QDRANT_CLUSTERS),
      libraries: informer(DOMAIN_LIBRARIES),
      secrets: informer(SECRETS),
      configMaps: informer(CONFIG_MAPS),
    };
    this.#reconciler = this.#begin();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#tasks);
    await Promise.all([this.admin.close(), this.#operator.close()]);
    await this.server.stop();
  }

  /** Another process takes over: what was only in memory is gone. */
  restart(): void {
    this.metrics = new Registry();
    this.#reconciler = this.#begin();
  }

  #begin(): RebalanceReconciler {
    const workings: Workings = {
      ...inline,
      plan: (...asked) => {
        this.plans += 1;
        return inline.plan(...asked);
      },
    };
    const deps = {
      kube: this.#operator,
      informers: this.#informers,
      pool: this.#pool(),
      recorder: { record: (_object: KubeObject, event: Occurrence) => void this.events.push(event) },
      metrics: this.metrics,
      log: createLogger('debug', { write: (line: string) => void this.logged.push(line) }),
      settings: { busySeconds: 1 },
      now: () => this.now,
    };
    return new RebalanceReconciler(deps, workings);
  }

  async createCluster(
    name: string,
    change: Partial<SimCluster> = {},
    labels: Record<string, string> = {},
  ): Promise<void> {
    this.clusters.set(name, {
      version: VERSION,
      cores: 4,
      memoryBytes: 8 * GIGABYTE,
      diskBytes: 100 * GIGABYTE,
      residentBytes: GIGABYTE / 4,
      members: 1,
      startedAt: '2026-03-01T00:00:00Z',
      silent: undefined,
      counters: new Map(),
      ...change,
    });
    const object = this.#object('QdrantCluster', name, { external: { url: `http://${name}.example:6333` } }, labels);
    await this.admin.create(QDRANT_CLUSTERS, object as QdrantCluster);
    await this.#status(QDRANT_CLUSTERS, name, { conditions: [READY] });
  }

  async createLibrary(
    name: string,
    cluster: string,
    {
      spec = {},
      labels = {},
      ...change
    }: Partial<SimLibrary> & { spec?: object; labels?: Record<string, string> } = {},
  ): Promise<void> {
    this.libraries.set(name, {
      requests: 0,
      busySeconds: 0.002,
      bytes: GIGABYTE,
      points: 200_000,
      optimising: false,
      ...change,
    });
    const full = {
      domain: name,
      placement: { clusterSelector: {} },
      vectors: [{ name: '', size: 3, distance: 'Dot' }],
      ...spec,
    };
    await this.admin.create(DOMAIN_LIBRARIES, this.#object('DomainLibrary', name, full, labels) as DomainLibrary);
    await this.#status(DOMAIN_LIBRARIES, name, { cluster, collection: `${name}--g1`, conditions: [READY] });
  }

  async createPolicy(name: string, spec: Partial<RebalancePolicySpec> = {}): Promise<void> {
    const quick = { observe: { intervalSeconds: 30, windowMinutes: 10 }, ...spec };
    await this.admin.create(REBALANCE_POLICIES, this.#object('RebalancePolicy', name, quick) as RebalancePolicy);
  }

  changePolicy(name: string, body: object): Promise<unknown> {
    return this.admin.patch(REBALANCE_POLICIES, { namespace: NAMESPACE, name }, body, { type: 'merge' });
  }

  /** As `kubectl annotate --overwrite` does. */
  say(name: string, verb: string): Promise<unknown> {
    return this.changePolicy(name, { metadata: { annotations: { [ANNOTATIONS.plan]: verb } } });
  }

  changeLibrary(name: string, body: object): Promise<unknown> {
    return this.admin.patch(DOMAIN_LIBRARIES, { namespace: NAMESPACE, name }, body, { type: 'merge' });
  }

  policy(name = 'even'): Promise<RebalancePolicy> {
    return this.admin.get(REBALANCE_POLICIES, { namespace: NAMESPACE, name });
  }

  library(name: string): Promise<DomainLibrary> {
    return this.admin.get(DOMAIN_LIBRARIES, { namespace: NAMESPACE, name });
  }

  libraryStatus(name: string, status: object): Promise<unknown> {
    return this.#status(DOMAIN_LIBRARIES, name, status);
  }

  /** The plan in its ConfigMap. */
  async planned(name = 'even'): Promise<Plan> {
    const map = await this.admin.get(CONFIG_MAPS, { namespace: NAMESPACE, name: `${name}-plan` });
    return readPlan(map.data?.['plan.json'] ?? '').plan;
  }

  /** What the policy says, as `status reason`. */
  async says(type: string, name = 'even'): Promise<string | undefined> {
    const found = (await this.policy(name)).status?.conditions?.find((condition) => condition.type === type);
    return found === undefined ? undefined : `${found.status} ${found.reason}`;
  }

  async message(type: string, name = 'even'): Promise<string> {
    return (await this.policy(name)).status?.conditions?.find((condition) => condition.type === type)?.message ?? '';
  }

  /** Lets time pass, in which clusters serve, and passes are made whenever the policy asks for one. */
  async run(seconds: number, name = 'even', step = 30): Promise<void> {
    for (let passed = 0; passed < seconds; passed += step) {
      await this.tick(step);
      await this.pass(name);
    }
  }

  async tick(seconds: number): Promise<void> {
    await this.#caughtUp();
    this.now += seconds * 1000;
    for (const [name, { requests, busySeconds }] of this.libraries) {
      const cluster = this.clusters.get(this.#homeOf(name)?.cluster ?? '');
      if (cluster !== undefined) count(cluster, name, { requests: requests * seconds, busySeconds });
    }
  }

  /** Passes until nothing is left to do at this moment. */
  async pass(name = 'even'): Promise<void> {
    const context = {
      signal: new AbortController().signal,
      log: createLogger('debug', { write: (line: string) => void this.logged.push(line) }),
      reconcileId: 'test',
      assertLeading: () => undefined,
    };
    await this.#caughtUp();
    // Of its own writes the reconciler knows by itself whether the caches show them.
    for (let passes = 0; passes < 4000; passes += 1) {
      const outcome = await this.#reconciler.reconcile({ namespace: NAMESPACE, name }, context);
      if (outcome.kind !== 'wait' || outcome.seconds > 0.5) return;
      if (outcome.reason === 'CacheBehind') await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.fail('the policy never comes to rest');
  }

  /** A library has taken up its order and is on its way. */
  async beginMove(name: string): Promise<void> {
    const { status } = await this.library(name);
    const { cluster = '', assignment } = status ?? {};
    const change = {
      step: 'Copying',
      from: 1,
      to: 2,
      reason: 'status.assignment.cluster',
      startedAt: new Date(this.now).toISOString(),
      fromCluster: cluster,
      toCluster: assignment?.cluster,
    };
    await this.#status(DOMAIN_LIBRARIES, name, { change });
  }

  /** What the library's controller does with an order. */
  async moveOrdered(): Promise<string[]> {
    const moved: string[] = [];
    for (const name of this.libraries.keys()) {
      const { status } = await this.library(name);
      const to = status?.assignment?.cluster;
      if (to === undefined || to === status?.cluster) continue;
      await this.#status(DOMAIN_LIBRARIES, name, { cluster: to, collection: `${name}--g2`, change: null });
      moved.push(`${name} to ${to}`);
    }
    await this.#caughtUp();
    return moved;
  }

  /** Writes of the operator since it was asked last, as `verb resource name`. */
  writes(): string[] {
    return this.#writes.splice(0).map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
  }

  forbidden(): number {
    return this.server.audit.count({ user: OPERATOR, code: 403 });
  }

  #homeOf(library: string): DomainLibrary['status'] {
    return this.#informers.libraries.store.get({ namespace: NAMESPACE, name: library })?.status;
  }

  /** The caches show what everybody has written. */
  async #caughtUp(): Promise<void> {
    for (const informer of Object.values(this.#informers) as Informer<KubeObject>[]) {
      const stored = async (): Promise<string> =>
        versions(await this.admin.listAll(informer.type, { namespace: NAMESPACE }));
      const end = Date.now() + 5000;
      while (Date.now() < end) {
        const mine = informer.store.list().filter(({ metadata }) => metadata.namespace === NAMESPACE);
        if (versions(mine) === (await stored())) break;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  #status<T extends KubeObject>(type: ResourceType<T>, name: string, status: object): Promise<T> {
    const options = { type: 'merge', subresource: 'status' } as const;
    return this.admin.patch(type, { namespace: NAMESPACE, name }, { status }, options);
  }

  #object(kind: string, name: string, spec: object, labels: Record<string, string> = {}): KubeObject {
    const metadata = { name, namespace: NAMESPACE, labels };
    return { apiVersion: API_VERSION, kind, metadata, spec } as KubeObject;
  }

  #pool(): ClientPool {
    const get = (key: string) => {
      const name = key.split('/').at(-1) ?? '';
      return {
        peers: [
          { name: `${name}.example`, metrics: () => this.#metricsOf(name), telemetry: () => this.#telemetryOf(name) },
        ],
      };
    };
    return { get, evict: () => undefined, close: () => Promise.resolve() } as unknown as ClientPool;
  }

  #asked(name: string): SimCluster {
    const cluster = this.clusters.get(name);
    if (cluster === undefined || cluster.silent !== undefined)
      throw new QdrantError({
        code: 'Unreachable',
        operation: 'metrics',
        peer: name,
        message: cluster?.silent ?? 'gone',
      });
    return cluster;
  }

  async #metricsOf(name: string): Promise<string> {
    const { counters } = this.#asked(name);
    const lines = [...counters].flatMap(([collection, { requests, busy }]) => {
      const labels = `method="POST",endpoint="/collections/{collection_name}/points/query",status="200",collection="${collection}"`;
      return [`rest_responses_total{${labels}} ${requests}`, `rest_responses_duration_seconds_sum{${labels}} ${busy}`];
    });
    return Promise.resolve(`${lines.join('\n')}\n`);
  }

  async #telemetryOf(name: string): Promise<object> {
    const { version, cores, memoryBytes, diskBytes, residentBytes, members, startedAt } = this.#asked(name);
    const here: object[] = [];
    for (const [library, { bytes, points, optimising }] of this.libraries) {
      const status = this.#homeOf(library);
      if (status?.cluster !== name) continue;
      const local = {
        status: optimising ? 'yellow' : 'green',
        num_points: points,
        vectors_size_bytes: bytes,
        payloads_size_bytes: 0,
      };
      here.push({ id: status.collection, shards: [{ id: 0, local }] });
    }
    return {
      app: {
        version,
        startup: startedAt,
        system: { cores, ram_size: memoryBytes / 1024, disk_size: diskBytes / 1024 },
      },
      memory: { resident_bytes: residentBytes },
      collections: { collections: here },
      cluster: { enabled: members > 1, status: { number_of_peers: members } },
    };
  }

  #client(user: string): KubeClient {
    return new KubeClient({
      config: staticConnection({ server: this.server.url, token: this.server.tokenFor(user) }),
      maxRetries: 0,
    });
  }

  async #grant(): Promise<void> {
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'operator' } };
    const rules = policyRules(REBALANCE_RULES);
    await this.admin.create(CLUSTER_ROLES, { ...rbac, kind: 'ClusterRole', rules } as unknown as ClusterRole);
    await this.admin.create(CLUSTER_ROLE_BINDINGS, {
      ...rbac,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'operator' },
      subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: 'system' }],
    } as ClusterRoleBinding);
  }
}

/** Requests that came to a cluster under a name. */
export function count(
  { counters }: SimCluster,
  collection: string,
  { requests, busySeconds }: { requests: number; busySeconds: number },
): void {
  const before = counters.get(collection) ?? { requests: 0, busy: 0 };
  counters.set(collection, { requests: before.requests + requests, busy: before.busy + requests * busySeconds });
}

const READY = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
};

const versions = (objects: readonly KubeObject[]): string =>
  objects
    .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
    .toSorted()
    .join(' ');
