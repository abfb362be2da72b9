import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeClient, KubeError, keyOf, PODS, type Pod } from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import { podName, podNamespace, podUid } from './wire.ts';

export type BinderOptions = {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

const RETRY_MILLISECONDS = 1000;
const DEFAULT_SCHEDULER = 'default-scheduler';

/**
 * Whether the only node may take the pod. Affinity, spread and taints are not looked at: with one node they could only
 * keep pods from running.
 */
export function fitsNode(pod: Pod, labels: Readonly<Record<string, string>>): boolean {
  const { spec, metadata } = pod;
  if (spec?.nodeName !== undefined || metadata.deletionTimestamp !== undefined) return false;
  if ((spec?.schedulerName ?? DEFAULT_SCHEDULER) !== DEFAULT_SCHEDULER) return false;
  if ((spec?.schedulingGates ?? []).length > 0) return false;
  return Object.entries(spec?.nodeSelector ?? {}).every(([name, value]) => labels[name] === value);
}

/** Binds pods to the node: plays the scheduler where there is none. */
export class Binder {
  readonly #options: BinderOptions;
  readonly #binding = new Set<string>();

  constructor(options: BinderOptions) {
    this.#options = options;
  }

  /** Looks at a new or changed pod. */
  consider(pod: Pod): void {
    const { nodeLabels, signal } = this.#options;
    if (signal.aborted || this.#binding.has(podUid(pod)) || !fitsNode(pod, nodeLabels)) return;
    this.#binding.add(podUid(pod));
    void this.#bind(pod).finally(() => this.#binding.delete(podUid(pod)));
  }

  async #bind(pod: Pod): Promise<void> {
    const { client, nodeName, signal, log } = this.#options;
    const metadata = { name: podName(pod), namespace: podNamespace(pod), uid: podUid(pod) };
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata, target };
    while (!signal.aborted) {
      try {
        await client.subresource(PODS, keyOf(pod), 'binding', { body, signal });
        return;
      } catch (error) {
        // Gone, or bound by someone else: nothing is left to do.
        if (signal.aborted || (error instanceof KubeError && [404, 409].includes(error.status))) return;
        log.warn({ pod: podName(pod), err: error }, 'pod not bound yet');
        await sleep(RETRY_MILLISECONDS);
      }
    }
  }
}
