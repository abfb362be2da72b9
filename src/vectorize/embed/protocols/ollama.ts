import {
  bearer,
  type Dialect,
  type DialectOptions,
  isFields,
  MEGABYTE,
  numberOf,
  present,
  vectorsOf,
} from './dialect.ts';

/**
 * `truncate: false`, because Ollama otherwise embeds the part of a text that fits and doesn't say so.
 *
 * Source: Ollama `docs/api.md`, "Generate Embeddings" and "Show Model Information".
 */
export function ollama({ model, dimensions }: DialectOptions): Dialect {
  return {
    auth: bearer,
    limits: { maxTexts: 2048, maxTokens: Number.POSITIVE_INFINITY, maxBytes: 16 * MEGABYTE },
    ask: (texts) => ({
      method: 'POST',
      path: '/api/embed',
      body: JSON.stringify({ model, input: texts, truncate: false, ...(dimensions !== undefined && { dimensions }) }),
    }),
    read: ({ json }) => {
      if (!isFields(json)) return undefined;
      const vectors = vectorsOf(json['embeddings']);
      return vectors && { vectors, ...present({ tokens: numberOf(json['prompt_eval_count']) }) };
    },
    limitsFromInfo: false,
    info: {
      request: { method: 'POST', path: '/api/show', body: JSON.stringify({ model }) },
      read: (json) => {
        const about = isFields(json) ? json['model_info'] : undefined;
        if (!isFields(about)) return undefined;
        // The names begin with the architecture: `nomic-bert.embedding_length`.
        const find = (end: string) => numberOf(Object.entries(about).find(([name]) => name.endsWith(end))?.[1]);
        return present({ dimensions: find('.embedding_length'), maxTokens: find('.context_length') });
      },
    },
  };
}
