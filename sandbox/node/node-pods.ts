import type { Pod } from '../../src/kube/index.ts';
import { KeyedTasks } from './keyed-tasks.ts';
import type { PodHost } from './pod-host.ts';
import { PodRunner } from './pod-runner.ts';
import { podName, podNamespace, podUid } from './wire.ts';

const isTerminal = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** The pods of this node, each with the runner that makes it real. */
export class NodePods {
  readonly #host: PodHost;
  readonly #runners = new Map<string, PodRunner>();
  readonly #refreshes: KeyedTasks;
  readonly #ending = new Set<Promise<void>>();

  constructor(host: PodHost) {
    this.#host = host;
    this.#refreshes = new KeyedTasks(async (uid) => this.#runners.get(uid)?.refreshVolumes());
  }

  /** Takes in a new or changed pod of this node. */
  changed(pod: Pod): void {
    const runner = this.#runners.get(podUid(pod));
    if (runner !== undefined) {
      runner.update(pod);
      this.#refreshes.request(podUid(pod));
      return;
    }
    if (pod.metadata.deletionTimestamp !== undefined) {
      // Its processes ended with an earlier agent.
      this.#track(this.#host.removePod(pod));
      return;
    }
    if (isTerminal(pod)) return;
    const started = new PodRunner(pod, this.#host);
    this.#runners.set(podUid(pod), started);
    started.start();
  }

  /** The object is gone: what still runs of it ends now. */
  deleted(pod: Pod): void {
    const runner = this.#runners.get(podUid(pod));
    if (runner === undefined) return;
    this.#track(runner.end(0, false).finally(() => this.#runners.delete(podUid(pod))));
  }

  #track(work: Promise<void>): void {
    const settled = work.catch((error: unknown) => this.#host.log.error({ err: error }, 'pod not cleaned up'));
    this.#ending.add(settled);
    void settled.finally(() => this.#ending.delete(settled));
  }

  /** Something that pods of the namespace may mount has changed. */
  refresh(namespace?: string): void {
    for (const [uid, runner] of this.#runners) {
      if (namespace === undefined || podNamespace(runner.pod) === namespace) this.#refreshes.request(uid);
    }
  }

  find(namespace: string, name: string): PodRunner | undefined {
    return this.list().find(({ pod }) => podNamespace(pod) === namespace && podName(pod) === name);
  }

  list(): PodRunner[] {
    return [...this.#runners.values()];
  }

  /** Kills everything at once; objects stay as they are. */
  async stop(): Promise<void> {
    await this.#refreshes.close();
    await Promise.all(this.list().map((runner) => runner.end(0, false)));
    await Promise.all(this.#ending);
    this.#runners.clear();
  }
}
