import { type ExternalQdrant, startExternalQdrant } from '../../sandbox/external-qdrant.ts';
import type { OutsideQdrant } from '../ground.ts';

export type OutsidePlace = {
  /** Its data and its log; kept from one start to the next. */
  readonly directory: string;
  readonly address: string;
  /** Sees to it that the address can be listened on, before each start. */
  readonly prepare?: () => Promise<void>;
};

/** A Qdrant beside Kubernetes, on an address of its own. */
export class OutsideServer implements OutsideQdrant {
  readonly url: string;
  readonly #place: OutsidePlace;
  #running: ExternalQdrant | undefined;

  constructor(place: OutsidePlace) {
    this.#place = place;
    this.url = `http://${place.address}:6333`;
  }

  get pids(): readonly number[] {
    return this.#running === undefined ? [] : [this.#running.pid];
  }

  async start({ apiKey, version }: { readonly apiKey: string; readonly version?: string }): Promise<void> {
    const { directory, address, prepare } = this.#place;
    await prepare?.();
    this.#running = await startExternalQdrant({
      directory,
      address,
      apiKey,
      ...(version === undefined ? {} : { environment: { SANDBOX_QDRANT_VERSION: version } }),
      signal: new AbortController().signal,
    });
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }
}
