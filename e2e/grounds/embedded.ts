import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ExternalQdrant, startExternalQdrant } from '../../sandbox/external-qdrant.ts';
import { OPERATOR_NAMESPACE, OPERATOR_USER, type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { type ObjectKey, PODS } from '../../src/kube/index.ts';
import {
  allNeedsBut,
  type Basics,
  type Capabilities,
  type ControlPlane,
  type GroundOptions,
  type Need,
  type OutsideQdrant,
} from '../ground.ts';
import { QUICK_OPERATOR } from '../stage/operator-settings.ts';

/** A container that is killed again and again comes back again and again. */
const BACKOFF = { baseMilliseconds: 100, maximumMilliseconds: 1000, resetAfterMilliseconds: 20_000 };

const realQdrant = (): boolean => (process.env['QDRANT_BIN'] ?? '') !== '';

export const parts = (): string =>
  `control plane embedded, node embedded (pods are processes), Qdrant ${realQdrant() ? 'REAL' : 'embedded'}`;

/** What only machines with the real thing have. */
const REAL_ONLY: readonly Need[] = [
  'real-controllers',
  'flow-control',
  'pod-network',
  'pod-security',
  'memory-limits',
  'volume-expansion',
  'kubelet-restart',
  'object-store',
];

export function provides(): ReadonlySet<Need> {
  const missing = new Set(REAL_ONLY);
  if (realQdrant()) missing.add('qdrant-faults');
  if (!hasKubectl()) missing.add('kubectl');
  if (process.platform !== 'linux') missing.add('command-lines');
  return allNeedsBut(missing);
}

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The sandbox as a ground: everything in one process tree. */
export async function start(options: GroundOptions): Promise<Basics & Partial<Capabilities>> {
  const sandbox = await startSandbox({
    operatorEnvironment: { ...QUICK_OPERATOR, ...options.operator },
    node: { backoff: BACKOFF, environment: { SANDBOX_QDRANT_FAULTS: '1' } },
  });
  const {
    admin,
    agent,
    controlPlane: { api },
  } = sandbox;
  const outside: OutsideServer[] = [];
  return {
    name: 'embedded',
    admin,
    kubeconfigFile: sandbox.kubeconfigFile,
    operator: { namespace: OPERATOR_NAMESPACE, deployment: 'qdrant-librarian', user: OPERATOR_USER },
    kill: async ({ namespace, name }) => agent.killPod(namespace, name),
    pause: async ({ namespace, name }) => agent.pausePod(namespace, name),
    resume: async ({ namespace, name }) => agent.resumePod(namespace, name),
    loseVolume: ({ namespace, name }) => agent.loseVolume(namespace, name),
    faults: api.faults,
    controlPlane: controlPlane(sandbox),
    audit: api.audit,
    ...(hasKubectl() ? { kubectl: 'kubectl' } : {}),
    outsideQdrant() {
      const server = new OutsideServer(sandbox, outside.length);
      outside.push(server);
      return server;
    },
    strikeQdrant: async (pod, fault) => faultCall(sandbox, pod, { method: 'POST', body: JSON.stringify(fault) }),
    healQdrant: async (pod) => faultCall(sandbox, pod, { method: 'DELETE' }),
    commandLines: () =>
      commandLines([...agent.processes().map(({ pid }) => pid), ...outside.flatMap((one) => one.pids)]),
    async operatorMetrics() {
      const pods = await admin.listAll(PODS, { namespace: OPERATOR_NAMESPACE });
      const texts = await Promise.all(
        pods.map(async ({ status }) => (await fetch(`http://${status?.podIP}:8080/metrics`)).text()),
      );
      return texts.join('\n');
    },
    async stop() {
      await Promise.all(outside.map((server) => server.stop()));
      await sandbox.stop();
    },
  };
}

/** One in-process server with its storage in memory: away, it loses connections and watches, as a restart does. */
function controlPlane({ controlPlane: { api } }: Sandbox): ControlPlane {
  return {
    async restart({ awayMilliseconds = 1000 } = {}) {
      api.faults.outage(awayMilliseconds);
      await sleep(awayMilliseconds);
      api.faults.endOutage();
    },
    compact: async () => api.compact(),
  };
}

class OutsideServer implements OutsideQdrant {
  readonly url: string;
  readonly #address: string;
  readonly #directory: string;
  #running: ExternalQdrant | undefined;

  constructor(sandbox: Sandbox, index: number) {
    this.#address = sandbox.network.pods.allocate();
    this.#directory = join(sandbox.directory, `outside-${index}`);
    this.url = `http://${this.#address}:6333`;
  }

  get pids(): readonly number[] {
    return this.#running === undefined ? [] : [this.#running.pid];
  }

  async start({ apiKey, version }: { readonly apiKey: string; readonly version?: string }): Promise<void> {
    this.#running = await startExternalQdrant({
      directory: this.#directory,
      address: this.#address,
      apiKey,
      ...(version === undefined ? {} : { environment: { SANDBOX_QDRANT_VERSION: version } }),
      signal: new AbortController().signal,
    });
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }
}

type FaultRequest = { readonly method: string; readonly body?: string };

async function faultCall({ admin }: Sandbox, key: ObjectKey, request: FaultRequest): Promise<void> {
  const { status } = await admin.get(PODS, key);
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`http://${status?.podIP}:6333/__faults`, { headers, ...request });
  if (!answer.ok) throw new Error(`${key.name} takes no fault: ${answer.status} ${await answer.text()}`);
}

async function commandLines(pids: readonly number[]): Promise<string[]> {
  const children = await Promise.all(pids.map(descendants));
  return Promise.all(
    [...pids, ...children.flat()].map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
}

async function descendants(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}
