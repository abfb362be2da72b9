import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Watchdog } from '../../../sandbox/node/watchdog.ts';
import type { Credentials } from './credentials.ts';
import { Daemon, type DaemonOptions } from './daemon.ts';
import { freePort } from './free-port.ts';

export type ApiServerOptions = {
  readonly file: string;
  readonly directory: string;
  readonly watchdog: Watchdog;
  readonly address: string;
  /** Cluster addresses of Services come from it. */
  readonly serviceRange: string;
  readonly etcd: string;
  readonly credentials: Credentials;
};

/** One entry per request, when it is answered; health checks left out. JSON, which is YAML. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  omitManagedFields: true,
  rules: [{ level: 'None', nonResourceURLs: ['/readyz*', '/livez*', '/healthz*'] }, { level: 'Metadata' }],
};

/** A real API server with storage, tokens and audit log of its own. */
export class KubeApiServer {
  readonly #options: DaemonOptions;
  readonly #ca: string;
  readonly url: string;
  readonly auditLog: string;
  #daemon: Daemon;
  #stopped = false;

  private constructor(made: Made, daemon: Daemon) {
    this.#options = made.daemon;
    this.#ca = made.ca;
    this.url = made.url;
    this.auditLog = made.auditLog;
    this.#daemon = daemon;
  }

  static async start(options: ApiServerOptions): Promise<KubeApiServer> {
    const made = await make(options);
    const server = new KubeApiServer(made, await Daemon.start(made.daemon));
    await server.#untilReady();
    return server;
  }

  get pid(): number {
    return this.#daemon.pid;
  }

  /** Ends it as a crash does, and starts it again after a while; resolves when it is ready. */
  async restart(awayMilliseconds: number): Promise<void> {
    await this.#daemon.kill();
    await sleep(awayMilliseconds);
    if (this.#stopped) return;
    this.#daemon = await Daemon.start(this.#options);
    await this.#untilReady();
  }

  async #untilReady(): Promise<void> {
    try {
      await this.#daemon.untilReady(async () => (await statusOf(`${this.url}/readyz`, this.#ca)) === 200);
    } catch (error) {
      await this.#daemon.kill();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#daemon.kill();
  }
}

type Made = {
  readonly daemon: DaemonOptions;
  readonly url: string;
  readonly ca: string;
  readonly auditLog: string;
};

async function make(options: ApiServerOptions): Promise<Made> {
  const { file, directory, watchdog, address, serviceRange, etcd, credentials } = options;
  const { files } = credentials;
  const port = await freePort(address);
  const auditPolicy = join(directory, 'audit-policy.json');
  await writeFile(auditPolicy, JSON.stringify(AUDIT_POLICY));
  const auditLog = join(directory, 'audit.log');
  const flags = {
    'etcd-servers': etcd,
    'bind-address': address,
    'secure-port': port,
    'advertise-address': address,
    // Endpoints of the Service `kubernetes` may not be loopback addresses.
    'endpoint-reconciler-type': 'none',
    'service-cluster-ip-range': serviceRange,
    'cert-dir': directory,
    'tls-cert-file': files.serverCertificate,
    'tls-private-key-file': files.serverKey,
    'token-auth-file': files.tokens,
    'authorization-mode': 'Node,RBAC',
    // As OpenShift does: who owns what blocks a deletion may finalize the owner.
    'enable-admission-plugins': 'NodeRestriction,OwnerReferencesPermissionEnforcement',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': files.serviceAccountPublicKey,
    'service-account-signing-key-file': files.serviceAccountKey,
    'kubelet-certificate-authority': files.serverCertificate,
    'kubelet-client-certificate': files.kubeletClientCertificate,
    'kubelet-client-key': files.kubeletClientKey,
    'kubelet-preferred-address-types': 'InternalIP',
    'audit-policy-file': auditPolicy,
    'audit-log-path': auditLog,
    profiling: false,
  };
  return {
    daemon: {
      name: 'kube-apiserver',
      file,
      directory,
      watchdog,
      arguments: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    },
    url: `https://${address}:${port}`,
    ca: credentials.server.certPem,
    auditLog,
  };
}

function statusOf(url: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, agent: false, timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', reject);
    call.end();
  });
}
