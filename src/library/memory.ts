import type { Connection } from '../qdrant/index.ts';
import type { Memory } from './world.ts';

/** What is remembered of one library between passes; see `Memory`. */
export class LibraryMemory {
  readonly #greenSince = new Map<string, number>();
  readonly #sentPatches = new Map<string, { digest: string; at: number }>();
  #unfencedAt: number | undefined;
  #worker: { readonly beat: string; readonly heardAt: number | undefined } | undefined;
  /** The last connection that was used, by cluster; holds a key, so it is never shown. */
  readonly connections = new Map<string, Connection>();
  /** The key that peers of a managed cluster accepted last, by cluster; never shown. */
  readonly accepted = new Map<string, string | undefined>();
  violations: { readonly generation: number | undefined; readonly found: readonly string[] } | undefined;

  get snapshot(): Memory {
    return {
      greenSince: this.#greenSince,
      sentPatches: this.#sentPatches,
      unfencedAt: this.#unfencedAt,
      workerHeardAt: this.#worker?.heardAt,
    };
  }

  /** Green for as long as it was seen green at every look. */
  sawStatus(collection: string, green: boolean, now: number): void {
    if (!green) this.#greenSince.delete(collection);
    else if (!this.#greenSince.has(collection)) this.#greenSince.set(collection, now);
  }

  /** A worker is heard when its progress differs from the last one seen: one look alone may show what a dead one left. */
  sawWorker(beat: string | undefined, now: number): void {
    if (beat === undefined) this.#worker = undefined;
    else if (this.#worker === undefined) this.#worker = { beat, heardAt: undefined };
    else if (this.#worker.beat !== beat) this.#worker = { beat, heardAt: now };
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
