import type { Logger } from '../../telemetry/index.ts';
import { type EmbedClient, type EmbedError, embedAll, type VectorCache, type VectorSource } from '../embed/index.ts';
import type { Patience } from './patience.ts';
import type { Expected } from './points.ts';
import { Replay, type Taken } from './replay.ts';

export type EmbeddingOptions = {
  readonly client: EmbedClient;
  readonly cache: VectorCache;
  readonly prefix: string;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Called once, when there is a text to embed; none is sent before it has come to its end. */
  readonly begin: () => Promise<void>;
};

export type WithVector<T> =
  | { readonly item: T; readonly vector: Float32Array; readonly source: VectorSource; readonly error?: undefined }
  | { readonly item: T; readonly error: EmbedError; readonly vector?: undefined };

/**
 * Items with the vectors of their texts. An embedder that fails for a while is waited for; nothing is embedded twice
 * but what was under way then.
 *
 * @throws RunEnd
 */
export async function* embedItems<T extends { readonly point: Expected }>(
  source: AsyncIterable<T>,
  options: EmbeddingOptions,
): AsyncGenerator<WithVector<T>, void, undefined> {
  const { client, cache, prefix, patience, signal, log } = options;
  const replay = new Replay(source);
  if (!(await replay.any())) return;
  // While the model is asked who it is, documents are cut.
  const ready = options.begin();
  ready.catch(() => {});
  const wanted = ({ item: { point } }: Taken<T>) => ({
    text: point.text,
    hash: point.mark.hash,
    tokens: point.tokens,
  });
  for (;;) {
    try {
      for await (const result of embedAll(replay.begin(), { client, cache, prefix, wanted, ready, signal, log })) {
        patience.passed();
        const { item: taken, ...outcome } = result;
        yield { item: taken.item, ...outcome };
        replay.done(taken);
      }
      return;
    } catch (error) {
      await patience.wait(error);
    }
  }
}
