import type { CacheEntry, VectorCache } from './cache.ts';

/** A key, a map entry and an array object. */
const OVERHEAD = 300;
const sizeOf = (vector: Float32Array): number => vector.byteLength + OVERHEAD;

/** Keeps what was used last, within so many bytes. */
export class MemoryCache implements VectorCache {
  readonly #maxBytes: number;
  readonly #vectors = new Map<string, Float32Array>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async get(keys: readonly string[]): Promise<(Float32Array | undefined)[]> {
    return keys.map((key) => {
      const vector = this.#vectors.get(key);
      if (vector === undefined) return undefined;
      this.#vectors.delete(key);
      this.#vectors.set(key, vector);
      return vector;
    });
  }

  async put(entries: readonly CacheEntry[]): Promise<void> {
    for (const { key, vector } of entries) {
      this.#forget(key);
      // A view would keep the whole answer that it came from.
      const own = vector.byteLength === vector.buffer.byteLength ? vector : vector.slice();
      this.#vectors.set(key, own);
      this.#bytes += sizeOf(own);
    }
    for (const key of this.#vectors.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    const known = this.#vectors.get(key);
    if (known === undefined) return;
    this.#vectors.delete(key);
    this.#bytes -= sizeOf(known);
  }
}
