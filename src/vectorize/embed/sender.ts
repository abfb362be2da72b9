import type { RetryOptions } from '../../http/index.ts';
import { type Logger, silentLogger } from '../../telemetry/log.ts';
import type { Clock } from './clock.ts';
import { EmbedError, type EmbedErrorCode } from './errors.ts';
import type { Gate, LoadSign } from './gate.ts';
import type { Instruments } from './instruments.ts';
import type { Meter } from './meter.ts';
import type { Answer, Heard, WireRequest } from './protocols/dialect.ts';
import type { RateLimiter } from './rate.ts';
import { nextWait } from './retry.ts';
import type { Transport } from './transport.ts';
import type { Protocol } from './types.ts';

export type Stop = {
  /** Ends everything, requests under way included. */
  readonly signal?: AbortSignal;
  /** Nothing is sent any more; what is under way ends by itself. Must fire when `signal` does. */
  readonly halt?: AbortSignal;
};

export type SenderOptions = {
  readonly protocol: Protocol;
  readonly transport: Transport;
  readonly gate: Gate;
  readonly limiter: RateLimiter;
  readonly meter: Meter;
  readonly retry: RetryOptions;
  readonly random: () => number;
  readonly clock: Clock;
  readonly instruments?: Instruments;
  readonly log?: Logger;
};

export type Attempt<T> = {
  readonly request: WireRequest;
  /** Estimated; 0 for a request that embeds nothing. */
  readonly tokens: number;
  /** Most bytes that an answer may have. */
  readonly maxBytes: number;
  readonly repeat: boolean;
  /** Undefined for an answer that is not of the protocol. */
  readonly read: (heard: Heard) => T | undefined;
};

const OVERLOAD: ReadonlySet<EmbedErrorCode> = new Set<EmbedErrorCode>(['RateLimited', 'Unavailable', 'Timeout']);
const signOf = (code: EmbedErrorCode): LoadSign => (OVERLOAD.has(code) ? 'overloaded' : 'neutral');

/** Sends one attempt when concurrency, rate and budget allow it, and counts what it cost. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #log: Logger;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLogger;
  }

  get endpoint(): string {
    return this.#options.transport.endpoint;
  }

  /** @throws EmbedError */
  async send<T extends Partial<Pick<Answer, 'tokens'>>>(attempt: Attempt<T>, stop: Stop): Promise<T> {
    const { gate, limiter, retry, instruments, protocol } = this.#options;
    const waiting = stop.halt ?? stop.signal;
    const place = await this.#orAborted(gate.enter(waiting));
    let sign: LoadSign = 'neutral';
    try {
      await this.#orAborted(limiter.take(attempt.tokens, waiting));
      const answer = await this.#exchange(attempt, stop);
      sign = 'ok';
      return answer;
    } catch (error) {
      if (error instanceof EmbedError) {
        sign = signOf(error.code);
        // Whoever enters next would be refused as well. A longer wait is the caller's to decide.
        const asked = error.retryAfterSeconds ?? 0;
        if (asked > 0 && asked <= retry.maxRetryAfterSeconds) limiter.pause(asked);
      }
      throw error;
    } finally {
      place.leave(sign);
      instruments?.window.set({ protocol }, gate.window);
    }
  }

  /** Waits before the next attempt; throws the error when there is none. @param round 0 for the first repeat */
  async pause(round: number, error: unknown, stop: Stop): Promise<void> {
    if (!(error instanceof EmbedError)) throw error;
    const { retry, random, clock, instruments, protocol } = this.#options;
    const wait = nextWait(round, error, { ...retry, random });
    if (wait === 'giveUp') throw error;
    const { code } = error;
    instruments?.retries.inc({ protocol, code });
    this.#log.debug({ protocol, endpoint: this.endpoint, code, wait: wait.milliseconds }, 'embedding is repeated');
    try {
      await clock.sleep(wait.milliseconds, stop.halt ?? stop.signal);
    } catch {
      throw stop.signal?.aborted === true ? this.#aborted() : error;
    }
  }

  async #exchange<T extends Partial<Pick<Answer, 'tokens'>>>(attempt: Attempt<T>, stop: Stop): Promise<T> {
    const { transport, meter, instruments, protocol } = this.#options;
    const { endpoint } = transport;
    const refusal = meter.refusal(attempt.tokens);
    if (refusal !== undefined) throw new EmbedError({ code: 'BudgetUsedUp', endpoint, message: refusal });
    const reservation = meter.reserve(attempt.tokens, attempt.repeat);
    instruments?.inFlight.inc({ protocol });
    const started = performance.now();
    let code = 'ok';
    const spent = (told: number | undefined): void => {
      reservation.spent(told);
      instruments?.tokens.inc({ protocol }, told ?? attempt.tokens);
    };
    try {
      const heard = await transport.send(attempt.request, attempt.maxBytes, stop.signal);
      const answer = attempt.read(heard);
      if (answer === undefined) {
        const message = 'its answer is not one of the protocol';
        throw new EmbedError({ code: 'Unexpected', endpoint, status: 200, message, ambiguous: true });
      }
      spent(answer.tokens);
      return answer;
    } catch (error) {
      code = error instanceof EmbedError ? error.code : 'Unexpected';
      if (error instanceof EmbedError && !error.ambiguous) reservation.free();
      else spent(undefined);
      throw error;
    } finally {
      const seconds = (performance.now() - started) / 1000;
      instruments?.inFlight.dec({ protocol });
      instruments?.requests.inc({ protocol, code });
      instruments?.duration.observe({ protocol }, seconds);
      this.#log.debug({ protocol, endpoint, code, seconds }, 'embedding request');
    }
  }

  async #orAborted<T>(waiting: Promise<T>): Promise<T> {
    try {
      return await waiting;
    } catch {
      throw this.#aborted();
    }
  }

  #aborted(): EmbedError {
    return new EmbedError({ code: 'Aborted', endpoint: this.endpoint, message: 'aborted by the caller' });
  }
}
