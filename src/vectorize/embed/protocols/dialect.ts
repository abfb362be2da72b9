import type { BatchLimits, EmbedderInfo } from '../types.ts';

export type WireRequest = {
  readonly method: 'GET' | 'POST';
  /** Starts with `/`, below the base URL. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
};

export type Header = readonly [name: string, value: string];

/** What came for a batch: vectors in the order of the texts. */
export type Answer = {
  readonly vectors: readonly Float32Array[];
  /** Tokens, as the endpoint counts; undefined when it doesn't say. */
  readonly tokens?: number;
};

export type Heard = { readonly json: unknown; readonly headers: Readonly<Record<string, string>> };

/** How one protocol asks and answers. Pure: it opens nothing. */
export type Dialect = {
  readonly auth: (apiKey: string) => Header;
  readonly limits: BatchLimits;
  /** Tokens of one text. `cutsSilently`: the endpoint would embed a part of a longer text and not say so. */
  readonly text?: { readonly maxTokens: number; readonly cutsSilently: boolean };
  readonly ask: (texts: readonly string[]) => WireRequest;
  /** Undefined when the answer isn't of this protocol. Values that are no numbers come as NaN. */
  readonly read: (heard: Heard) => Answer | undefined;
  /** Limits must be asked of the endpoint before the first batch. */
  readonly limitsFromInfo: boolean;
  readonly info?: { readonly request: WireRequest; readonly read: (json: unknown) => EmbedderInfo | undefined };
};

export type DialectOptions = {
  readonly model: string;
  readonly dimensions?: number;
  /** Only by the OpenAI protocol: a quarter of the bytes of numbers as text. */
  readonly encoding: 'base64' | 'float';
};

export type Fields = Readonly<Record<string, unknown>>;
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;

/** Undefined for what is no list. Null, text and nested lists become NaN: they must not pass as 0. */
export function vectorOf(value: unknown): Float32Array | undefined {
  if (!Array.isArray(value)) return undefined;
  const vector = new Float32Array(value.length);
  for (let index = 0; index < vector.length; index += 1) {
    const number: unknown = value[index];
    vector[index] = typeof number === 'number' ? number : Number.NaN;
  }
  return vector;
}

/** Undefined unless each of them is a vector. */
export function vectorsOf(values: unknown): Float32Array[] | undefined {
  if (!Array.isArray(values)) return undefined;
  const vectors = values.map(vectorOf).filter((vector) => vector !== undefined);
  return vectors.length === values.length ? vectors : undefined;
}

export const bearer = (apiKey: string): Header => ['authorization', `Bearer ${apiKey}`];

export const MEGABYTE = 1024 * 1024;

/** An object without the fields that are undefined. */
export const present = <T extends Readonly<Record<string, number | undefined>>>(
  fields: T,
): { [K in keyof T]?: number } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: number };
