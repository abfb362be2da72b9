import { join } from 'node:path';
import type { ControlPlane, StartControlPlane } from '../../sandbox/control-plane.ts';
import { GATEWAY_URL, OPERATOR_NAMESPACE, OPERATOR_USER, type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import type { Basics, Capabilities, GroundOptions, Need } from '../ground.ts';
import { QUICK_OPERATOR } from '../stage/operator-settings.ts';
import { commandLines } from './command-lines.ts';
import { OutsideEmbeddings } from './outside-embedders.ts';
import { OutsideServer } from './outside-server.ts';
import { metricsOfPods, qdrantFaults } from './pod-calls.ts';

/** A container that is killed again and again comes back again and again. */
const BACKOFF = { baseMilliseconds: 100, maximumMilliseconds: 1000, resetAfterMilliseconds: 20_000 };

const realQdrant = (): boolean => (process.env['QDRANT_BIN'] ?? '') !== '';

/** For the reader of a run, after the part about the control plane. */
export const nodeParts = (): string =>
  `node embedded (pods are processes), Qdrant ${realQdrant() ? 'REAL' : 'embedded'}`;

/** What no ground has whose pods are processes without containers. */
export function missingOnProcesses(): readonly Need[] {
  return [
    'pod-network',
    'memory-limits',
    'kubelet-restart',
    ...(realQdrant() ? (['qdrant-faults'] as const) : []),
    ...(process.platform === 'linux' ? [] : (['command-lines'] as const)),
  ];
}

/** Starts a sandbox with a control plane for scenarios. */
export const startProcesses = <T extends ControlPlane>(
  options: GroundOptions,
  startControlPlane: StartControlPlane<T>,
): Promise<Sandbox<T>> =>
  startSandbox(
    {
      operatorEnvironment: { ...QUICK_OPERATOR, ...options.operator },
      ...(options.gateways === undefined ? {} : { gateways: options.gateways }),
      node: { backoff: BACKOFF, environment: { SANDBOX_QDRANT_FAULTS: '1' } },
    },
    startControlPlane,
  );

/** What a sandbox offers to scenarios, whichever control plane it has. */
export function processesGround(
  name: string,
  sandbox: Sandbox<ControlPlane>,
): Basics & Pick<Capabilities, SharedCapability> {
  const { admin, agent, controlPlane } = sandbox;
  const outside: (OutsideServer | OutsideEmbeddings)[] = [];
  return {
    name,
    admin,
    kubeconfigFile: sandbox.kubeconfigFile,
    operator: { namespace: OPERATOR_NAMESPACE, deployment: 'qdrant-librarian', user: OPERATOR_USER },
    gatewayUrl: GATEWAY_URL,
    kill: async ({ namespace, name: pod }) => agent.killPod(namespace, pod),
    pause: async ({ namespace, name: pod }) => agent.pausePod(namespace, pod),
    resume: async ({ namespace, name: pod }) => agent.resumePod(namespace, pod),
    loseVolume: ({ namespace, name: claim }) => agent.loseVolume(namespace, claim),
    audit: controlPlane.audit,
    outsideQdrant() {
      const directory = join(sandbox.directory, `outside-${outside.length}`);
      const server = new OutsideServer({ directory, address: sandbox.network.pods.allocate() });
      outside.push(server);
      return server;
    },
    outsideEmbedder() {
      const server = new OutsideEmbeddings({ address: sandbox.network.pods.allocate() });
      outside.push(server);
      return server;
    },
    ...qdrantFaults(admin),
    commandLines: () =>
      commandLines([...agent.processes().map(({ pid }) => pid), ...outside.flatMap((one) => one.pids)]),
    operatorMetrics: () => metricsOfPods(admin, OPERATOR_NAMESPACE),
    async stop() {
      await Promise.all(outside.map((server) => server.stop()));
      await sandbox.stop();
    },
  };
}

type SharedCapability =
  | 'kill'
  | 'pause'
  | 'resume'
  | 'loseVolume'
  | 'audit'
  | 'gatewayUrl'
  | 'outsideQdrant'
  | 'outsideEmbedder'
  | 'strikeQdrant'
  | 'healQdrant'
  | 'commandLines';
