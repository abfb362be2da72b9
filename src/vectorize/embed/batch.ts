import type { BatchLimits, SizedText } from './types.ts';

/** Bytes of a text inside a JSON body. */
export const wireBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) + OVERHEAD;

/** What a protocol writes around one text; Gemini, which repeats the model's name, the most. */
const OVERHEAD = 320;

/**
 * Cuts texts into batches in order: together they are the input, none is empty, and none is over a limit
 * but for a single text that is so by itself.
 */
export function* packBatches<T extends SizedText>(texts: Iterable<T>, limits: BatchLimits): Generator<T[]> {
  let batch: T[] = [];
  let tokens = 0;
  let bytes = 0;
  for (const item of texts) {
    const size = wireBytes(item.text);
    const full =
      batch.length >= limits.maxTexts || tokens + item.tokens > limits.maxTokens || bytes + size > limits.maxBytes;
    if (batch.length > 0 && full) {
      yield batch;
      batch = [];
      tokens = 0;
      bytes = 0;
    }
    batch.push(item);
    tokens += item.tokens;
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

export const tokensOf = (batch: readonly SizedText[]): number => batch.reduce((sum, { tokens }) => sum + tokens, 0);
