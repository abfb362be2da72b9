import { setTimeout as sleep } from 'node:timers/promises';
import { CLUSTERS, LIBRARIES, VECTORIZATION_JOBS } from '../../sandbox/run/wait.ts';
import {
  CONFIG_MAPS,
  EVENTS,
  JOBS,
  type KubeObject,
  LEASES,
  PODS,
  type Pod,
  type ResourceType,
  SERVICES,
  STATEFUL_SETS,
} from '../../src/kube/index.ts';
import type { Stage } from './stage.ts';

const KINDS = [
  CLUSTERS,
  LIBRARIES,
  VECTORIZATION_JOBS,
  CONFIG_MAPS,
  EVENTS,
  JOBS,
  LEASES,
  PODS,
  SERVICES,
  STATEFUL_SETS,
] as const;
const EVERY_MILLISECONDS = 200;

/** Listens to everything that is said in the namespaces of a stage and of the operator, all the time: Secrets aside. */
export class EverythingSaid {
  readonly #stage: Stage;
  readonly #stopping = new AbortController();
  /** By where it was said. Logs end with their pods, so what was heard last is kept. */
  readonly #heard = new Map<string, string>();
  readonly #arguments = new Set<string>();
  readonly #running: Promise<void>;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#running = this.#listen();
  }

  async #listen(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#once();
      await sleep(EVERY_MILLISECONDS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  async #once(): Promise<void> {
    const { admin, namespace, ground } = this.#stage;
    for (const line of await ground.commandLines()) this.#arguments.add(line);
    for (const where of [namespace, ground.operator.namespace]) {
      for (const pod of await admin.listAll(PODS, { namespace: where })) await this.#log(where, pod);
      for (const type of KINDS as readonly unknown[] as readonly ResourceType<KubeObject>[]) {
        for (const object of await admin.listAll(type, { namespace: where })) {
          const { resourceVersion, name } = object.metadata;
          this.#heard.set(`${type.kind} ${name} at ${resourceVersion}`, JSON.stringify(object));
        }
      }
    }
  }

  async #log(namespace: string, { metadata, status }: Pod): Promise<void> {
    const restarts = status?.containerStatuses?.[0]?.restartCount ?? 0;
    const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}/log`;
    const { status: code, text } = await this.#stage.admin.raw('GET', path);
    if (code === 200) this.#heard.set(`log of ${metadata.name}, run ${restarts}`, text);
  }

  /** Ends; everything that was said, by where. */
  async all(): Promise<ReadonlyMap<string, string>> {
    this.#stopping.abort();
    await this.#running;
    await this.#once();
    this.#heard.set('metrics of the operator', await this.#stage.ground.operatorMetrics());
    this.#heard.set('arguments of processes', [...this.#arguments].join('\n'));
    return this.#heard;
  }
}
