import { bearer, type Dialect, type DialectOptions, isFields, numberOf, present, vectorsOf } from './dialect.ts';

/** `--payload-limit`, which `/info` doesn't tell. */
const PAYLOAD = 2_000_000;

/**
 * Hugging Face Text Embeddings Inference. Its limits are read from `/info`; those here are its defaults.
 *
 * Source: TEI API documentation, `/embed` and `/info`; `text-embeddings-router --help`.
 */
export function tei({ dimensions }: DialectOptions): Dialect {
  return {
    auth: bearer,
    limits: { maxTexts: 32, maxTokens: 16_384, maxBytes: PAYLOAD },
    ask: (texts) => ({
      method: 'POST',
      path: '/embed',
      body: JSON.stringify({
        inputs: texts,
        truncate: false,
        normalize: true,
        ...(dimensions !== undefined && { dimensions }),
      }),
    }),
    read: ({ json, headers }) => {
      const vectors = vectorsOf(json);
      const counted = headers['x-compute-tokens'];
      const tokens = counted === undefined || !/^\d+$/.test(counted) ? undefined : Number(counted);
      return vectors && { vectors, ...present({ tokens }) };
    },
    limitsFromInfo: true,
    info: {
      request: { method: 'GET', path: '/info' },
      read: (json) =>
        isFields(json)
          ? present({
              maxBatch: numberOf(json['max_client_batch_size']),
              maxTokens: numberOf(json['max_input_length']),
              maxBatchTokens: numberOf(json['max_batch_tokens']),
            })
          : undefined,
    },
  };
}
