import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { installDefinitions } from '../../sandbox/install.ts';
import { type ApiServer, type AuditEntry, startApiServer } from '../../sandbox/kube/index.ts';
import { API_VERSION, type QdrantCluster, type QdrantClusterSpec } from '../../src/api/index.ts';
import {
  CLUSTER_RULES,
  type ClusterDeps,
  type ClusterInformers,
  clusterController,
  DOMAIN_LIBRARIES,
  QDRANT_CLUSTERS,
} from '../../src/cluster/index.ts';
import { annotations, SERVING_LABEL } from '../../src/cluster/names.ts';
import { ClusterReconciler } from '../../src/cluster/reconciler.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  type ClusterRole,
  type ClusterRoleBinding,
  CONFIG_MAPS,
  Informer,
  KubeClient,
  type KubeObject,
  NETWORK_POLICIES,
  type Occurrence,
  type Outcome,
  PERSISTENT_VOLUME_CLAIMS,
  type PersistentVolumeClaim,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type Pod,
  policyRules,
  type ResourceType,
  SECRETS,
  SERVICES,
  type Secret,
  STATEFUL_SETS,
  staticConnection,
} from '../../src/kube/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { FakeQdrant } from './fake-qdrant.ts';
import { Simulation } from './simulation.ts';

const NAMESPACE = 'default';
const KEY = { namespace: NAMESPACE, name: 'docs' };
const OPERATOR = 'system:serviceaccount:system:operator';

/**
 * The cluster room against an API server, with no more rights than CLUSTER_RULES give, and against a simulation of
 * pods and Qdrant. One second passes between two passes.
 */
export class Room {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  readonly simulation = new Simulation();
  readonly qdrant = new FakeQdrant(this.simulation);
  readonly events: (Occurrence & { object: string })[] = [];
  readonly logged: string[] = [];
  readonly metrics = new Registry();
  leading = true;
  outcome: Outcome = { kind: 'done' };
  readonly #deps: ClusterDeps;
  readonly #operator: KubeClient;
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  readonly #writes: AuditEntry[] = [];
  #reconciler: ClusterReconciler;
  #podUids = new Map<string, string>();
  #claimUids = new Map<string, string>();

  static async start(): Promise<Room> {
    let addresses = 0;
    const allocateClusterIP = (): string => {
      addresses += 1;
      return `10.0.0.${addresses}`;
    };
    const server = await startApiServer({ tls: false, allocateClusterIP });
    const room = new Room(server);
    await installDefinitions(room.admin);
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'operator' },
      rules: policyRules(CLUSTER_RULES),
    } as unknown as ClusterRole;
    await room.admin.create(CLUSTER_ROLES, role);
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'operator' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'operator' },
      subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: 'system' }],
    } as ClusterRoleBinding;
    await room.admin.create(CLUSTER_ROLE_BINDINGS, binding);
    await room.#synced();
    return room;
  }

  private constructor(server: ApiServer) {
    this.server = server;
    const client = (user: string) =>
      new KubeClient({ config: staticConnection({ server: server.url, token: server.tokenFor(user) }), maxRetries: 0 });
    this.admin = client('system:admin');
    this.#operator = client(OPERATOR);
    server.audit.onRequest((entry) => {
      if (entry.user === OPERATOR && !['get', 'list', 'watch'].includes(entry.verb)) this.#writes.push(entry);
    });
    const informer = <T extends KubeObject>(type: ResourceType<T>) => new Informer<T>({ client: this.#operator, type });
    const informers: ClusterInformers = {
      clusters: informer(QDRANT_CLUSTERS),
      libraries: informer(DOMAIN_LIBRARIES),
      statefulSets: informer(STATEFUL_SETS),
      pods: informer(PODS),
      claims: informer(PERSISTENT_VOLUME_CLAIMS),
      secrets: informer(SECRETS),
      services: informer(SERVICES),
      configMaps: informer(CONFIG_MAPS),
      podDisruptionBudgets: informer(POD_DISRUPTION_BUDGETS),
      networkPolicies: informer(NETWORK_POLICIES),
    };
    const log = createLogger('debug', { write: (line: string) => void this.logged.push(line) });
    this.#deps = {
      kube: this.#operator,
      informers,
      pool: this.qdrant.pool,
      recorder: { record: (object, event) => void this.events.push({ ...event, object: object.metadata.name }) },
      metrics: this.metrics,
      log,
      settings: { resyncSeconds: 30, busySeconds: 1, settleSeconds: 5 },
      now: () => this.simulation.now,
    };
    this.#reconciler = new ClusterReconciler(this.#deps);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all([this.admin.close(), this.#operator.close()]);
    await this.server.stop();
  }

  /** The whole controller, with real time. */
  controller() {
    const settings = { resyncSeconds: 30, busySeconds: 0.05, settleSeconds: 5, workers: 1 };
    return clusterController({ ...this.#deps, settings, now: Date.now, assertLeading: () => undefined });
  }

  /** Lets kubelet and StatefulSet controller work for some seconds. */
  async runPods(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await this.#toSimulation();
      this.simulation.tick();
      await this.#fromSimulation();
      await sleep(60);
    }
  }

  restartOperator(): void {
    this.#reconciler = new ClusterReconciler(this.#deps);
  }

  async create(spec: Partial<QdrantClusterSpec>): Promise<void> {
    const object = {
      apiVersion: API_VERSION,
      kind: 'QdrantCluster',
      metadata: { name: 'docs', namespace: NAMESPACE },
      spec,
    } as QdrantCluster;
    await this.#seen(this.#deps.informers.clusters, await this.admin.create(QDRANT_CLUSTERS, object));
  }

  /** A merge patch of the QdrantCluster. */
  async change(body: unknown): Promise<void> {
    await this.#seen(
      this.#deps.informers.clusters,
      await this.admin.patch(QDRANT_CLUSTERS, KEY, body, { type: 'merge' }),
    );
  }

  async delete(): Promise<void> {
    await this.admin.delete(QDRANT_CLUSTERS, KEY);
    const { store } = this.#deps.informers.clusters;
    await until(() => store.get(KEY)?.metadata.deletionTimestamp !== undefined || store.get(KEY) === undefined);
  }

  cluster(): Promise<QdrantCluster> {
    return this.admin.get(QDRANT_CLUSTERS, KEY);
  }

  async condition(type: string): Promise<string | undefined> {
    const found = (await this.cluster()).status?.conditions?.find((condition) => condition.type === type);
    return found === undefined ? undefined : `${found.status} ${found.reason}`;
  }

  async putSecret(name: string, data: Record<string, string>): Promise<void> {
    const encoded = Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: NAMESPACE },
      data: encoded,
    } as Secret;
    await this.admin.delete(SECRETS, { namespace: NAMESPACE, name });
    await this.#seen(this.#deps.informers.secrets, await this.admin.create(SECRETS, secret));
  }

  /** Writes of the operator since it was asked last, as `verb resource name`. */
  writes(): string[] {
    return this.#writes.splice(0).map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
  }

  /** Waits until the caches hold what the server holds of an object. */
  async caughtUp<T extends KubeObject>(cache: keyof ClusterInformers, object: T): Promise<void> {
    await this.#seen(this.#deps.informers[cache] as unknown as Informer<T>, object);
  }

  /** One pass, then a second. Errors of the pass are thrown. */
  async pass(): Promise<void> {
    const context = {
      signal: AbortSignal.timeout(10_000),
      log: this.#deps.log,
      reconcileId: 'test',
      assertLeading: () => assert.ok(this.leading, 'not the leader'),
    };
    do {
      this.outcome = await this.#reconciler.reconcile(KEY, context);
      if (this.#behind()) await sleep(2);
    } while (this.#behind());
    await this.#toSimulation();
    this.simulation.tick();
    await this.#fromSimulation();
  }

  /** Passes until the cluster is Ready; fails when that takes longer than `most` seconds. */
  async settle(most = 120): Promise<void> {
    for (let second = 0; second < most; second += 1) {
      await this.pass();
      const { status, metadata } = await this.cluster();
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      if (
        ready?.status === 'True' &&
        ready.observedGeneration === metadata.generation &&
        status?.operation === undefined &&
        this.outcome.kind === 'wait' &&
        this.outcome.seconds > 20
      )
        return;
    }
    assert.fail(JSON.stringify((await this.cluster()).status, null, 1));
  }

  #behind(): boolean {
    return this.outcome.kind === 'wait' && this.outcome.reason === 'CacheBehind';
  }

  /** What kubelet and StatefulSet controller see of the API. */
  async #toSimulation(): Promise<void> {
    const { simulation } = this;
    const stored = await this.admin.find(QDRANT_CLUSTERS, KEY);
    if (stored !== undefined) {
      simulation.cluster = stored;
      simulation.cluster.spec.size ??= 0;
    }
    const set = await this.admin.find(STATEFUL_SETS, KEY);
    simulation.replicas = set?.spec?.replicas ?? 0;
    simulation.template = set?.spec?.template.metadata?.annotations?.[annotations.template] ?? '';
    const peers = await this.admin.find(CONFIG_MAPS, { namespace: NAMESPACE, name: 'docs-peers' });
    simulation.announced = {
      founder: peers?.data?.['founder'],
      members: (peers?.data?.['members'] ?? '').split('\n').filter(Boolean),
    };
    const pods = await this.admin.listAll<Pod>(PODS, { namespace: NAMESPACE });
    for (const [ordinal, pod] of simulation.pods) {
      const live = pods.find(({ metadata }) => metadata.name === pod.name);
      if (this.#podUids.has(pod.name) && live?.metadata.uid !== this.#podUids.get(pod.name))
        simulation.pods.delete(ordinal);
    }
    const claims = await this.admin.listAll<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, { namespace: NAMESPACE });
    for (const [ordinal, claim] of simulation.claims) {
      if (this.#claimUids.has(claim.name) && !claims.some(({ metadata }) => metadata.name === claim.name))
        simulation.claims.delete(ordinal);
    }
  }

  /** What kubelet and StatefulSet controller write. */
  async #fromSimulation(): Promise<void> {
    const { informers } = this.#deps;
    const set = await this.admin.find(STATEFUL_SETS, KEY);
    const claims = [...this.simulation.claims.values()];
    for (const { name } of claims) {
      const key = { namespace: NAMESPACE, name };
      if ((await this.admin.find(PERSISTENT_VOLUME_CLAIMS, key)) !== undefined) continue;
      const claim = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { ...key, labels: { 'qdrant-librarian.io/cluster': 'docs' } },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      } as PersistentVolumeClaim;
      const made = await this.admin.create(PERSISTENT_VOLUME_CLAIMS, claim);
      this.#claimUids.set(name, made.metadata.uid ?? '');
      await this.#seen(informers.claims, made);
    }
    const live = await this.admin.listAll<Pod>(PODS, { namespace: NAMESPACE });
    const wanted = new Set([...this.simulation.pods.values()].map(({ name }) => name));
    for (const { metadata } of live.filter(({ metadata: { name } }) => !wanted.has(name))) {
      await this.admin.delete(PODS, { namespace: NAMESPACE, name: metadata.name });
      this.#podUids.delete(metadata.name);
      await until(() => informers.pods.store.get({ namespace: NAMESPACE, name: metadata.name }) === undefined);
    }
    for (const pod of this.simulation.pods.values()) {
      const key = { namespace: NAMESPACE, name: pod.name };
      const found = await this.admin.find(PODS, key);
      const object =
        found ??
        (await this.admin.create(PODS, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            ...key,
            labels: { ...set?.spec?.template.metadata?.labels, [SERVING_LABEL]: 'true' },
            annotations: set?.spec?.template.metadata?.annotations ?? {},
            ownerReferences: [
              {
                apiVersion: 'apps/v1',
                kind: 'StatefulSet',
                name: 'docs',
                uid: set?.metadata.uid ?? '',
                controller: true,
              },
            ],
          },
          spec: { containers: [{ name: 'qdrant', image: 'qdrant/qdrant' }] },
        } as Pod));
      if (found === undefined) this.#podUids.set(pod.name, object.metadata.uid ?? '');
      const ready = this.simulation.answers(pod.ordinal);
      const status = {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
        containerStatuses: [
          {
            name: 'qdrant',
            image: 'qdrant',
            imageID: '',
            ready,
            restartCount: pod.restarts,
            state: ready ? { running: {} } : { waiting: {} },
            lastState:
              pod.lastExit === undefined
                ? {}
                : { terminated: { exitCode: pod.lastExit.code, message: pod.lastExit.message } },
          },
        ],
      };
      if (JSON.stringify(object.status) === JSON.stringify(status)) continue;
      await this.#seen(
        informers.pods,
        await this.admin.patch(PODS, key, { status }, { type: 'merge', subresource: 'status' }),
      );
    }
  }

  async #synced(): Promise<void> {
    const informers = Object.values(this.#deps.informers);
    this.#running = Promise.all(informers.map((one) => one.start(this.#stopping.signal)));
    await Promise.all(informers.map((one) => one.whenSynced()));
  }

  #seen<T extends KubeObject>({ store }: Informer<T>, { metadata }: T): Promise<void> {
    const key = { namespace: metadata.namespace ?? '', name: metadata.name };
    return until(() => Number(store.get(key)?.metadata.resourceVersion ?? -1) >= Number(metadata.resourceVersion));
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    if (holds()) return;
    await sleep(2);
  }
  assert.fail('the cache never showed it');
}
