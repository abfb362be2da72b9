import { setTimeout as sleep } from 'node:timers/promises';
import { CUSTOM_RESOURCE_DEFINITIONS, type KubeClient, type ResourceType } from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import { discover } from './discovery.ts';
import type { SharedInformers } from './informers.ts';

/** Discovery of a real server lags behind the definition. */
const SETTLE_MILLISECONDS = 100;
const RETRY_MILLISECONDS = 1000;
const REFRESH_MILLISECONDS = 30_000;

export type KnownTypesOptions = {
  readonly client: KubeClient;
  readonly informers: SharedInformers;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

/** The kinds the server has, kept up to date as definitions come and go. */
export class KnownTypes {
  readonly #options: KnownTypesOptions;
  readonly #handlers = new Set<(type: ResourceType) => void>();
  #types = new Map<string, ResourceType>();
  #wake = Promise.withResolvers<void>();
  readonly #first = Promise.withResolvers<void>();

  constructor(options: KnownTypesOptions) {
    this.#options = options;
    options.informers.of(CUSTOM_RESOURCE_DEFINITIONS).onChange(() => this.#wake.resolve());
  }

  get types(): ResourceType[] {
    return [...this.#types.values()];
  }

  /** Finds the type that an owner reference names; any version of it will do. */
  find(group: string, kind: string): ResourceType | undefined {
    return this.types.find((type) => type.group === group && type.kind === kind);
  }

  /** Calls for each type that is known, and each that becomes so. */
  onType(handler: (type: ResourceType) => void): void {
    this.#handlers.add(handler);
    for (const type of this.types) handler(type);
  }

  /** Resolves when the first discovery is done. */
  get whenKnown(): Promise<void> {
    return this.#first.promise;
  }

  async run(): Promise<void> {
    const { signal, log } = this.#options;
    while (!signal.aborted) {
      let pause = REFRESH_MILLISECONDS;
      try {
        this.#take(await discover(this.#options.client));
        this.#first.resolve();
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'discovery failed');
        pause = RETRY_MILLISECONDS;
      }
      await this.#pause(pause);
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#options;
    const over = new AbortController();
    const stop = { signal: AbortSignal.any([signal, over.signal]) };
    await Promise.race([this.#wake.promise, sleep(milliseconds, undefined, stop).catch(() => undefined)]);
    over.abort();
    this.#wake = Promise.withResolvers();
    await sleep(SETTLE_MILLISECONDS, undefined, { signal }).catch(() => undefined);
  }

  #take(found: readonly ResourceType[]): void {
    const before = this.#types;
    this.#types = new Map(found.map((type) => [`${type.group}/${type.plural}`, type]));
    for (const [id, type] of this.#types) {
      if (!before.has(id)) for (const handler of this.#handlers) handler(type);
    }
  }
}
