import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { selfSigned } from '../../../sandbox/kube/certificate.ts';
import { kubeconfig } from '../../../sandbox/kube/kubeconfig.ts';
import { Watchdog } from '../../../sandbox/node/watchdog.ts';

/** A kube-apiserver of Kubernetes over an etcd, both on loopback. */
export type RealServer = {
  readonly url: string;
  readonly caPem: string;
  /** Token of a member of `system:masters`. */
  readonly token: string;
  readonly kubeconfig: string;
  /** Forgets old revisions: compacts the storage and restarts the server, whose memory of changes goes with it. */
  compact(): Promise<void>;
  stop(): Promise<void>;
};

const assets = process.env['KUBEBUILDER_ASSETS'] ?? '';
const binary = (name: string): string => join(assets, name);

/** Why there is no real server to be had; false when there is. */
export const whyNotReal: string | false =
  assets === ''
    ? 'KUBEBUILDER_ASSETS names no directory with kube-apiserver and etcd'
    : (['kube-apiserver', 'etcd'].map(binary).find((path) => !existsSync(path)) ?? false) && `${assets} lacks a binary`;

const READY_MILLISECONDS = 90_000;

export async function startRealServer(): Promise<RealServer> {
  const directory = await mkdtemp(join(tmpdir(), 'real-kube-'));
  const watchdog = new Watchdog(directory);
  const file = (name: string): string => join(directory, name);
  const [port, etcdPort, peerPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const certificate = selfSigned(['127.0.0.1', 'localhost'], Date.now());
  const accounts = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const token = randomBytes(16).toString('hex');
  await writeFile(file('tls.crt'), certificate.certPem);
  await writeFile(file('tls.key'), certificate.keyPem, { mode: 0o600 });
  await writeFile(file('sa.key'), accounts.privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  await writeFile(file('tokens.csv'), `${token},system:admin,1,"system:masters"\n`, { mode: 0o600 });

  const run = (name: string, args: readonly string[]): ChildProcess => {
    const log = openSync(file(`${name}.log`), 'a');
    const child = spawn(binary(name), args, { detached: true, stdio: ['ignore', log, log] });
    if (child.pid !== undefined) watchdog.add(child.pid);
    return child;
  };
  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    if (child.pid !== undefined) watchdog.remove(child.pid);
  };

  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const etcd = run('etcd', [
    `--data-dir=${file('etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    '--unsafe-no-fsync',
  ]);
  const startServer = (): ChildProcess =>
    run('kube-apiserver', [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--secure-port=${port}`,
      `--tls-cert-file=${file('tls.crt')}`,
      `--tls-private-key-file=${file('tls.key')}`,
      `--token-auth-file=${file('tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/16',
      `--service-account-key-file=${file('sa.key')}`,
      `--service-account-signing-key-file=${file('sa.key')}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    ]);
  const url = `https://127.0.0.1:${port}`;
  const caPem = certificate.certPem;
  let server = startServer();

  const ready = async (): Promise<void> => {
    const agent = new Agent({ connect: { ca: caPem } });
    const deadline = Date.now() + READY_MILLISECONDS;
    try {
      while (!(await answersReady(url, token, agent))) {
        if (Date.now() > deadline || server.exitCode !== null) {
          throw new Error(`kube-apiserver did not become ready: ${await tail(file('kube-apiserver.log'))}`);
        }
        await sleep(200);
      }
    } finally {
      await agent.destroy();
    }
  };

  const stop = async (): Promise<void> => {
    await end(server);
    await end(etcd);
    await watchdog.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    caPem,
    token,
    kubeconfig: kubeconfig({ url, caPem, user: 'system:admin', token }),
    compact: async () => {
      await compactEtcd(etcdUrl);
      await end(server);
      server = startServer();
      await ready();
    },
    stop,
  };
}

async function answersReady(url: string, token: string, dispatcher: Agent): Promise<boolean> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await request(`${url}/readyz`, { dispatcher, headers, headersTimeout: 5000 });
    await answer.body.dump();
    return answer.statusCode === 200;
  } catch {
    return false;
  }
}

/** Through etcd's JSON gateway. */
async function compactEtcd(url: string): Promise<void> {
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await request(url + path, { method: 'POST', body: JSON.stringify(body) });
    return answer.body.json();
  };
  const range = (await post('/v3/kv/range', { key: Buffer.from('x').toString('base64') })) as {
    header: { revision: string };
  };
  await post('/v3/kv/compaction', { revision: range.header.revision, physical: true });
}

const tail = async (path: string): Promise<string> => (await readFile(path, 'utf8')).slice(-2000);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
