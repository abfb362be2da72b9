import type { Connection } from '../qdrant/index.ts';
import type { Memory } from './world.ts';

/** What is remembered of one library between passes; see `Memory`. */
export class LibraryMemory {
  readonly #greenSince = new Map<string, number>();
  readonly #sentPatches = new Map<string, { digest: string; at: number }>();
  #unfencedAt: number | undefined;
  /** The last connection that was used; holds a key, so it is never shown. */
  connection: Connection | undefined;
  violations: { readonly generation: number | undefined; readonly found: readonly string[] } | undefined;

  get snapshot(): Memory {
    return { greenSince: this.#greenSince, sentPatches: this.#sentPatches, unfencedAt: this.#unfencedAt };
  }

  /** Green for as long as it was seen green at every look. */
  sawStatus(collection: string, green: boolean, now: number): void {
    if (!green) this.#greenSince.delete(collection);
    else if (!this.#greenSince.has(collection)) this.#greenSince.set(collection, now);
  }

  sent(note: string, digest: string, now: number): void {
    this.#sentPatches.set(note, { digest, at: now });
  }

  /** Forgets what was sent and now reads back as sent. */
  keepOnly(notes: ReadonlySet<string>): void {
    for (const note of this.#sentPatches.keys()) if (!notes.has(note)) this.#sentPatches.delete(note);
  }

  unfenced(now: number): void {
    this.#unfencedAt = now;
  }
}
