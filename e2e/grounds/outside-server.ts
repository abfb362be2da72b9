import { join } from 'node:path';
import type { ControlPlane } from '../../sandbox/control-plane.ts';
import { type ExternalQdrant, startExternalQdrant } from '../../sandbox/external-qdrant.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { OutsideQdrant } from '../ground.ts';

/** A Qdrant beside Kubernetes, on an address of the sandbox. */
export class OutsideServer implements OutsideQdrant {
  readonly url: string;
  readonly #address: string;
  readonly #directory: string;
  #running: ExternalQdrant | undefined;

  constructor(sandbox: Sandbox<ControlPlane>, index: number) {
    this.#address = sandbox.network.pods.allocate();
    this.#directory = join(sandbox.directory, `outside-${index}`);
    this.url = `http://${this.#address}:6333`;
  }

  get pids(): readonly number[] {
    return this.#running === undefined ? [] : [this.#running.pid];
  }

  async start({ apiKey, version }: { readonly apiKey: string; readonly version?: string }): Promise<void> {
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
