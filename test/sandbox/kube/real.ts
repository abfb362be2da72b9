import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCredentials } from '../../../e2e/grounds/control-plane/credentials.ts';
import { Etcd } from '../../../e2e/grounds/control-plane/etcd.ts';
import { KubeApiServer } from '../../../e2e/grounds/control-plane/kube-apiserver.ts';
import { kubeconfig } from '../../../sandbox/kube/kubeconfig.ts';
import { Watchdog } from '../../../sandbox/node/watchdog.ts';

/** A kube-apiserver of Kubernetes over an etcd, both on loopback, without controllers. */
export type RealServer = {
  readonly url: string;
  readonly caPem: string;
  /** Token of a member of `system:masters`. */
  readonly token: string;
  kubeconfig(namespace: string): string;
  /** Forgets old revisions: compacts the storage and restarts the server, whose memory of changes goes with it. */
  compact(): Promise<void>;
  stop(): Promise<void>;
};

const assets = process.env['KUBEBUILDER_ASSETS'] ?? '';
const ADDRESS = '127.0.0.1';
const ADMIN = 'system:admin';

function isThere(name: string): boolean {
  try {
    accessSync(join(assets, name), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why there is no real server to be had; false when there is. */
export const whyNotReal: string | false =
  assets !== '' && isThere('etcd') && isThere('kube-apiserver')
    ? false
    : 'KUBEBUILDER_ASSETS names no directory with etcd and kube-apiserver';

export async function startRealServer(): Promise<RealServer> {
  const directory = await mkdtemp(join(tmpdir(), 'real-kube-'));
  const watchdog = new Watchdog(directory);
  const cleanups = [() => rm(directory, { recursive: true, force: true }), () => watchdog.close()];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    const credentials = await makeCredentials(directory, ADDRESS);
    const common = { directory, watchdog };
    const etcd = await Etcd.start({ file: join(assets, 'etcd'), ...common });
    cleanups.push(() => etcd.stop());
    const server = await KubeApiServer.start({
      file: join(assets, 'kube-apiserver'),
      ...common,
      address: ADDRESS,
      serviceRange: '10.0.0.0/16',
      etcd: etcd.url,
      credentials,
    });
    cleanups.push(() => server.stop());
    const { url } = server;
    const caPem = credentials.server.certPem;
    const token = credentials.tokens.get(ADMIN) ?? '';
    return {
      url,
      caPem,
      token,
      kubeconfig: (namespace) => kubeconfig({ url, caPem, user: ADMIN, token, namespace }),
      compact: async () => {
        await etcd.compact();
        await server.restart(0);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
