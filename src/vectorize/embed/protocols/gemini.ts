import { normalise } from '../check.ts';
import { type Dialect, type DialectOptions, isFields, MEGABYTE, numberOf, present, vectorOf } from './dialect.ts';

/** What the model gives when not asked for fewer; only these come with length 1. */
const FULL_DIMENSIONS = 3072;

/**
 * A longer text is cut without a word, so it is refused here. Fewer dimensions than the model's come without length 1:
 * they are normalised here.
 *
 * Source: Gemini API reference, "models.batchEmbedContents"; 100 texts in a request, 2 048 tokens of each.
 */
export function gemini({ model, dimensions }: DialectOptions): Dialect {
  const name = model.startsWith('models/') ? model : `models/${model}`;
  const path = `/v1beta/${name.split('/').map(encodeURIComponent).join('/')}`;
  const reduced = dimensions !== undefined && dimensions < FULL_DIMENSIONS;
  return {
    // In a header: a key in the URL would stand in the logs of every proxy.
    auth: (apiKey) => ['x-goog-api-key', apiKey],
    limits: { maxTexts: 100, maxTokens: Number.POSITIVE_INFINITY, maxBytes: 16 * MEGABYTE },
    text: { maxTokens: 2048, cutsSilently: true },
    ask: (texts) => ({
      method: 'POST',
      path: `${path}:batchEmbedContents`,
      body: JSON.stringify({
        requests: texts.map((text) => ({
          model: name,
          content: { parts: [{ text }] },
          ...(dimensions !== undefined && { outputDimensionality: dimensions }),
        })),
      }),
    }),
    read: ({ json }) => {
      if (!isFields(json) || !Array.isArray(json['embeddings'])) return undefined;
      const given = json['embeddings'];
      const vectors = given
        .map((entry: unknown) => (isFields(entry) ? vectorOf(entry['values']) : undefined))
        .filter((vector) => vector !== undefined);
      const usage = isFields(json['usageMetadata']) ? json['usageMetadata'] : {};
      if (vectors.length !== given.length) return undefined;
      return {
        vectors: reduced ? vectors.map(normalise) : vectors,
        ...present({ tokens: numberOf(usage['promptTokenCount']) }),
      };
    },
    limitsFromInfo: false,
    info: {
      request: { method: 'GET', path },
      read: (json) => (isFields(json) ? present({ maxTokens: numberOf(json['inputTokenLimit']) }) : undefined),
    },
  };
}
