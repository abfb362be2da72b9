import type { EmbedText } from './gateway/index.ts';
import type { Logger, Registry } from './telemetry/index.ts';
import type { EmbedClient } from './vectorize/embed/index.ts';

type Asked = Parameters<EmbedText>[0];

/** Clients of the embedders that VectorizationJobs name, for the gateway: it may not know the room that has them. */
export class QueryEmbedders {
  readonly #shared: { readonly metrics: Registry; readonly log: Logger };
  readonly #clients = new Map<string, Promise<EmbedClient>>();

  constructor(shared: { readonly metrics: Registry; readonly log: Logger }) {
    this.#shared = shared;
  }

  /** @throws EmbedError */
  async embed({ text, signal, ...asked }: Asked): Promise<ArrayLike<number>> {
    const [vector] = await (await this.#client(asked)).embed([text], { signal });
    return vector ?? [];
  }

  async close(): Promise<void> {
    const clients = await Promise.allSettled(this.#clients.values());
    for (const client of clients) if (client.status === 'fulfilled') await client.value.close();
  }

  #client(asked: Omit<Asked, 'text' | 'signal'>): Promise<EmbedClient> {
    const id = JSON.stringify(asked);
    const known = this.#clients.get(id);
    if (known !== undefined) return known;
    const made = this.#make(asked);
    this.#clients.set(id, made);
    made.catch(() => this.#clients.delete(id));
    return made;
  }

  async #make({ spec, apiKey, ca }: Omit<Asked, 'text' | 'signal'>): Promise<EmbedClient> {
    // Loaded when the first text is searched: a gateway that only routes does without.
    const { EmbedClient: Client } = await import('./vectorize/embed/index.ts');
    const { protocol, url, model, dimensions, timeoutSeconds, maxConcurrency } = spec;
    return new Client({
      ...this.#shared,
      protocol,
      url,
      model,
      ...(dimensions === undefined ? {} : { dimensions }),
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(ca === undefined ? {} : { ca }),
    });
  }
}
