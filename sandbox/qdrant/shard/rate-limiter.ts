import { EngineError } from '../base/errors.ts';

/** A token bucket per minute that starts full. Source: Qdrant `rate_limiting.rs`. */
export class RateLimiter {
  readonly #perMinute: number;
  #tokens: number;
  #checkedAt: number;

  constructor(perMinute: number, now: number) {
    this.#perMinute = perMinute;
    this.#tokens = perMinute;
    this.#checkedAt = now;
  }

  /**
   * Takes `cost` tokens at `now` (milliseconds).
   * @throws EngineError 429 when there are too few; with the seconds to wait, or without when it can never succeed
   */
  take(cost: number, options: { now: number; what: 'Read' | 'Write' }): void {
    if (cost > this.#perMinute) {
      throw new EngineError(
        'RateLimited',
        `${options.what} rate limit exceeded, request larger than rate limiter capacity, please try to split your request`,
      );
    }
    const perSecond = this.#perMinute / 60;
    this.#tokens = Math.min(this.#perMinute, this.#tokens + ((options.now - this.#checkedAt) / 1000) * perSecond);
    this.#checkedAt = options.now;
    if (this.#tokens >= cost) {
      this.#tokens -= cost;
      return;
    }
    const seconds = Math.ceil((cost - this.#tokens) / perSecond);
    throw new EngineError(
      'RateLimited',
      `${options.what} rate limit exceeded: Operation requires ${cost} tokens but only ${this.#tokens.toFixed(1)} were available. Retry after ${seconds}s`,
      { retryAfterSeconds: seconds },
    );
  }
}
