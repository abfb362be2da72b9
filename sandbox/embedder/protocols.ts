import { embed } from './hashing.ts';

export type Model = {
  readonly name: string;
  readonly dimensions: number;
  readonly maxBatch: number;
  /** Of one text. A token is a word. */
  readonly maxTokens: number;
  readonly apiKey: string | undefined;
};

export type Reply = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A request to embed, as all protocols mean it. */
export type Job = {
  readonly texts: readonly string[];
  /** The vectors of the texts. */
  readonly vectors: number[][];
  /** The answer that holds these vectors, spoiled or not. */
  readonly answer: (vectors: readonly number[][]) => Reply;
};

type Body = Readonly<Record<string, unknown>>;
type Endpoint = {
  readonly path: RegExp;
  readonly key: (headers: Readonly<Record<string, string | string[] | undefined>>) => string | undefined;
  readonly unauthorized: Reply;
  readonly handle: (body: Body, model: Model) => Job | Reply;
};

const WORD = /[\p{L}\p{N}]+/gu;
export const countTokens = (text: string): number => text.match(WORD)?.length ?? 0;

const bearer: Endpoint['key'] = ({ authorization }) => /^Bearer (.*)$/.exec(String(authorization))?.[1];
const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).map((text) => (typeof text === 'string' ? text : ''));
const total = (all: readonly string[]): number => all.reduce((sum, text) => sum + countTokens(text), 0);
const sizeOf = (wanted: unknown, { dimensions }: Model): number => (typeof wanted === 'number' ? wanted : dimensions);
const cut = (text: string, tokens: number): string => (text.match(WORD) ?? []).slice(0, tokens).join(' ');

const openaiError = (status: number, code: string, message: string): Reply => ({
  status,
  body: { error: { message, type: 'invalid_request_error', param: null, code } },
});
const googleError = (code: number, status: string, message: string, reason?: string): Reply => ({
  status: code,
  body: { error: { code, message, status, ...(reason !== undefined && { details: [{ reason }] }) } },
});

const ollama: Endpoint = {
  path: /^\/api\/embed$/,
  key: bearer,
  unauthorized: { status: 401, body: { error: 'unauthorized' } },
  handle: (body, model) => {
    if (body['model'] !== model.name) {
      return { status: 404, body: { error: `model "${String(body['model'])}" not found, try pulling it first` } };
    }
    const input = texts(body['input']);
    const long = input.some((text) => countTokens(text) > model.maxTokens);
    if (long && body['truncate'] === false) {
      return { status: 400, body: { error: 'the input length exceeds the context length' } };
    }
    const size = sizeOf(body['dimensions'], model);
    return {
      texts: input,
      vectors: input.map((text) => embed(long ? cut(text, model.maxTokens) : text, size)),
      answer: (embeddings) => ({
        status: 200,
        body: { model: model.name, embeddings, prompt_eval_count: total(input) },
      }),
    };
  },
};

const openai: Endpoint = {
  path: /^\/v1\/embeddings$/,
  key: bearer,
  unauthorized: openaiError(401, 'invalid_api_key', 'Incorrect API key provided'),
  handle: (body, model) => {
    const input = texts(body['input']);
    if (body['model'] !== model.name) return openaiError(404, 'model_not_found', 'The model does not exist');
    if (input.length > 2048) return openaiError(400, 'invalid_value', "'input' must have at most 2048 items");
    if (input.includes('')) return openaiError(400, 'invalid_value', "'input' cannot be an empty string");
    if (input.some((text) => countTokens(text) > model.maxTokens)) {
      const message = `This model's maximum context length is ${model.maxTokens} tokens`;
      return openaiError(400, 'context_length_exceeded', message);
    }
    const size = sizeOf(body['dimensions'], model);
    const encode = (vector: readonly number[]): unknown =>
      body['encoding_format'] === 'base64' ? base64(vector) : vector;
    return {
      texts: input,
      vectors: input.map((text) => embed(text, size)),
      answer: (vectors) => ({
        status: 200,
        body: {
          object: 'list',
          model: model.name,
          // The last first: `index` tells, not the order.
          data: vectors
            .map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) }))
            .toReversed(),
          usage: { prompt_tokens: total(input), total_tokens: total(input) },
        },
      }),
    };
  },
};

const tei: Endpoint = {
  path: /^\/embed$/,
  key: bearer,
  unauthorized: { status: 401, body: '' },
  handle: (body, model) => {
    const input = texts(body['inputs']);
    const refuse = (error: string): Reply => ({ status: 413, body: { error, error_type: 'Validation' } });
    if (input.length > model.maxBatch) {
      return refuse(`batch size ${input.length} > maximum allowed batch size ${model.maxBatch}`);
    }
    const long = input.find((text) => countTokens(text) > model.maxTokens);
    if (long !== undefined) {
      return refuse(`\`inputs\` must have less than ${model.maxTokens} tokens. Given: ${countTokens(long)}`);
    }
    const size = sizeOf(body['dimensions'], model);
    return {
      texts: input,
      vectors: input.map((text) => embed(text, size)),
      answer: (vectors) => ({ status: 200, body: vectors, headers: { 'x-compute-tokens': String(total(input)) } }),
    };
  },
};

const gemini: Endpoint = {
  path: /^\/v1beta\/models\/[^/]+:batchEmbedContents$/,
  key: (headers) => (headers['x-goog-api-key'] === undefined ? undefined : String(headers['x-goog-api-key'])),
  unauthorized: googleError(400, 'INVALID_ARGUMENT', 'API key not valid.', 'API_KEY_INVALID'),
  handle: (body, model) => {
    const requests = Array.isArray(body['requests']) ? (body['requests'] as GeminiRequest[]) : [];
    if (requests.some((request) => request.model !== `models/${model.name}`)) {
      return googleError(404, 'NOT_FOUND', 'models/x is not found for API version v1beta');
    }
    if (requests.length > 100) {
      return googleError(400, 'INVALID_ARGUMENT', 'at most 100 requests can be in one batch');
    }
    const input = requests.map(({ content }) => content.parts.map(({ text }) => text).join(''));
    return {
      texts: input,
      vectors: requests.map(({ outputDimensionality }, index) => {
        const vector = embed(cut(input[index] ?? '', model.maxTokens), sizeOf(outputDimensionality, model));
        // Fewer dimensions than the model's come without length 1.
        return outputDimensionality === undefined ? vector : vector.map((value) => value * 0.7);
      }),
      answer: (vectors) => ({ status: 200, body: { embeddings: vectors.map((values) => ({ values })) } }),
    };
  },
};

type GeminiRequest = {
  readonly model: string;
  readonly content: { readonly parts: readonly { readonly text: string }[] };
  readonly outputDimensionality?: number;
};

export const ENDPOINTS: readonly Endpoint[] = [ollama, openai, tei, gemini];

/** What the model says of itself, by protocol. */
export function information(path: string, model: Model): Reply | undefined {
  switch (path) {
    case '/info':
      return {
        status: 200,
        body: {
          model_id: model.name,
          max_client_batch_size: model.maxBatch,
          max_input_length: model.maxTokens,
          max_batch_tokens: 16_384,
        },
      };
    case '/api/show':
      return {
        status: 200,
        body: {
          model_info: { 'hashing.embedding_length': model.dimensions, 'hashing.context_length': model.maxTokens },
        },
      };
    case `/v1beta/models/${model.name}`:
      return { status: 200, body: { name: `models/${model.name}`, inputTokenLimit: model.maxTokens } };
    default:
      return undefined;
  }
}

function base64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
