import { type ExternalEmbedder, startExternalEmbedder } from '../../sandbox/external-embedder.ts';
import type { OutsideEmbedder, OutsideEmbedderOptions } from '../ground.ts';
import type { OutsidePlace } from './outside-server.ts';

/** An embedder beside Kubernetes, on an address of its own. Started anew it has served nothing. */
export class OutsideEmbeddings implements OutsideEmbedder {
  readonly url: string;
  readonly #place: Omit<OutsidePlace, 'directory'>;
  #running: ExternalEmbedder | undefined;

  constructor(place: Omit<OutsidePlace, 'directory'>) {
    this.#place = place;
    this.url = `http://${place.address}:8080`;
  }

  get pids(): readonly number[] {
    return this.#running === undefined ? [] : [this.#running.pid];
  }

  async start(options: OutsideEmbedderOptions): Promise<void> {
    const { address, prepare } = this.#place;
    await prepare?.();
    this.#running = await startExternalEmbedder({ ...options, address });
  }

  strike: OutsideEmbedder['strike'] = (fault, times) => this.#server.strike(fault, times);

  heal: OutsideEmbedder['heal'] = () => this.#server.heal();

  served: OutsideEmbedder['served'] = () => this.#server.served();

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  get #server(): ExternalEmbedder {
    if (this.#running === undefined) throw new Error('the embedder does not run');
    return this.#running;
  }
}
