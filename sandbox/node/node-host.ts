import { dirname, join } from 'node:path';
import {
  type EventRecorder,
  type KubeClient,
  KubeError,
  keyOf,
  PODS,
  type Pod,
  SERVICE_ACCOUNTS,
} from '../../src/kube/index.ts';
import type { NodeAgentOptions } from './agent-options.ts';
import { SANDBOX_BACKOFF } from './backoff.ts';
import type { ContainerEvent } from './container-event.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { NodeObjects } from './node-objects.ts';
import type { PodHost } from './pod-host.ts';
import type { TokenRequest } from './volume-content.ts';
import type { Watchdog } from './watchdog.ts';
import { type PodStatus, podName, podNamespace, podUid } from './wire.ts';

const DNS_HOOK = new URL('dns-hook.ts', import.meta.url).href;
const LOG_BYTES = 1024 * 1024;

export type HostParts = {
  readonly objects: NodeObjects;
  readonly watchdog: Watchdog;
  readonly directory: string;
  readonly recorder: EventRecorder;
  readonly signal: AbortSignal;
};

/** What pods need of the node, made of the API server and this machine. */
export function nodeHost(options: NodeAgentOptions, parts: HostParts): PodHost {
  const { objects, watchdog, directory, recorder, signal } = parts;
  const { client, network, log, nodeName = 'sandbox' } = options;
  return {
    nodeName,
    hostIP: network.nodeAddress,
    directory,
    runtimes: options.runtimes,
    watchdog,
    backoff: options.backoff ?? SANDBOX_BACKOFF,
    logBytes: options.logBytes ?? LOG_BYTES,
    log,
    signal,
    allocateAddress: () => network.pods.allocate(),
    releaseAddress: (address) => network.pods.release(address),
    environment: environmentOf(options),
    references: (namespace) => objects.references(namespace),
    claimDirectory: (namespace, claim) => objects.claimDirectory(namespace, claim),
    requestToken: (pod, request) => requestToken(client, pod, request),
    kubeconfig: (token, namespace) => kubeconfigText(options.apiServer, token, namespace),
    writeStatus: (pod, status) => writeStatus(client, pod, status),
    removePod: (pod) => removePod(client, pod),
    onEvent: (pod, event) => recordEvent(recorder, pod, event),
  };
}

/** Where the agent keeps all cluster names, for programs without the DNS hook. */
export const hostsFileOf = ({ directory }: Pick<NodeAgentOptions, 'directory'>): string => join(directory, 'hosts');

/** `node` in scripts of containers means the Node that runs the sandbox. */
function environmentOf(options: NodeAgentOptions): Record<string, string> {
  const { network, environment } = options;
  return {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    LANG: 'C.UTF-8',
    SANDBOX_DNS: network.dnsServer,
    SANDBOX_HOSTS: hostsFileOf(options),
    NODE_OPTIONS: `--import ${DNS_HOOK}`,
    ...environment,
  };
}

async function requestToken(client: KubeClient, pod: Pod, request: Omit<TokenRequest, 'path'>): Promise<string> {
  const { audience, expirationSeconds } = request;
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: podName(pod), uid: podUid(pod) };
  const audiences = audience === undefined ? [] : [audience];
  const key = { namespace: podNamespace(pod), name: pod.spec?.serviceAccountName ?? 'default' };
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: key,
    spec: { audiences, expirationSeconds, boundObjectRef },
  };
  type TokenReview = { status: { token: string } };
  const answer = await client.subresource<TokenReview>(SERVICE_ACCOUNTS, key, 'token', { body });
  return answer.status.token;
}

/** A pod that is gone, or was replaced by another of its name, needs no status. */
async function writeStatus(client: KubeClient, pod: Pod, status: PodStatus): Promise<void> {
  const body = { metadata: { uid: podUid(pod) }, status };
  try {
    await client.patch(PODS, keyOf(pod), body, { type: 'merge', subresource: 'status' });
  } catch (error) {
    if (error instanceof KubeError && [404, 409, 422].includes(error.status)) return;
    throw error;
  }
}

async function removePod(client: KubeClient, pod: Pod): Promise<void> {
  try {
    await client.delete(PODS, keyOf(pod), { uid: podUid(pod), gracePeriodSeconds: 0 });
  } catch (error) {
    if (!(error instanceof KubeError && error.isConflict)) throw error;
  }
}

/** What was done, for the reasons that are told. */
const ACTIONS = new Map([
  ['Started', 'Starting'],
  ['Killing', 'Stopping'],
  ['BackOff', 'Restarting'],
  ['FailedMount', 'Mounting'],
  ['Unhealthy', 'Probing'],
]);

function recordEvent(recorder: EventRecorder, pod: Pod, { type, reason, message }: ContainerEvent): void {
  recorder.record(pod, { type, reason, action: ACTIONS.get(reason) ?? 'Starting', note: message });
}
