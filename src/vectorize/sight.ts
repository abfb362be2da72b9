type Change = { readonly digest: string; readonly first: number; readonly last: number };
type Watch = { readonly worker: string; readonly since: number };

/** One that never rests is waited for so many times as long as one that does. */
const MOST_RESTS = 10;

/** What one process of the operator saw of a job: lost with it, and nothing but patience is lost by that. */
export class Sight {
  readonly #changes = new Map<string, Change>();
  readonly #watches = new Map<string, Watch>();

  /**
   * When a change counts, in milliseconds: after it has rested for a while, or when it has never rested for ten times that.
   *
   * @param known digest that the last run began with
   */
  settledAt(id: string, { digest, known, now, rest }: Settling): number {
    if (digest === undefined || digest === known) {
      this.#changes.delete(id);
      return now;
    }
    const before = this.#changes.get(id);
    const change = before?.digest === digest ? before : { digest, first: before?.first ?? now, last: now };
    this.#changes.set(id, change);
    return Math.min(change.last + rest, change.first + rest * MOST_RESTS);
  }

  /** Since when the worker has been watched without a break. */
  watchedSince(id: string, worker: string, now: number): number {
    const before = this.#watches.get(id);
    if (before?.worker === worker) return before.since;
    this.#watches.set(id, { worker, since: now });
    return now;
  }

  /** The API server did not answer: nobody knows what the worker said meanwhile. */
  lookedAway(id: string): void {
    this.#watches.delete(id);
  }

  forget(id: string): void {
    this.#changes.delete(id);
    this.#watches.delete(id);
  }
}

export type Settling = {
  readonly digest: string | undefined;
  readonly known: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds. */
  readonly rest: number;
};
