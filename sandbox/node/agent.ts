import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { EventRecorder } from '../../src/kube/index.ts';
import type { NodeAgentOptions } from './agent-options.ts';
import { Binder } from './binder.ts';
import { ClusterNetwork } from './cluster-network.ts';
import { type LogSource, serveLogs } from './log-endpoint.ts';
import { hostsFileOf, nodeHost } from './node-host.ts';
import { nodeObject } from './node-object.ts';
import { NodeObjects } from './node-objects.ts';
import { NodePods } from './node-pods.ts';
import { heartbeat, registerNode } from './node-registration.ts';
import type { PodRunner } from './pod-runner.ts';
import { type LogQuery, readLog } from './read-log.ts';
import { Watchdog } from './watchdog.ts';
import { podName, podNamespace } from './wire.ts';

export type NodeAgent = {
  /** The log of a container's current run, or the one before; undefined when it never ran here. */
  podLogs(source: LogSource, query: LogQuery & { readonly previous: boolean }): Readable | undefined;
  /** Kills the processes of a pod, as a crash does; its restart policy decides what follows. */
  killPod(namespace: string, name: string): void;
  /** Stops the processes of a pod where they stand: they hold their connections and say nothing. */
  pausePod(namespace: string, name: string): void;
  resumePod(namespace: string, name: string): void;
  /** Deletes everything a claim holds, while the pods that use it are down; they start again with an empty volume. */
  loseVolume(namespace: string, claim: string): Promise<void>;
  /** The addresses of a cluster name: for `installClusterDns` in this process. */
  resolve(name: string): readonly string[];
  /** The processes that run now, one per container. */
  processes(): readonly { readonly namespace: string; readonly pod: string; readonly pid: number }[];
  /** Kills all pods' processes, removes what the agent wrote; objects stay as they are. */
  stop(): Promise<void>;
};

/** How often tokens in mounted volumes are looked at. */
const TOKEN_CHECK_MILLISECONDS = 60_000;

/**
 * Plays kubelet, scheduler, kube-proxy and cluster DNS for one node, through the HTTP API alone: every container of a
 * pod becomes a process group on this machine, every pod gets an address of its own.
 * Resolves when the node is registered and everything that pods refer to has been read.
 */
export async function startNodeAgent(options: NodeAgentOptions): Promise<NodeAgent> {
  const { client, network, log, nodeName = 'sandbox' } = options;
  const pods = join(options.directory, 'pods');
  // What an agent that was killed left behind belongs to processes that are gone.
  await rm(pods, { recursive: true, force: true });
  await mkdir(pods, { recursive: true });
  const stopping = new AbortController();
  const watchdog = new Watchdog(options.removeOnDeath);
  const objects = new NodeObjects(client, log);
  const recorder = new EventRecorder({ client, controller: 'sandbox/node-agent', instance: nodeName, log });
  const nodePods = new NodePods(
    nodeHost(options, { objects, watchdog, recorder, directory: pods, signal: stopping.signal }),
  );
  const podExists = (address: string): boolean => nodePods.list().some(({ podIP }) => podIP === address);
  const hostsFile = hostsFileOf(options);
  const cluster = new ClusterNetwork({
    client,
    network,
    podExists,
    endpoints: options.endpointsFrom === 'pods' ? { kind: 'pods', pods: objects.pods } : { kind: 'slices' },
    hostsFile,
    log,
    signal: stopping.signal,
  });
  const nodeLabels = nodeObject(nodeName).metadata.labels ?? {};
  const binder = new Binder({ client, nodeName, nodeLabels, log, signal: stopping.signal });
  const endpoint = options.logEndpoint && (await serveLogs(network.nodeAddress, options.logEndpoint, podLogs));
  const logPort = endpoint === undefined ? {} : { logPort: endpoint.port };
  const registration = { client, name: nodeName, address: network.nodeAddress, ...logPort, log };
  const refreshing = setInterval(() => nodePods.refresh(), TOKEN_CHECK_MILLISECONDS).unref();

  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= shutDown());
  options.signal.addEventListener('abort', () => void stop(), { once: true });

  const watching = objects.start(stopping.signal);
  await registerNode(registration, options.signal);
  const beating = heartbeat(registration, stopping.signal);
  await Promise.race([Promise.all([objects.whenReferencesSynced(), cluster.whenSynced()]), aborted(options.signal)]);
  followObjects();
  log.info({ node: nodeName, network: network.prefix }, 'node agent started');

  function followObjects(): void {
    for (const informer of [objects.configMaps, objects.secrets, objects.claims]) {
      informer.onChange(({ object }) => nodePods.refresh(object.metadata.namespace ?? ''));
    }
    objects.volumes.onChange(({ object }) => nodePods.refresh(object.spec?.claimRef?.namespace ?? ''));
    objects.pods.onChange(({ type, object }) => {
      if (stopping.signal.aborted) return;
      if (object.spec?.nodeName === undefined) binder.consider(object);
      else if (object.spec.nodeName === nodeName && type !== 'deleted') nodePods.changed(object);
      if (type !== 'deleted') return;
      nodePods.deleted(object);
      cluster.podChanged(podNamespace(object));
    });
  }

  async function shutDown(): Promise<void> {
    clearInterval(refreshing);
    stopping.abort();
    await endpoint?.close();
    await nodePods.stop();
    await Promise.all([watching, beating, cluster.close(), recorder.stop()]);
    await watchdog.close();
    await rm(pods, { recursive: true, force: true });
    log.info({ node: nodeName }, 'node agent stopped');
  }

  function podLogs(
    { namespace, pod, container }: LogSource,
    query: LogQuery & { readonly previous: boolean },
  ): Readable | undefined {
    const log = nodePods.find(namespace, pod)?.logOf(container, query.previous);
    return log === undefined ? undefined : readLog(log, query);
  }

  function runnerOf(namespace: string, name: string): PodRunner {
    const runner = nodePods.find(namespace, name);
    if (runner === undefined) throw new Error(`no pod ${namespace}/${name} runs on node ${nodeName}`);
    return runner;
  }

  return {
    podLogs,
    killPod: (namespace, name) => runnerOf(namespace, name).crash(),
    pausePod: (namespace, name) => runnerOf(namespace, name).pause(),
    resumePod: (namespace, name) => runnerOf(namespace, name).resume(),
    async loseVolume(namespace, claim) {
      const found = objects.claimDirectory(namespace, claim);
      if (!found.ok) throw new Error(found.message);
      const users = nodePods.list().filter(({ pod, usesClaim }) => podNamespace(pod) === namespace && usesClaim(claim));
      await whileDown(users, () => emptyDirectory(found.path));
    },
    resolve: (name) => cluster.resolve(name) ?? [],
    processes: () =>
      nodePods.list().flatMap(({ pod, pids }) => {
        const where = { namespace: podNamespace(pod), pod: podName(pod) };
        return pids.map((pid) => ({ ...where, pid }));
      }),
    stop,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Does the work while none of the pods runs. */
function whileDown(runners: readonly PodRunner[], work: () => Promise<void>): Promise<void> {
  const [first, ...rest] = runners;
  return first === undefined ? work() : first.crashFor(() => whileDown(rest, work));
}

async function emptyDirectory(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true, force: true });
}
