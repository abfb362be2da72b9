export type Protocol = 'Ollama' | 'OpenAI' | 'TEI' | 'Gemini';

/** What an endpoint tells of itself; undefined where it says nothing. */
export type EmbedderInfo = {
  /** Numbers of a vector. */
  readonly dimensions?: number;
  /** Texts of a request. */
  readonly maxBatch?: number;
  /** Tokens of one text. */
  readonly maxTokens?: number;
  /** Tokens of a request. */
  readonly maxBatchTokens?: number;
};

export type EmbedOptions = { readonly signal?: AbortSignal };

/** Makes vectors of texts. */
export type Embedder = {
  /**
   * One vector for each text, in their order.
   *
   * @throws EmbedError; `textIndex` tells which text when it is about one
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
  /** @throws EmbedError */
  info(options?: EmbedOptions): Promise<EmbedderInfo>;
};

/** What one request may hold. */
export type BatchLimits = { readonly maxTexts: number; readonly maxTokens: number; readonly maxBytes: number };

/** How a text is counted. `tokens` may be an estimate. */
export type SizedText = { readonly text: string; readonly tokens: number };

/** How many tokens a text has, for packing, limits and budgets. */
export type CountTokens = (text: string) => number;

/** Errs to the high side for prose in most tokenizers: used where the caller brings none. */
export const estimateTokens: CountTokens = (text) => Math.max(1, Math.ceil(Buffer.byteLength(text) / 3));
