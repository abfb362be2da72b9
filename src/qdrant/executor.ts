import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation } from '@opentelemetry/api';
import { type RetryOptions, waitBefore } from '../http/index.ts';
import { type Logger, silentLogger } from '../telemetry/log.ts';
import { inSpan, type Span, SpanKind, tracerOf } from '../telemetry/spans.ts';
import { type Call, DEFAULT_TIMEOUTS, timeoutOf } from './call.ts';
import { QdrantError } from './errors.ts';
import { aborted } from './faults.ts';
import { type Instruments, instrumentsOf } from './instruments.ts';
import type { PeerTransport } from './peer-transport.ts';
import { DEFAULT_RETRY, mayRepeat } from './retry.ts';
import type { CallOptions, ClientOptions, Timeouts } from './types.ts';

const tracer = tracerOf('qdrant-librarian.qdrant');

/** Runs calls against one peer or several: time limits, repeats, failover, metrics, traces, logs. */
export class Executor {
  readonly #peers: readonly PeerTransport[];
  readonly #timeouts: Timeouts;
  readonly #retry: RetryOptions;
  readonly #instruments: Instruments | undefined;
  readonly #log: Logger;
  readonly #reading: AbortSignal | undefined;
  /** Index of the peer that answered last: asking it again lets a caller read what it wrote. */
  #preferred = 0;

  constructor(peers: readonly PeerTransport[], options: ClientOptions) {
    this.#peers = peers;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.#retry = { ...DEFAULT_RETRY, ...options.retry };
    this.#instruments = options.metrics === undefined ? undefined : instrumentsOf(options.metrics);
    this.#log = options.log ?? silentLogger;
    this.#reading = options.reading;
  }

  get timeouts(): Timeouts {
    return this.#timeouts;
  }

  async run<T>(call: Call<T>, given: CallOptions = {}): Promise<T> {
    const { operation } = call;
    const reading = call.safety === 'read' ? this.#reading : undefined;
    const options = reading === undefined ? given : { signal: reading, ...given };
    if (call.onePeer === true && this.#peers.length > 1) {
      throw new QdrantError({
        code: 'BadRequest',
        operation,
        peer: 'cluster',
        message: 'its answer differs from peer to peer: call it on .peer(name)',
      });
    }
    this.#instruments?.inFlight.inc({ operation });
    try {
      const span = {
        name: `qdrant ${operation}`,
        kind: SpanKind.CLIENT,
        attributes: { 'db.system.name': 'qdrant', 'db.operation.name': operation },
      };
      return await inSpan(tracer, span, (begun) => this.#attempts(call, options, begun));
    } finally {
      this.#instruments?.inFlight.dec({ operation });
    }
  }

  async #attempts<T>(call: Call<T>, options: CallOptions, span: Span): Promise<T> {
    const count = this.#peers.length;
    const limit = options.attempts ?? Math.max(this.#retry.attempts, call.onePeer === true ? 1 : count);
    const start = this.#preferred;
    let ambiguous = false;
    for (let attempt = 0; ; attempt += 1) {
      const index = (start + attempt) % count;
      try {
        const result = await this.#once(call, options, index);
        this.#preferred = index;
        span.setAttribute('qdrant.attempts', attempt + 1);
        return result;
      } catch (error) {
        if (!(error instanceof QdrantError)) throw error;
        // What an earlier attempt may have done stays true when the last one surely did nothing.
        ambiguous ||= error.ambiguous;
        const last = ambiguous && !error.ambiguous ? error.asAmbiguous() : error;
        if (attempt + 1 >= limit || !mayRepeat(error, call.safety)) throw last;
        // A peer that was not asked yet is asked at once: waiting helps only with those that failed.
        const round = Math.floor((attempt + 1) / count) - 1;
        const wait =
          round < 0 ? { milliseconds: 0 } : waitBefore(round, error, { ...this.#retry, random: Math.random });
        if (wait === 'giveUp') throw last;
        this.#instruments?.retries.inc({ operation: call.operation, code: error.code });
        this.#log.debug(
          { operation: call.operation, peer: error.peer, code: error.code, wait: wait.milliseconds },
          'qdrant request is repeated',
        );
        await pause(wait.milliseconds, last, options.signal);
      }
    }
  }

  async #once<T>(call: Call<T>, options: CallOptions, index: number): Promise<T> {
    const peer = this.#peers[index];
    const { operation, safety } = call;
    if (peer === undefined) {
      throw new QdrantError({ code: 'BadRequest', operation, peer: 'cluster', message: 'it has no peers' });
    }
    const mutating = safety !== 'read';
    const origin = { operation, mutating, peer: peer.name, secrets: [] };
    if (options.signal?.aborted === true) throw aborted(origin, false);
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    const timeout = options.timeout ?? timeoutOf(call.kind, this.#timeouts);
    const started = performance.now();
    let code = 'ok';
    try {
      return await call.attempt(peer, { operation, mutating, timeout, signal: options.signal, headers });
    } catch (error) {
      code = error instanceof QdrantError ? error.code : 'Unexpected';
      throw error;
    } finally {
      const seconds = (performance.now() - started) / 1000;
      this.#instruments?.requests.inc({ operation, code });
      this.#instruments?.duration.observe({ operation }, seconds);
      this.#log.debug({ operation, peer: peer.name, code, seconds }, 'qdrant request');
    }
  }
}

async function pause(milliseconds: number, cause: QdrantError, signal: AbortSignal | undefined): Promise<void> {
  if (milliseconds === 0) return;
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw cause;
  }
}
