import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane, ControlPlaneParts } from '../../../sandbox/control-plane.ts';
import { startProvisioner } from '../../../sandbox/controllers/storage/provisioner.ts';
import { Faults } from '../../../sandbox/kube/index.ts';
import { kubeconfig } from '../../../sandbox/kube/kubeconfig.ts';
import { Watchdog } from '../../../sandbox/node/watchdog.ts';
import { connectionFromKubeconfig, KubeClient } from '../../../src/kube/index.ts';
import type { ControlPlane as Disturbance } from '../../ground.ts';
import { AuditLog } from './audit-log.ts';
import { makeCredentials } from './credentials.ts';
import { Etcd } from './etcd.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { KubeApiServer } from './kube-apiserver.ts';
import { startControllerManager } from './kube-controller-manager.ts';

/** Paths of the programs. */
export type Programs = Readonly<Record<'etcd' | 'kube-apiserver' | 'kube-controller-manager', string>>;

export type RealControlPlane = ControlPlane & Disturbance & { readonly faults: Faults };

const AWAY_MILLISECONDS = 1000;

/**
 * Starts etcd, kube-apiserver and kube-controller-manager as processes on the sandbox's own addresses, and beside them
 * the one controller that Kubernetes leaves to others: the provisioner of volumes.
 */
export async function startRealControlPlane(programs: Programs, parts: ControlPlaneParts): Promise<RealControlPlane> {
  const cleanups: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    return { ...(await start(programs, parts, cleanups)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(programs: Programs, parts: ControlPlaneParts, cleanups: (() => Promise<void>)[]) {
  const { network, log } = parts;
  const address = network.nodeAddress;
  const directory = join(parts.directory, 'control-plane');
  await mkdir(directory, { mode: 0o700 });
  const watchdog = new Watchdog(parts.directory);
  cleanups.push(() => watchdog.close());
  const credentials = await makeCredentials(directory, address);
  const common = { directory, watchdog };

  const etcd = await Etcd.start({ file: programs.etcd, ...common });
  cleanups.push(() => etcd.stop());
  const server = await KubeApiServer.start({
    file: programs['kube-apiserver'],
    ...common,
    address,
    serviceRange: network.serviceRange,
    etcd: etcd.url,
    credentials,
  });
  cleanups.push(() => server.stop());
  const audit = new AuditLog(server.auditLog);
  cleanups.push(async () => audit.close());

  const caPem = credentials.server.certPem;
  const configFor = (user: string, namespace?: string): string => {
    const token = credentials.tokens.get(user);
    if (token === undefined) throw new Error(`this control plane has no user ${user}`);
    return kubeconfig({ url: server.url, caPem, user, token, ...(namespace === undefined ? {} : { namespace }) });
  };
  const manager = await startControllerManager({
    file: programs['kube-controller-manager'],
    ...common,
    kubeconfig: configFor('system:kube-controller-manager'),
    rootCa: credentials.files.serverCertificate,
    serviceAccountKey: credentials.files.serviceAccountKey,
  });
  cleanups.push(() => manager.kill());

  const compact = async (): Promise<void> => {
    try {
      await etcd.compact();
    } catch (error) {
      log.warn({ err: error }, 'etcd not compacted');
    }
  };
  const faults = new Faults({ compact: () => void compact() });
  const certificate = credentials.server;
  const proxy = await startFaultProxy({ address, certificate, upstream: { url: server.url, caPem }, faults });
  cleanups.push(() => proxy.close());

  const user = 'system:node:sandbox';
  const client = new KubeClient({ config: connectionFromKubeconfig(configFor(user)), userAgent: 'provisioner', log });
  cleanups.push(() => client.close());
  const stopping = new AbortController();
  const provisioner = await startProvisioner({
    client,
    directory: join(parts.directory, 'volumes'),
    log: log.child({ part: 'provisioner' }),
    signal: stopping.signal,
  });
  cleanups.push(async () => {
    stopping.abort();
    await provisioner.stopped;
  });

  return {
    url: server.url,
    caPem,
    audit,
    faults,
    kubeconfig: configFor,
    node: {
      // Pods alone may be hit by faults: what starts and watches them is no part of the product.
      apiServer: { url: proxy.url, caPem },
      endpointsFrom: 'pods' as const,
      logEndpoint: { ...credentials.server, clientFingerprint: credentials.kubeletClientFingerprint },
    },
    restart: ({ awayMilliseconds = AWAY_MILLISECONDS } = {}) => server.restart(awayMilliseconds),
    compact: () => etcd.compact(),
  } satisfies Omit<RealControlPlane, 'stop'>;
}
