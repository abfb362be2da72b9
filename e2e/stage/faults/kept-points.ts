import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient, PointId } from '../../../src/qdrant/index.ts';

type KeptOptions = {
  readonly client: ClusterClient;
  readonly collection: string;
  /** Values of the payload's `document` whose points must stay as they are. */
  readonly documents: readonly string[];
};

export type KeptReport = {
  readonly reads: number;
  readonly missed: readonly { readonly at: string; readonly documents: readonly string[] }[];
  readonly failed: readonly string[];
};

const PAUSE_MILLISECONDS = 200;

/** Reads points again and again that nobody has a reason to touch. */
export class KeptPoints {
  readonly #stopping = new AbortController();
  readonly #missed: { at: string; documents: readonly string[] }[] = [];
  readonly #failed: string[] = [];
  readonly #running: Promise<void>;
  #reads = 0;

  static async begin({ client, collection, documents }: KeptOptions): Promise<KeptPoints> {
    const wanted = new Set(documents);
    const points = new Map<PointId, { readonly document: string; readonly text: string }>();
    for await (const { id, payload } of client.scrollAll(collection, { withPayload: true, limit: 1000 })) {
      const { document, text } = payload as { readonly document?: string; readonly text?: string };
      if (document !== undefined && wanted.has(document)) points.set(id, { document, text: text ?? '' });
    }
    if (points.size < wanted.size) throw new Error(`${wanted.size} documents have ${points.size} points`);
    return new KeptPoints({ client, collection }, points);
  }

  private constructor(
    where: Pick<KeptOptions, 'client' | 'collection'>,
    points: ReadonlyMap<PointId, { readonly document: string; readonly text: string }>,
  ) {
    this.#running = this.#read(where, points);
  }

  async stop(): Promise<KeptReport> {
    this.#stopping.abort();
    await this.#running;
    return { reads: this.#reads, missed: this.#missed, failed: this.#failed };
  }

  async #read(
    { client, collection }: Pick<KeptOptions, 'client' | 'collection'>,
    points: ReadonlyMap<PointId, { readonly document: string; readonly text: string }>,
  ): Promise<void> {
    const ids = [...points.keys()];
    while (!this.#stopping.signal.aborted) {
      try {
        const found = new Map((await client.retrieve(collection, ids)).map(({ id, payload }) => [id, payload]));
        const missed = [...points].filter(([id, { text }]) => found.get(id)?.['text'] !== text);
        const documents = missed.map(([, { document }]) => document);
        if (documents.length > 0) this.#missed.push({ at: new Date().toISOString(), documents });
        this.#reads += 1;
      } catch (error) {
        this.#failed.push(`${new Date().toISOString()} ${String(error)}`);
      }
      await sleep(PAUSE_MILLISECONDS);
    }
  }
}
