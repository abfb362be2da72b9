import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeClient, KubeError, NODES } from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import { nodeObject, nodeStatus } from './node-object.ts';

export type Registration = {
  readonly client: KubeClient;
  readonly name: string;
  readonly address: string;
  /** Where the node answers for logs; left out when it doesn't. */
  readonly logPort?: number;
  readonly log: Logger;
};

/** A real control plane gives a node up after 40 s without a sign. Source: `--node-monitor-grace-period`. */
const HEARTBEAT_SECONDS = 10;
const RETRY_MILLISECONDS = 1000;

async function writeStatus({ client, name, address, logPort }: Registration): Promise<void> {
  const key = { namespace: '', name };
  const known = await client.find(NODES, key);
  const node = known ?? (await client.create(NODES, nodeObject(name)));
  const previous = node.status?.conditions ?? [];
  const port = logPort === undefined ? {} : { logPort };
  const status = nodeStatus({ name, address, ...port, now: new Date().toISOString(), previous });
  await client.patch(NODES, key, { status }, { type: 'merge', subresource: 'status' });
}

/** Registers the node; tries until the API server takes it or `signal` aborts. */
export async function registerNode(registration: Registration, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await writeStatus(registration);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      registration.log.warn({ err: error }, 'node not registered yet');
      await sleep(RETRY_MILLISECONDS, undefined, { signal });
    }
  }
}

/** Shows that the node is alive, until `signal` aborts; a deleted Node is registered again. */
export async function heartbeat(registration: Registration, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(HEARTBEAT_SECONDS * 1000, undefined, { signal, ref: false });
      await writeStatus(registration);
    } catch (error) {
      if (!signal.aborted) registration.log.warn({ err: error }, 'node heartbeat failed');
    }
  }
}
