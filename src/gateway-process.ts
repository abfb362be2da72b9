import { setTimeout as sleep } from 'node:timers/promises';
import {
  DOMAIN_LIBRARY,
  type DomainLibrary,
  QDRANT_CLUSTER,
  type QdrantCluster,
  VECTORIZATION_JOB,
  type VectorizationJob,
} from './api/index.ts';
import { BY_LIBRARY, BY_NAME, byPublicName, byTargetLibrary, createGateway, SKETCH_LIMITS } from './gateway/index.ts';
import { gatewaySettings } from './gateway-settings.ts';
import { AccessCheck, Informer, KubeClient, type KubeObject, permissionText, resourceType } from './kube/index.ts';
import { QueryEmbedders } from './query-embedders.ts';
import { gatewayPermissions } from './roles.ts';
import { createLogger, createRegistry, startHealthServer, startTracing } from './telemetry/index.ts';

export type GatewayProcessOptions = {
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
};

const COMPONENT = 'qdrant-librarian-gateway';
const LIBRARIES = resourceType<DomainLibrary>(DOMAIN_LIBRARY);
const CLUSTERS = resourceType<QdrantCluster>(QDRANT_CLUSTER);
const JOBS = resourceType<VectorizationJob>(VECTORIZATION_JOB);

/**
 * Serves all libraries behind one address until the signal aborts; then asks clients to leave, and ends what is under
 * way. Any number of processes may run: they share nothing (docs/adr/0007-gateway-fences.md).
 *
 * @returns the process's exit code
 * @throws SettingsError for a wrong variable
 */
export async function runGateway({ environment, version, signal }: GatewayProcessOptions): Promise<number> {
  const settings = gatewaySettings(environment);
  const log = createLogger(settings.logLevel);
  const metrics = createRegistry(version);
  const stopTracing = await startTracing(COMPONENT, environment);
  const client = KubeClient.fromDefault({
    userAgent: `${COMPONENT}/${version}`,
    onForbidden: (error) => access.doubt(error),
    log,
    metrics,
  });
  const access = new AccessCheck({
    client,
    permissions: gatewayPermissions(settings.watchNamespace),
    onChange: (missing) => {
      const texts = missing.map(permissionText);
      if (texts.length > 0) log.error({ missing: texts }, 'permissions are missing; what needs them waits');
      else log.info('all permissions are granted');
    },
    log,
  });
  const where = settings.watchNamespace === undefined ? {} : { namespace: settings.watchNamespace };
  const shared = { client, ...where, log, metrics };
  const informers = {
    libraries: new Informer({ ...shared, type: LIBRARIES, indexes: { [BY_NAME]: byPublicName } }),
    clusters: new Informer({ ...shared, type: CLUSTERS }),
    jobs: new Informer({ ...shared, type: JOBS, indexes: { [BY_LIBRARY]: byTargetLibrary } }),
  };
  const all = Object.values(informers) as unknown as Informer<KubeObject>[];
  const unready = (): string | undefined => unsynced(all) ?? lacking(access);
  const embedders = new QueryEmbedders({ metrics, log });
  const gateway = createGateway({
    client,
    libraryType: LIBRARIES,
    stores: {
      libraries: informers.libraries.store,
      clusters: informers.clusters.store,
      jobs: informers.jobs.store,
    },
    embed: (asked) => embedders.embed(asked),
    sketches: {
      ...SKETCH_LIMITS,
      roundMilliseconds: settings.sketchSeconds * 1000,
      restMilliseconds: settings.sketchRestSeconds * 1000,
    },
    defaultNamespace: settings.defaultNamespace,
    bodies: { largest: settings.maxBodyBytes, kept: settings.keptBodyBytes, keptInAll: settings.keptBytes },
    patience: {
      hold: settings.holdSeconds * 1000,
      retry: settings.retrySeconds * 1000,
      read: settings.readSeconds * 1000,
      write: settings.writeSeconds * 1000,
    },
    most: { reads: settings.maxReads, writes: settings.maxWrites, searches: settings.maxSearches },
    unready,
    metrics,
    log,
  });
  let leaving = false;
  const health = await startHealthServer({
    host: settings.metricsHost,
    port: settings.metricsPort,
    registry: metrics,
    live: { ping: () => undefined },
    ready: {
      caches: () => unsynced(all),
      permissions: () => lacking(access),
      running: () => (leaving ? 'stopping' : undefined),
    },
  });
  const caching = new AbortController();
  const caches = Promise.all(all.map((informer) => informer.start(caching.signal)));
  const sketching = Promise.all(all.map((informer) => informer.whenSynced())).then(() =>
    gateway.sketch(caching.signal),
  );
  sketching.catch((error: unknown) => log.error({ err: error }, 'no more sketches are drawn'));
  const checking = access.run(caching.signal);
  try {
    const port = await gateway.listen({ host: settings.host, port: settings.port });
    log.info({ version, port, namespace: settings.watchNamespace ?? '(all)' }, 'gateway started');
    await aborted(signal);
    leaving = true;
    gateway.leave();
    log.info({ seconds: settings.leaveSeconds }, 'gateway leaves');
    // Whoever routes to this pod hears of its end at the same time as it does: until then requests still come.
    await sleep(settings.leaveSeconds * 1000);
    await gateway.close(settings.drainSeconds * 1000);
    log.info('gateway stopped');
    return 0;
  } finally {
    caching.abort();
    await Promise.all([caches, checking]);
    await health.close();
    await Promise.all([client.close(), embedders.close(), stopTracing()]);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

function lacking({ missing }: AccessCheck): string | undefined {
  if (missing === undefined) return 'not asked yet';
  return missing.length === 0 ? undefined : `missing: ${missing.map(permissionText).join(', ')}`;
}

function unsynced(informers: readonly Informer<KubeObject>[]): string | undefined {
  const missing = informers.filter(({ hasSynced }) => !hasSynced).map(({ type }) => type.plural);
  return missing.length === 0 ? undefined : `not read yet: ${missing.join(', ')}`;
}
