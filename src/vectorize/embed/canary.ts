import { CANARY_TEXTS } from './canary-texts.ts';
import { EmbedError } from './errors.ts';
import type { Embedder, EmbedOptions } from './types.ts';

/** The vectors of the canary texts, as an endpoint made them once. Plain JSON: base64 of little-endian float32. */
export type Canary = { readonly dimensions: number; readonly vectors: readonly string[] };

/** A model gives the same text the same vector but for rounding; another model or version does not come near. */
const LEAST_COSINE = 0.9999;

export type CanaryVerdict =
  | { readonly same: true; readonly leastCosine: number }
  /** `reason` names which text differs most, by its index, and by how much. */
  | { readonly same: false; readonly reason: string };

/** Asks the endpoint itself; never a cache. */
export async function takeCanary(embedder: Embedder, options?: EmbedOptions): Promise<Canary> {
  const vectors = await embedder.embed(CANARY_TEXTS, options);
  return { dimensions: vectors[0]?.length ?? 0, vectors: vectors.map(encode) };
}

export function compareCanaries(stored: Canary, now: Canary): CanaryVerdict {
  if (stored.dimensions !== now.dimensions) {
    return { same: false, reason: `vectors have ${now.dimensions} numbers, before ${stored.dimensions}` };
  }
  if (stored.vectors.length !== now.vectors.length) {
    return { same: false, reason: `${now.vectors.length} canary texts, before ${stored.vectors.length}` };
  }
  const cosines = stored.vectors.map((before, index) => cosine(decode(before), decode(now.vectors[index] ?? '')));
  const leastCosine = Math.min(...cosines);
  // Written so that NaN is no agreement.
  if (leastCosine >= LEAST_COSINE) return { same: true, leastCosine };
  const index = cosines.findIndex((value) => !(value > leastCosine));
  const reason = `canary text ${index} has cosine ${leastCosine.toFixed(5)} to before, under ${LEAST_COSINE}`;
  return { same: false, reason };
}

/** @throws EmbedError `ModelChanged` when the endpoint's vectors aren't those of `stored` any more */
export async function checkCanary(
  client: Embedder & { readonly endpoint: string },
  stored: Canary,
  options?: EmbedOptions,
): Promise<Canary> {
  const now = await takeCanary(client, options);
  const verdict = compareCanaries(stored, now);
  if (verdict.same) return now;
  const message = `the model behind it has changed: ${verdict.reason}`;
  throw new EmbedError({ code: 'ModelChanged', endpoint: client.endpoint, message });
}

function encode(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}

function decode(text: string): number[] {
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4));
}

/** NaN when the lengths differ or one is zero. */
function cosine(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.NaN;
  let dot = 0;
  for (const [index, value] of a.entries()) dot += value * (b[index] ?? 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}
