/**
 * Vectors of texts from an embedder: Ollama, OpenAI's protocol, TEI or Gemini.
 *
 * ```ts
 * const client = new EmbedClient({ protocol: 'Ollama', url: 'http://ollama:11434', model: 'nomic-embed-text' });
 * const cache = await FileCache.open({ directory: '/cache', maxBytes: 1e9 });
 * for await (const { item, vector, error } of embedAll(chunks, { client, cache, wanted: (chunk) => chunk })) {
 *   if (error === undefined) await write(item, vector);
 *   else report(item, error.code);
 * }
 * ```
 */
export { packBatches } from './batch.ts';
export { type CacheEntry, type CacheScope, cacheKey, textHash, type VectorCache } from './cache.ts';
export { type Canary, type CanaryVerdict, checkCanary, compareCanaries, takeCanary } from './canary.ts';
export { CANARY_TEXTS } from './canary-texts.ts';
export { type Defect, defectsOf, type Expected, normalise } from './check.ts';
export { EmbedClient, type EmbedClientOptions } from './client.ts';
export { type Clock, systemClock } from './clock.ts';
export { EmbedError, type EmbedErrorCode, isEmbedError } from './errors.ts';
export { FileCache, type FileCacheOptions } from './file-cache.ts';
export { MemoryCache } from './memory-cache.ts';
export { type Budget, Meter, type MeterOptions, type Usage } from './meter.ts';
export { type Embedded, embedAll, type PipelineOptions, type VectorSource, type Wanted } from './pipeline.ts';
export type { RateLimits } from './rate.ts';
export type * from './types.ts';
export { estimateTokens } from './types.ts';
