import { join } from 'node:path';
import { type ExternalQdrant, startExternalQdrant } from '../../../sandbox/external-qdrant.ts';
import type { OutsideQdrant } from '../../ground.ts';
import { command } from './command.ts';
import { NETWORK } from './layout.ts';

/** A Qdrant in the network of the node, on an address of its own, that Kubernetes knows nothing of. */
export class OutsideServer implements OutsideQdrant {
  readonly url: string;
  readonly #address: string;
  readonly #directory: string;
  #running: ExternalQdrant | undefined;

  constructor(directory: string, index: number) {
    this.#address = NETWORK.outside(index);
    this.#directory = join(directory, `outside-${process.pid}-${index}`);
    this.url = `http://${this.#address}:6333`;
  }

  get pids(): readonly number[] {
    return this.#running === undefined ? [] : [this.#running.pid];
  }

  async start({ apiKey, version }: { readonly apiKey: string; readonly version?: string }): Promise<void> {
    await command('ip', ['address', 'replace', `${this.#address}/32`, 'dev', 'lo']);
    this.#running = await startExternalQdrant({
      directory: this.#directory,
      address: this.#address,
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
