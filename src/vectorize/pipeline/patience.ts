import type { Timing } from '../../migration/index.ts';
import { isEmbedError } from '../embed/index.ts';
import { runEndOf } from './failure.ts';

export type PatienceOptions = {
  readonly timing: Timing;
  readonly signal: AbortSignal;
  readonly patienceMilliseconds: number;
  /** Called with what it waits for, and with undefined when it goes on. */
  readonly waiting: (what: string | undefined) => void;
};

const LEAST_WAIT = 1000;
const MOST_WAIT = 15_000;

/** How long an embedder that fails is asked again, beyond what its client does. */
export class Patience {
  readonly #options: PatienceOptions;
  #since: number | undefined;
  #round = 0;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** Something went well: the time begins anew. */
  passed(): void {
    if (this.#since !== undefined) this.#options.waiting(undefined);
    this.#since = undefined;
    this.#round = 0;
  }

  /** Returns when it may be tried again. @throws RunEnd when it may not; the error itself when it is nobody's */
  async wait(error: unknown): Promise<void> {
    const { timing, signal, waiting, patienceMilliseconds } = this.#options;
    signal.throwIfAborted();
    if (!isEmbedError(error) || error.permanent) throw runEndOf(error) ?? error;
    const now = timing.now();
    this.#since ??= now;
    if (now - this.#since >= patienceMilliseconds) throw runEndOf(error) ?? error;
    waiting(`the embedder fails (${error.code}): ${error.message}`);
    const asked = (error.retryAfterSeconds ?? 0) * 1000;
    const pause = Math.min(MOST_WAIT, LEAST_WAIT * 2 ** Math.min(this.#round, 5));
    this.#round += 1;
    await timing.sleep(Math.min(Math.max(pause, asked), patienceMilliseconds), signal);
  }
}
