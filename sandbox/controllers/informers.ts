import { Informer, type KubeClient, type KubeObject, type ResourceType } from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';

export type SharedInformersOptions = {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

/** One informer per kind for all controllers, started when it is first asked for. */
export class SharedInformers {
  readonly #options: SharedInformersOptions;
  readonly #informers = new Map<string, { informer: unknown; running: Promise<void> }>();

  constructor(options: SharedInformersOptions) {
    this.#options = options;
  }

  of<T extends KubeObject>(type: ResourceType<T>): Informer<T> {
    const { client, log, signal } = this.#options;
    const id = `${type.group}/${type.plural}`;
    const known = this.#informers.get(id);
    // The descriptor names the type; one descriptor, one type.
    if (known !== undefined) return known.informer as Informer<T>;
    const informer = new Informer({ client, type, log });
    const running = informer.start(signal);
    running.catch((error: unknown) => log.error({ err: error, resource: type.plural }, 'informer ended'));
    this.#informers.set(id, { informer, running });
    return informer;
  }

  /** Resolves when the signal aborted and every watch ended. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#informers.values()].map(({ running }) => running));
  }
}
