import { setTimeout as delay } from 'node:timers/promises';

/** Time as this library sees it, so that tests can bring their own. */
export type Clock = {
  /** Monotonic milliseconds; only differences mean something. */
  now(): number;
  /** Wall clock, for what is written into objects. */
  date(): Date;
  /** Resolves after `milliseconds`; rejects with the signal's reason when it aborts first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `milliseconds`; returns what cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
};

/** The longest delay of a Node timer; a longer one fires at once. */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  sleep: async (milliseconds, signal) => {
    try {
      await delay(Math.min(milliseconds, LONGEST), undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.reason ?? error;
    }
  },
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, Math.min(milliseconds, LONGEST));
    return () => clearTimeout(timer);
  },
};

/** RFC 3339 with six fractional digits: the API server refuses a `MicroTime` with any other number. */
export const microTime = (date: Date): string => date.toISOString().replace('Z', '000Z');
