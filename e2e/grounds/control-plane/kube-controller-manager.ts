import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Watchdog } from '../../../sandbox/node/watchdog.ts';
import { Daemon } from './daemon.ts';

export type ControllerManagerOptions = {
  readonly file: string;
  readonly directory: string;
  readonly watchdog: Watchdog;
  readonly kubeconfig: string;
  /** Files: the CA of the API server, and the key that signs tokens of service accounts. */
  readonly rootCa: string;
  readonly serviceAccountKey: string;
};

/** They would write slices that the API server refuses, as pods have loopback addresses here. */
const LEFT_OUT = ['endpoints-controller', 'endpointslice-controller', 'endpointslice-mirroring-controller'];

/** Starts the controllers of Kubernetes; does not wait until they are at work. */
export async function startControllerManager(options: ControllerManagerOptions): Promise<Daemon> {
  const { file, directory, watchdog, rootCa, serviceAccountKey } = options;
  const kubeconfig = join(directory, 'kube-controller-manager.kubeconfig');
  await writeFile(kubeconfig, options.kubeconfig, { mode: 0o600 });
  const flags = {
    kubeconfig,
    'leader-elect': false,
    'secure-port': 0,
    'cert-dir': directory,
    'use-service-account-credentials': true,
    'service-account-private-key-file': serviceAccountKey,
    'root-ca-file': rootCa,
    'flex-volume-plugin-dir': join(directory, 'volume-plugins'),
    controllers: ['*', ...LEFT_OUT.map((name) => `-${name}`)].join(),
    // The defaults slow down its own start by 5 s (measured).
    'kube-api-qps': 500,
    'kube-api-burst': 1000,
    profiling: false,
  };
  return Daemon.start({
    name: 'kube-controller-manager',
    file,
    directory,
    watchdog,
    arguments: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
  });
}
