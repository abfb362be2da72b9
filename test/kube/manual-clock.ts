import type { Clock } from '../../src/kube/index.ts';

type Timer = { readonly at: number; readonly order: number; readonly callback: () => void };

/** A clock that moves only when it is told to. Timers longer than Node's longest fire early, as there. */
export class ManualClock implements Clock {
  #now = 0;
  #order = 0;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.#now);
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Milliseconds to the next timer; Infinity without one. */
  nextIn(): number {
    return Math.min(...this.#timers.map(({ at }) => at)) - this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const at = this.#now + Math.min(Math.max(0, milliseconds), 2 ** 31 - 1);
    this.#order += 1;
    const timer = { at, order: this.#order, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const leave = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(milliseconds, () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      });
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** Fires what comes due, in order; what is awaited in between does not run. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let timer = this.#first(end); timer !== undefined; timer = this.#first(end)) this.#fire(timer);
    this.#now = end;
  }

  /** Fires what comes due, in order, lets promises settle after each, then calls `check`. */
  async run(milliseconds: number, check: () => void = () => undefined): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (let timer = this.#first(end); timer !== undefined; timer = this.#first(end)) {
      this.#fire(timer);
      await settle();
      check();
    }
    this.#now = end;
    check();
  }

  #first(end: number): Timer | undefined {
    return this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.callback();
  }
}

export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
