import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyAll, installDefinitions, installOperator } from '../../sandbox/install.ts';
import { type ApiServer, startApiServer } from '../../sandbox/kube/index.ts';
import { createNetwork, type Network } from '../../sandbox/node/network.ts';
import { Watchdog } from '../../sandbox/node/watchdog.ts';
import { OPERATOR_USER } from '../../sandbox/sandbox.ts';
import { connectionFromKubeconfig, KubeClient } from '../../src/kube/index.ts';
import { API_KEY, cluster, library, sharedObjects } from './objects.ts';
import { NodeProcess } from './process.ts';

export type WorldOptions = {
  readonly clusters: number;
  readonly librariesPerCluster: number;
  readonly signal: AbortSignal;
};

/** All that an operator needs to work, but the operator. */
export type World = {
  readonly directory: string;
  readonly network: Network;
  readonly watchdog: Watchdog;
  readonly api: ApiServer;
  /** For the operator's own account, which may do what `manifests/base` allows it. */
  readonly kubeconfigFile: string;
  readonly engines: NodeProcess;
  stop(): Promise<void>;
};

const ENGINES = join(import.meta.dirname, 'engines.ts');
const START_MILLISECONDS = 60_000;
/** Requests at a time while objects are written. */
const WRITERS = 8;

/**
 * Starts an API server, and a Qdrant of one peer for each cluster; then writes the definitions, the operator's rights
 * and all objects. When it rejects, nothing is left running.
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const cleanups: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    return { ...(await start(options, cleanups)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  { clusters, librariesPerCluster, signal }: WorldOptions,
  cleanups: (() => Promise<void>)[],
): Promise<Omit<World, 'stop'>> {
  const directory = await mkdtemp(join(tmpdir(), 'librarian-bench-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  const network = await createNetwork();
  cleanups.push(() => network.close());
  const watchdog = new Watchdog(directory);
  cleanups.push(() => watchdog.close());
  const api = await startApiServer({ host: network.nodeAddress });
  cleanups.push(() => api.stop());
  const addresses = Array.from({ length: clusters }, () => network.pods.allocate());
  const engines = await startEngines({ directory, addresses, watchdog, signal });
  cleanups.push(() => engines.stop());

  const admin = new KubeClient({
    config: connectionFromKubeconfig(api.kubeconfig('system:admin')),
    userAgent: 'bench',
  });
  try {
    await installDefinitions(admin);
    // No controller makes pods of its Deployment here.
    await installOperator(admin, (object) => object);
    await applyAll(admin, sharedObjects());
    const objects = addresses.flatMap((address, number) => [
      cluster(number, address),
      ...Array.from({ length: librariesPerCluster }, (_, index) =>
        library(number * librariesPerCluster + index, number),
      ),
    ]);
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      applyAll(
        admin,
        objects.filter((_object, index) => index % WRITERS === writer),
      ),
    );
    await Promise.all(writers);
  } finally {
    await admin.close();
  }
  const kubeconfigFile = join(directory, 'operator.kubeconfig');
  await writeFile(kubeconfigFile, api.kubeconfig(OPERATOR_USER), { mode: 0o600 });
  return { directory, network, watchdog, api, kubeconfigFile, engines };
}

type EnginesOptions = {
  readonly directory: string;
  readonly addresses: readonly string[];
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal;
};

async function startEngines({ directory, addresses, watchdog, signal }: EnginesOptions): Promise<NodeProcess> {
  const ready = Promise.withResolvers<void>();
  const engines = await NodeProcess.start({
    arguments: [ENGINES, join(directory, 'engines'), ...addresses],
    environment: { QDRANT__SERVICE__API_KEY: API_KEY },
    watchdog,
    onLine: (line) => {
      if (line === 'ready') ready.resolve();
    },
  });
  const late = AbortSignal.any([signal, AbortSignal.timeout(START_MILLISECONDS)]);
  const given = new Promise<void>((resolve) => late.addEventListener('abort', () => resolve(), { once: true }));
  const ended = engines.exited.then(() => engines.assertRunning());
  try {
    await Promise.race([ready.promise, given, ended]);
    late.throwIfAborted();
    return engines;
  } catch (error) {
    await engines.stop();
    throw error;
  }
}
