import type { Clock } from './clock.ts';

export type RateLimits = { readonly requestsPerMinute?: number; readonly tokensPerMinute?: number };

const SLOT = 1000;
const MINUTE = 60_000;

type Slot = { readonly end: number; requests: number; tokens: number };

/**
 * What was sent in the last minute, in slots of a second, so that its size is bounded. No minute, wherever it begins,
 * holds more than the limits, but for a single request that has more tokens than a minute may have.
 */
export class MinuteWindow {
  readonly #limits: RateLimits;
  readonly #slots: Slot[] = [];

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Takes what a request needs and returns 0, or takes nothing and returns the milliseconds to wait. */
  take(tokens: number, now: number): number {
    while (this.#slots[0] !== undefined && this.#slots[0].end + MINUTE <= now) this.#slots.shift();
    const { requestsPerMinute = Number.POSITIVE_INFINITY, tokensPerMinute = Number.POSITIVE_INFINITY } = this.#limits;
    let requests = this.#slots.reduce((sum, slot) => sum + slot.requests, 0);
    let spent = this.#slots.reduce((sum, slot) => sum + slot.tokens, 0);
    const fits = (): boolean => requests + 1 <= requestsPerMinute && (spent === 0 || spent + tokens <= tokensPerMinute);
    if (fits()) {
      this.#add(tokens, now);
      return 0;
    }
    for (const slot of this.#slots) {
      requests -= slot.requests;
      spent -= slot.tokens;
      if (fits()) return Math.max(1, Math.ceil(slot.end + MINUTE - now));
    }
    return MINUTE;
  }

  #add(tokens: number, now: number): void {
    const last = this.#slots.at(-1);
    if (last !== undefined && now < last.end) {
      last.requests += 1;
      last.tokens += tokens;
      return;
    }
    this.#slots.push({ end: now + SLOT, requests: 1, tokens });
  }
}

/** Holds requests back: by the limits of a minute, and by what the endpoint asked for with `Retry-After`. */
export class RateLimiter {
  readonly #window: MinuteWindow;
  readonly #clock: Clock;
  #notBefore = Number.NEGATIVE_INFINITY;
  #turn: Promise<void> = Promise.resolve();

  constructor(limits: RateLimits, clock: Clock) {
    this.#window = new MinuteWindow(limits);
    this.#clock = clock;
  }

  /** Nothing is sent for so long, whoever asks. */
  pause(seconds: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#clock.now() + seconds * 1000);
  }

  /** Resolves when a request of so many tokens may go, in the order in which they came. */
  async take(tokens: number, signal?: AbortSignal): Promise<void> {
    const before = this.#turn;
    const { promise, resolve: next } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      for (;;) {
        signal?.throwIfAborted();
        const now = this.#clock.now();
        const wait = now < this.#notBefore ? this.#notBefore - now : this.#window.take(tokens, now);
        if (wait <= 0) return;
        await this.#clock.sleep(wait, signal);
      }
    } finally {
      next();
    }
  }
}
