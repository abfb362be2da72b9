import { arch, availableParallelism, platform, release, totalmem } from 'node:os';
import type { Node } from '../../src/kube/index.ts';

type NodeStatus = NonNullable<Node['status']>;
type NodeCondition = NonNullable<NodeStatus['conditions']>[number];

const MAXIMUM_PODS = 110;
const ARCHITECTURES = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
]);

const architecture = (): string => ARCHITECTURES.get(arch()) ?? arch();

/** The Node this agent registers. */
export function nodeObject(name: string): Node {
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': platform(),
    'kubernetes.io/arch': architecture(),
  };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {} };
}

/** Its status; `now` is RFC 3339. An unchanged condition keeps the time of its last change. */
export function nodeStatus(options: {
  readonly name: string;
  readonly address: string;
  readonly logPort?: number;
  readonly now: string;
  readonly previous: readonly NodeCondition[];
}): NodeStatus {
  const { name, address, logPort, now, previous } = options;
  const condition = (type: string, status: 'True' | 'False', reason: string, message: string): NodeCondition => {
    const before = previous.find((candidate) => candidate.type === type);
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
    return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime };
  };
  const memory = `${Math.floor(totalmem() / 1024)}Ki`;
  const capacity = { cpu: String(availableParallelism()), memory, pods: String(MAXIMUM_PODS) };
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    ...(logPort === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: logPort } } }),
    capacity,
    allocatable: capacity,
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'node agent has sufficient memory available'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'node agent has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'node agent has sufficient PID available'),
      condition('Ready', 'True', 'KubeletReady', 'node agent runs pods as processes'),
    ],
    nodeInfo: {
      architecture: architecture(),
      operatingSystem: platform(),
      osImage: `${platform()} host processes`,
      kernelVersion: release(),
      kubeletVersion: 'v1.36.0-sandbox',
      kubeProxyVersion: 'v1.36.0-sandbox',
      containerRuntimeVersion: `process://${process.version}`,
      bootID: '',
      machineID: '',
      systemUUID: '',
    },
  };
}
