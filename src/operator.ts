import { randomUUID } from 'node:crypto';
import { OperatorAccess } from './access.ts';
import { VECTORIZATION_JOB, type VectorizationJob } from './api/index.ts';
import { clusterController, DOMAIN_LIBRARIES, QDRANT_CLUSTERS } from './cluster/index.ts';
import {
  CONFIG_MAPS,
  type ConfigMap,
  type Controller,
  EventRecorder,
  Informer,
  JOBS,
  KubeClient,
  type KubeError,
  type KubeObject,
  keyOf,
  LeaderElector,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type ResourceType,
  resourceType,
  SECRETS,
  SERVICES,
  STATEFUL_SETS,
} from './kube/index.ts';
import { libraryController } from './library/index.ts';
import { ClientPool } from './qdrant/index.ts';
import { REBALANCE_POLICIES, rebalanceController } from './rebalance/index.ts';
import { LEASE_NAME, type RoleName } from './roles.ts';
import { type OperatorSettings, operatorSettings } from './settings.ts';
import {
  createLogger,
  createRegistry,
  type Logger,
  type Registry,
  startHealthServer,
  startTracing,
} from './telemetry/index.ts';
import { vectorizeController, WORKERS_OWN_KEYS, withDigestOnly } from './vectorize/index.ts';

export type OperatorOptions = {
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
};

const COMPONENT = 'qdrant-librarian';
const MANAGED_BY = 'app.kubernetes.io/managed-by';

/** What every part of the process shares. */
type Process = {
  readonly settings: OperatorSettings;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly client: KubeClient;
};

/**
 * Runs the controllers until the signal aborts; at any time only one process of the same Lease acts.
 *
 * @returns the process's exit code: 0 after an orderly stop, 1 when leadership was lost
 * @throws SettingsError for a wrong variable
 */
export async function runOperator({ environment, version, signal }: OperatorOptions): Promise<number> {
  const settings = operatorSettings(environment);
  const log = createLogger(settings.logLevel);
  const metrics = createRegistry(version);
  const stopTracing = await startTracing(COMPONENT, environment);
  const onForbidden = (error: KubeError): void => access.doubt(error);
  const client = KubeClient.fromDefault({ userAgent: `${COMPONENT}/${version}`, onForbidden, log, metrics });
  const access = new OperatorAccess({ client, settings, log, metrics });
  const informers = createInformers({ settings, log, metrics, client });
  const all = Object.values(informers) as Informer<KubeObject>[];
  const health = await startHealthServer({
    host: settings.metricsHost,
    port: settings.metricsPort,
    registry: metrics,
    live: { ping: () => undefined },
    ready: { permissions: () => access.problem(), caches: () => unsynced(all) },
  });
  log.info({ version, port: health.port, namespace: settings.watchNamespace ?? '(all)' }, 'operator started');

  // Caches outlive the controllers, which need them to end in order.
  const caching = new AbortController();
  const caches = Promise.all(all.map((informer) => informer.start(caching.signal)));
  const checking = access.run(caching.signal);
  // The Lease has a client of its own: a renewal must not wait behind other requests.
  const leaseClient = KubeClient.fromDefault({ userAgent: `${COMPONENT}/${version} leader`, log });
  const elector = new LeaderElector({
    client: leaseClient,
    namespace: settings.namespace,
    name: LEASE_NAME,
    identity: `${settings.identity}_${randomUUID()}`,
    leaseSeconds: settings.leaseSeconds,
    renewSeconds: settings.renewSeconds,
    retrySeconds: settings.retrySeconds,
    log,
    metrics,
  });
  try {
    const end = await elector.run(signal, {
      onLeading: (lost) =>
        lead(
          { settings, log, metrics, client },
          { informers, elector, access, signal: AbortSignal.any([signal, lost]) },
        ),
      // Another process may act from now on; nothing that still runs here may finish.
      onLost: () => process.exit(1),
    });
    log.info({ end }, 'operator stopped');
    return end === 'lost' ? 1 : 0;
  } finally {
    caching.abort();
    await Promise.all([caches, checking]);
    await health.close();
    await Promise.all([client.close(), leaseClient.close(), stopTracing()]);
  }
}

type Informers = ReturnType<typeof createInformers>;
type Leading = {
  readonly informers: Informers;
  readonly elector: LeaderElector;
  readonly access: OperatorAccess;
  readonly signal: AbortSignal;
};

type Run = {
  readonly role: RoleName;
  readonly controller: Pick<Controller<never>, 'start' | 'enqueue'>;
  readonly primary: { readonly store: { list(): readonly KubeObject[] } };
};

async function lead(shared: Process, { informers, elector, access, signal }: Leading): Promise<void> {
  const { settings, log, metrics, client } = shared;
  const pool = new ClientPool({ metrics, log });
  const recorder = new EventRecorder({
    client,
    controller: `qdrant-librarian.io/operator`,
    instance: settings.identity,
    log,
  });
  const assertLeading = (): void => elector.assertLeading();
  const common = { kube: client, informers, pool, recorder, metrics, log, settings, now: Date.now, assertLeading };
  const { vectorizationJobs } = informers;
  const controllers: readonly Run[] = [
    { role: 'cluster', controller: clusterController(common), primary: informers.clusters },
    { role: 'library', controller: libraryController(common), primary: informers.libraries },
    { role: 'rebalance', controller: rebalanceController(common), primary: informers.policies },
    { role: 'vectorize', controller: vectorizeController(common), primary: vectorizationJobs },
  ];
  // Passes that failed for want of a permission may wait for a quarter of an hour.
  const unsubscribe = access.onGranted(() => {
    for (const { controller, primary } of controllers)
      for (const object of primary.store.list()) controller.enqueue(keyOf(object));
  });
  try {
    await Promise.all(
      controllers.map(async ({ role, controller }) => {
        // Without its caches a controller gives up after two minutes, and the process would end again and again.
        await access.whenReadable(role, signal);
        await controller.start(signal);
      }),
    );
  } finally {
    unsubscribe();
    await recorder.stop();
    await pool.close();
  }
}

function createInformers(shared: Process) {
  const { settings, log, metrics, client } = shared;
  const namespace = settings.watchNamespace === undefined ? {} : { namespace: settings.watchNamespace };
  const informer = <T extends KubeObject>(type: ResourceType<T>, transform?: (object: T) => T): Informer<T> =>
    new Informer<T>({ client, type, ...namespace, log, metrics, ...(transform === undefined ? {} : { transform }) });
  return {
    clusters: informer(QDRANT_CLUSTERS),
    libraries: informer(DOMAIN_LIBRARIES),
    policies: informer(REBALANCE_POLICIES),
    vectorizationJobs: informer(resourceType<VectorizationJob>(VECTORIZATION_JOB)),
    statefulSets: informer(STATEFUL_SETS, leanUnlessOurs),
    pods: informer(PODS, leanUnlessOurs),
    claims: informer(PERSISTENT_VOLUME_CLAIMS, leanUnlessOurs),
    // Users name their own Secrets as sources of keys: all are kept whole.
    secrets: informer(SECRETS),
    services: informer(SERVICES, leanUnlessOurs),
    configMaps: informer(CONFIG_MAPS, leanConfigMap),
    podDisruptionBudgets: informer(POD_DISRUPTION_BUDGETS, leanUnlessOurs),
    networkPolicies: informer(NETWORK_POLICIES, leanUnlessOurs),
    jobs: informer(JOBS, leanUnlessOurs),
  };
}

/**
 * Keeps other people's objects as names only: enough to see that a name is taken, and a cluster's worth of pods and
 * ConfigMaps does not fill the memory.
 */
function leanUnlessOurs<T extends KubeObject>(object: T): T {
  delete object.metadata.managedFields;
  if (object.metadata.labels?.[MANAGED_BY] === COMPONENT) return object;
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, metadata } as T;
}

/** What workers write for each other and for people can be large, and the operator doesn't read it. */
function leanConfigMap(map: ConfigMap): ConfigMap {
  delete map.metadata.managedFields;
  if (map.metadata.labels?.[MANAGED_BY] !== COMPONENT) return withDigestOnly(map);
  for (const key of WORKERS_OWN_KEYS) delete map.data?.[key];
  return map;
}

function unsynced(informers: readonly Informer<KubeObject>[]): string | undefined {
  const missing = informers.filter(({ hasSynced }) => !hasSynced).map(({ type }) => type.plural);
  return missing.length === 0 ? undefined : `not read yet: ${missing.join(', ')}`;
}
