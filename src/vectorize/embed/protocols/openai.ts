import {
  bearer,
  type Dialect,
  type DialectOptions,
  isFields,
  MEGABYTE,
  numberOf,
  present,
  vectorOf,
} from './dialect.ts';

const TEXT_TOKENS = 8192;

/**
 * OpenAI itself, LiteLLM, vLLM, TEI, llama.cpp. Base64 is asked for by default, as OpenAI's own Python client does;
 * an endpoint that answers with numbers all the same is understood.
 *
 * Source: OpenAI API reference, "Create embeddings"; 2 048 texts, 8 192 tokens of each and 300 000 of all in a request.
 */
export function openai({ model, dimensions, encoding }: DialectOptions): Dialect {
  return {
    auth: bearer,
    limits: { maxTexts: 2048, maxTokens: 300_000, maxBytes: 16 * MEGABYTE },
    text: { maxTokens: TEXT_TOKENS, cutsSilently: false },
    ask: (texts) => ({
      method: 'POST',
      path: '/v1/embeddings',
      body: JSON.stringify({
        model,
        input: texts,
        encoding_format: encoding,
        ...(dimensions !== undefined && { dimensions }),
      }),
    }),
    read: ({ json }) => {
      if (!isFields(json) || !Array.isArray(json['data'])) return undefined;
      const vectors = inOrder(json['data']);
      const usage = isFields(json['usage']) ? json['usage'] : {};
      return vectors && { vectors, ...present({ tokens: numberOf(usage['total_tokens'] ?? usage['prompt_tokens']) }) };
    },
    limitsFromInfo: false,
  };
}

/** By their `index`: nothing says that they come in order. */
function inOrder(data: readonly unknown[]): Float32Array[] | undefined {
  const vectors = new Array<Float32Array | undefined>(data.length);
  for (const [position, entry] of data.entries()) {
    if (!isFields(entry)) return undefined;
    const index = entry['index'] ?? position;
    const vector = typeof entry['embedding'] === 'string' ? decode(entry['embedding']) : vectorOf(entry['embedding']);
    if (vector === undefined || typeof index !== 'number' || !(index in data) || vectors[index] !== undefined) {
      return undefined;
    }
    vectors[index] = vector;
  }
  const whole = vectors.filter((vector) => vector !== undefined);
  return whole.length === data.length ? whole : undefined;
}

/** Little-endian float32. */
function decode(base64: string): Float32Array | undefined {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  const vector = new Float32Array(bytes.length / 4);
  for (let index = 0; index < vector.length; index += 1) vector[index] = bytes.readFloatLE(index * 4);
  return vector;
}
