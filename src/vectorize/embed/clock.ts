import { setTimeout as delay } from 'node:timers/promises';

/** Time as this room sees it, so that tests can bring their own. */
export type Clock = {
  /** Monotonic milliseconds; only differences mean something. */
  now(): number;
  /** Wall clock in milliseconds since the epoch, for dates in headers. */
  date(): number;
  /** Resolves after `milliseconds`; rejects with the signal's reason when it aborts first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
};

/** The longest delay of a Node timer; a longer one fires at once. */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  sleep: async (milliseconds, signal) => {
    try {
      await delay(Math.min(milliseconds, LONGEST), undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.reason ?? error;
    }
  },
};
