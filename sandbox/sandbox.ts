import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionFromKubeconfig, type Deployment, KubeClient, type KubeObject } from '../src/kube/index.ts';
import { type Logger, silentLogger } from '../src/telemetry/index.ts';
import {
  type ControlPlane,
  type EmbeddedControlPlane,
  type StartControlPlane,
  startEmbeddedControlPlane,
} from './control-plane.ts';
import { asInstalled, installDefinitions, installOperator, isGateway } from './install.ts';
import { type NodeAgent, startNodeAgent } from './node/agent.ts';
import type { NodeAgentOptions } from './node/agent-options.ts';
import { installClusterDns } from './node/cluster-dns-client.ts';
import { createNetwork, type Network } from './node/network.ts';
import { sandboxRuntimes } from './node/runtimes.ts';

export const OPERATOR_NAMESPACE = 'qdrant-librarian-system';
export const OPERATOR_USER = `system:serviceaccount:${OPERATOR_NAMESPACE}:qdrant-librarian`;

export type SandboxOptions = {
  readonly log?: Logger;
  /** More settings of the operator, as `QDRANT_LIBRARIAN_*` variables. */
  readonly operatorEnvironment?: Readonly<Record<string, string>>;
  /** False: the caller runs the operator, or none. */
  readonly operator?: boolean;
  /** How many gateways run; none when not given. */
  readonly gateways?: number;
  /** More variables for every container, and how soon one that ended is started again. */
  readonly node?: Pick<NodeAgentOptions, 'environment' | 'backoff'>;
};

/** A running Kubernetes with the operator in it: a control plane, and a node whose pods are processes. */
export type Sandbox<T extends ControlPlane = EmbeddedControlPlane> = {
  /** Everything the sandbox writes lies under it; gone after `stop`. */
  readonly directory: string;
  readonly network: Network;
  readonly controlPlane: T;
  readonly agent: NodeAgent;
  /** As `system:admin`. */
  readonly admin: KubeClient;
  /** A file that kubectl takes. */
  readonly kubeconfigFile: string;
  stop(): Promise<void>;
};

/** Faster than in production, so that a demonstration does not wait; the settling time stays as it is. */
const OPERATOR_ENVIRONMENT = {
  QDRANT_LIBRARIAN_RESYNC_SECONDS: '2',
  QDRANT_LIBRARIAN_BUSY_SECONDS: '0.25',
  QDRANT_LIBRARIAN_LEASE_SECONDS: '4',
  QDRANT_LIBRARIAN_RENEW_SECONDS: '3',
  QDRANT_LIBRARIAN_RETRY_SECONDS: '0.5',
};

const GATEWAY_ENVIRONMENT = {
  QDRANT_LIBRARIAN_GATEWAY_LEAVE_SECONDS: '1',
  QDRANT_LIBRARIAN_GATEWAY_SKETCH_SECONDS: '2',
  QDRANT_LIBRARIAN_GATEWAY_SKETCH_REST_SECONDS: '4',
};
/** Where the gateways serve, by a name that pods and this process resolve. */
export const GATEWAY_URL = `http://qdrant-librarian-gateway.${OPERATOR_NAMESPACE}.svc:6333`;

/**
 * Starts a control plane, the embedded one when none is given, a node agent and, unless told otherwise, the operator as
 * a pod under its own account. When it rejects, nothing is left running.
 */
export function startSandbox(options?: SandboxOptions): Promise<Sandbox>;
export function startSandbox<T extends ControlPlane>(
  options: SandboxOptions,
  startControlPlane: StartControlPlane<T>,
): Promise<Sandbox<T>>;
export async function startSandbox(
  options: SandboxOptions = {},
  startControlPlane: StartControlPlane<ControlPlane> = startEmbeddedControlPlane,
): Promise<Sandbox<ControlPlane>> {
  const cleanups: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    return { ...(await start(options, { startControlPlane, cleanups })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Making = {
  readonly startControlPlane: StartControlPlane<ControlPlane>;
  /** What undoes it, in the order in which it was done. */
  readonly cleanups: (() => Promise<void>)[];
};

async function start(options: SandboxOptions, { startControlPlane, cleanups }: Making) {
  const { log = silentLogger } = options;
  const stopping = new AbortController();
  const directory = await mkdtemp(join(tmpdir(), 'qdrant-librarian-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  const network = await createNetwork();
  cleanups.push(() => network.close());

  const controlPlane = await startControlPlane({
    directory,
    network,
    log,
    podLogs: (source, query) => agent.podLogs(source, { ...query, previous: query.previous ?? false }),
  });
  cleanups.push(() => controlPlane.stop());
  const clientFor = (user: string): KubeClient => {
    const config = connectionFromKubeconfig(controlPlane.kubeconfig(user));
    const client = new KubeClient({ config, userAgent: user, log });
    cleanups.push(() => client.close());
    return client;
  };
  const admin = clientFor('system:admin');

  const agent = await startNodeAgent({
    ...options.node,
    ...controlPlane.node,
    client: clientFor('system:node:sandbox'),
    directory: join(directory, 'node'),
    runtimes: await sandboxRuntimes(join(directory, 'runtimes')),
    network,
    log: log.child({ part: 'node' }),
    signal: stopping.signal,
    removeOnDeath: directory,
  });
  const uninstallDns = installClusterDns((name) => agent.resolve(name));
  cleanups.push(async () => {
    uninstallDns();
    await agent.stop();
    stopping.abort();
  });

  const kubeconfigFile = join(directory, 'kubeconfig');
  await writeFile(kubeconfigFile, controlPlane.kubeconfig('system:admin', 'default'), { mode: 0o600 });
  await installDefinitions(admin);
  if (options.operator !== false) {
    const installed = {
      environment: { ...OPERATOR_ENVIRONMENT, ...options.operatorEnvironment },
      gateways: { replicas: options.gateways ?? 0, environment: GATEWAY_ENVIRONMENT },
    };
    await installOperator(admin, (object) => onItsAddress(asInstalled(object, installed)));
  }
  return { directory, network, controlPlane, agent, admin, kubeconfigFile };
}

/** On all addresses a gateway would take the port from every Qdrant. */
function onItsAddress(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment' || !isGateway(object)) return object;
  for (const container of (object as Deployment).spec?.template.spec?.containers ?? []) {
    const valueFrom = { fieldRef: { fieldPath: 'status.podIP' } };
    container.env = [...(container.env ?? []), { name: 'QDRANT_LIBRARIAN_GATEWAY_HOST', valueFrom }];
  }
  return object;
}
