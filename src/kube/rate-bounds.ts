type Bucket = { tokens: number; at: number };

/** Source: client-go `EventSourceObjectSpamFilter`: 25 at once, then one in five minutes. */
const BURST = 25;
const REFILL_MILLISECONDS = 300_000;

/** How many events each object may cause. */
export class RateBounds {
  readonly #buckets = new Map<string, Bucket>();

  /** Whether one more is allowed at `now` (milliseconds). */
  take(id: string, now: number): boolean {
    const before = this.#buckets.get(id) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, before.tokens + (now - before.at) / REFILL_MILLISECONDS);
    const allowed = tokens >= 1;
    this.#buckets.delete(id);
    this.#buckets.set(id, { tokens: allowed ? tokens - 1 : tokens, at: now });
    this.#forgetFull(now);
    return allowed;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** A bucket that is full again is as good as none; the map is in order of last use. */
  #forgetFull(now: number): void {
    for (const [id, { at }] of this.#buckets) {
      if (now - at < BURST * REFILL_MILLISECONDS) return;
      this.#buckets.delete(id);
    }
  }
}
