import { isDeepStrictEqual } from 'node:util';
import type { Timing } from '../../migration/index.ts';
import { ClusterClient, isQdrantError, type QdrantError, type QdrantErrorCode } from '../../qdrant/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { ResultReason } from '../progress.ts';
import type { Address } from './binding.ts';
import { RunEnd } from './failure.ts';

export type Reached = { readonly client: ClusterClient; readonly collection: string; readonly signal: AbortSignal };

export type SessionOptions = {
  /** Where the library is by now. */
  readonly address: () => Promise<Address>;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** How long the same call may fail. */
  readonly patienceMilliseconds: number;
  /** Called with what it waits for, and with undefined when it goes on. */
  readonly waiting: (what: string | undefined) => void;
  /** Called when a call has succeeded. */
  readonly moved?: () => void;
};

/** A wrong key isn't cured by waiting, but for the time that a mounted Secret needs to follow. */
const KEY_PATIENCE = 120_000;
const LEAST_WAIT = 250;
const MOST_WAIT = 5000;

/**
 * Calls to a library, wherever it is: what is refused because of a fence, a move, a restart or a changed key is done
 * again, at the place that the binding names by then.
 */
export class Session {
  readonly #options: SessionOptions;
  #address: Address | undefined;
  #client: ClusterClient | undefined;
  #moves = 0;
  #retired: Promise<void>[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * @throws RunEnd when patience is at its end; QdrantError `BadRequest` at once: what is refused for itself is the
   *   caller's to understand
   */
  async run<T>(call: (reached: Reached) => Promise<T>): Promise<T> {
    const { timing, signal, waiting, log, moved } = this.#options;
    let since: number | undefined;
    for (let round = 0; ; round += 1) {
      signal.throwIfAborted();
      try {
        const result = await call({ ...(await this.#reach()), signal });
        if (since !== undefined) waiting(undefined);
        moved?.();
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (!isQdrantError(error) || error.code === 'BadRequest') throw error;
        const now = timing.now();
        since ??= now;
        const reason = reasonOf(error);
        if (now - since >= this.#patience(reason)) throw new RunEnd(reason, error.message);
        waiting(`${wordsOf(reason)}: ${error.message}`);
        log.info({ reason, err: error.message }, 'waiting for the target');
        const asked = (error.retryAfterSeconds ?? 0) * 1000;
        await timing.sleep(Math.min(MOST_WAIT, Math.max(asked, LEAST_WAIT * 2 ** Math.min(round, 6))), signal);
        await this.#follow();
      }
    }
  }

  /** How often the library was found elsewhere. */
  get moves(): number {
    return this.#moves;
  }

  async close(): Promise<void> {
    await Promise.all([this.#client?.close(), ...this.#retired]);
  }

  #patience(reason: ResultReason): number {
    const { patienceMilliseconds } = this.#options;
    return reason === 'TargetUnauthorized' ? Math.min(patienceMilliseconds, KEY_PATIENCE) : patienceMilliseconds;
  }

  async #reach(): Promise<{ client: ClusterClient; collection: string }> {
    this.#address ??= await this.#options.address();
    this.#client ??= new ClusterClient(this.#address.connection, { log: this.#options.log });
    return { client: this.#client, collection: this.#address.collection };
  }

  /** Goes to where the binding leads now, if that is elsewhere. */
  async #follow(): Promise<void> {
    const address = await this.#options.address();
    if (isDeepStrictEqual(address, this.#address)) return;
    this.#options.log.info({ peers: address.connection.peers.map(({ name }) => name) }, 'the library is elsewhere now');
    this.#address = address;
    this.#moves += 1;
    if (this.#client !== undefined) this.#retired.push(this.#client.close());
    this.#client = undefined;
  }
}

const REASONS: Partial<Record<QdrantErrorCode, ResultReason>> = {
  RateLimited: 'TargetHeldBack',
  NotFound: 'TargetMissing',
  Unauthorized: 'TargetUnauthorized',
  Forbidden: 'TargetUnauthorized',
  InsufficientStorage: 'TargetFull',
};
const reasonOf = ({ code }: QdrantError): ResultReason => REASONS[code] ?? 'TargetUnreachable';

const WORDS: Partial<Record<ResultReason, string>> = {
  TargetHeldBack: 'writes are held back',
  TargetMissing: 'the collection is not there',
  TargetUnauthorized: 'the key is refused',
  TargetFull: 'the target is full',
};
const wordsOf = (reason: ResultReason): string => WORDS[reason] ?? 'the target does not answer';
