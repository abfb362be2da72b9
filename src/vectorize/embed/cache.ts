import { hash } from 'node:crypto';
import type { Protocol } from './types.ts';

export type CacheEntry = { readonly key: string; readonly vector: Float32Array };

/** Vectors by key. What was put may be gone later; a vector that comes is always the one that was put. */
export type VectorCache = {
  /** One for each key, in their order. */
  get(keys: readonly string[]): Promise<(Float32Array | undefined)[]>;
  put(entries: readonly CacheEntry[]): Promise<void>;
};

/** All that a vector depends on besides the text. */
export type CacheScope = {
  readonly protocol: Protocol;
  readonly model: string;
  /** As asked for; undefined = what the model gives. */
  readonly dimensions?: number;
  /** What is put before the text. */
  readonly prefix?: string;
  /** Told apart by whoever accepts that the model behind the same name has changed. */
  readonly revision?: string;
};

/** SHA-256 in hex. */
export const textHash = (text: string): string => hash('sha256', text);

/** SHA-256 in hex of the scope and the text's hash. */
export function cacheKey({ protocol, model, dimensions, prefix = '', revision }: CacheScope, ofText: string): string {
  const parts = [protocol, model, dimensions ?? null, prefix, ofText];
  return textHash(JSON.stringify(revision === undefined ? parts : [...parts, revision]));
}
