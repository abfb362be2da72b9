import { inspect } from 'node:util';
import type { Registry } from 'prom-client';
import type { RetryOptions } from '../../http/index.ts';
import { type Logger, silentLogger } from '../../telemetry/log.ts';
import { packBatches } from './batch.ts';
import { type Clock, systemClock } from './clock.ts';
import { EmbedError, isEmbedError } from './errors.ts';
import { Gate } from './gate.ts';
import { type Instruments, instrumentsOf } from './instruments.ts';
import { Meter } from './meter.ts';
import type { Dialect } from './protocols/dialect.ts';
import { dialectOf } from './protocols/index.ts';
import { RateLimiter, type RateLimits } from './rate.ts';
import { DEFAULT_RETRY } from './retry.ts';
import { type Outcome, Runner, type RunOptions } from './runner.ts';
import { Sender } from './sender.ts';
import { Transport } from './transport.ts';
import {
  type BatchLimits,
  type CountTokens,
  type Embedder,
  type EmbedderInfo,
  type EmbedOptions,
  estimateTokens,
  type Protocol,
  type SizedText,
} from './types.ts';

export type EmbedClientOptions = RateLimits & {
  readonly protocol: Protocol;
  /** Base URL. */
  readonly url: string;
  readonly model: string;
  /** Numbers of a vector; asked for, and checked in every answer. */
  readonly dimensions?: number;
  readonly apiKey?: string;
  /** PEM; replaces the system's list. */
  readonly ca?: string;
  /** Texts of a request; the protocol's own limits hold besides. */
  readonly batchSize?: number;
  /** Requests at a time, at most: it begins with one and grows with success. */
  readonly maxConcurrency?: number;
  /** For one attempt. */
  readonly timeoutSeconds?: number;
  /** How OpenAI's protocol sends numbers. */
  readonly encoding?: 'base64' | 'float';
  /** `unit`: vectors must have length 1. */
  readonly norm?: 'unit' | 'any';
  readonly countTokens?: CountTokens;
  readonly meter?: Meter;
  readonly retry?: Partial<RetryOptions>;
  readonly metrics?: Registry;
  readonly log?: Logger;
  readonly clock?: Clock;
  /** In [0, 1). */
  readonly random?: () => number;
};

const DEFAULTS = { batchSize: 32, maxConcurrency: 4, timeoutSeconds: 60 };
const INFO_BYTES = 4 * 1024 * 1024;

/** One embedder. Close it when done. */
export class EmbedClient implements Embedder {
  readonly protocol: Protocol;
  readonly model: string;
  readonly endpoint: string;
  readonly meter: Meter;
  readonly countTokens: CountTokens;
  readonly #options: EmbedClientOptions;
  readonly #dialect: Dialect;
  readonly #transport: Transport;
  readonly #sender: Sender;
  readonly #runner: Runner;
  readonly #log: Logger;
  readonly #instruments: Instruments | undefined;
  #limits: Promise<BatchLimits> | undefined;

  /** @throws EmbedError for a URL or key that can't be used */
  constructor(options: EmbedClientOptions) {
    const { protocol, model, dimensions, apiKey, ca, clock = systemClock, log = silentLogger } = options;
    const { maxConcurrency = DEFAULTS.maxConcurrency, timeoutSeconds = DEFAULTS.timeoutSeconds } = options;
    this.#options = options;
    this.#log = log;
    this.protocol = protocol;
    this.model = model;
    this.meter = options.meter ?? new Meter();
    this.countTokens = options.countTokens ?? estimateTokens;
    const sized = dimensions === undefined ? {} : { dimensions };
    this.#dialect = dialectOf(protocol, { model, encoding: options.encoding ?? 'base64', ...sized });
    this.#transport = new Transport({
      url: options.url,
      auth: apiKey === undefined ? undefined : this.#dialect.auth(apiKey),
      ...(ca === undefined ? {} : { ca }),
      connections: maxConcurrency,
      timeout: timeoutSeconds * 1000,
      clock,
    });
    this.endpoint = this.#transport.endpoint;
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
      const message =
        apiKey === ''
          ? 'the API key is empty'
          : 'the API key holds a space, a line break or a character that no header carries';
      throw new EmbedError({ code: 'Unauthorized', endpoint: this.endpoint, message });
    }
    this.#instruments = options.metrics === undefined ? undefined : instrumentsOf(options.metrics);
    const measured = this.#instruments === undefined ? {} : { instruments: this.#instruments };
    this.#sender = new Sender({
      protocol,
      transport: this.#transport,
      gate: new Gate(maxConcurrency),
      limiter: new RateLimiter(options, clock),
      meter: this.meter,
      retry: { ...DEFAULT_RETRY, ...options.retry },
      random: options.random ?? Math.random,
      clock,
      log,
      ...measured,
    });
    this.#runner = new Runner({
      protocol,
      sender: this.#sender,
      dialect: this.#dialect,
      meter: this.meter,
      norm: options.norm ?? 'any',
      ...sized,
      ...measured,
    });
  }

  /** Numbers of a vector: as asked for, or as seen; undefined before the first answer. */
  get dimensions(): number | undefined {
    return this.#runner.dimensions;
  }

  /** As asked for; undefined = what the model gives. */
  get requestedDimensions(): number | undefined {
    return this.#options.dimensions;
  }

  /** A text whose vector was known already. @param tokens that it would have cost */
  countHit(tokens: number): void {
    this.meter.count({ hits: 1, savedTokens: tokens });
    this.#instruments?.texts.inc({ protocol: this.protocol, source: 'cache' });
  }

  async embed(texts: readonly string[], { signal }: EmbedOptions = {}): Promise<Float32Array[]> {
    const vectors = new Array<Float32Array>(texts.length);
    const failed = new AbortController();
    const halt = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
    const limits = await this.limits(signal);
    const indexed = texts.map((text, index) => ({ index, text, tokens: this.countTokens(text) }));
    let failure: unknown;
    const fail = (error: unknown): void => {
      failure ??= error;
      failed.abort();
    };
    const runs = packBatches(indexed, limits).map((batch) => {
      const settle = (place: number, { vector, error }: Outcome): void => {
        const index = batch[place]?.index ?? 0;
        if (vector === undefined) fail(error.about(index));
        else vectors[index] = vector;
      };
      return this.run(batch, { settle, halt, ...(signal && { signal }) }).catch(fail);
    });
    await Promise.all(runs);
    if (failure !== undefined) throw failure;
    return vectors;
  }

  /** A batch that fits into `limits()`; each text is settled as soon as its vector, or why it has none, is known. */
  async run(batch: readonly SizedText[], options: RunOptions): Promise<void> {
    const good: number[] = [];
    for (const [index, text] of batch.entries()) {
      const error = this.#unfit(text);
      if (error === undefined) good.push(index);
      else {
        this.meter.count({ refused: 1 });
        this.#instruments?.texts.inc({ protocol: this.protocol, source: 'refused' });
        options.settle(index, { error: error.about(index) });
      }
    }
    if (good.length === 0) return;
    const left = good.flatMap((index) => batch[index] ?? []);
    const settle: RunOptions['settle'] = (place, { vector, error }) => {
      const index = good[place] ?? 0;
      options.settle(index, vector === undefined ? { error: error.about(index) } : { vector });
    };
    await this.#runner.run(left, { ...options, settle });
  }

  async info({ signal }: EmbedOptions = {}): Promise<EmbedderInfo> {
    const { info, limits, text } = this.#dialect;
    const own = { maxBatch: limits.maxTexts, ...(text && { maxTokens: text.maxTokens }) };
    const { dimensions } = this;
    if (info === undefined) return { ...own, ...(dimensions !== undefined && { dimensions }) };
    const { told } = await this.#ask(
      info.request,
      (json) => {
        const read = info.read(json);
        return read && { told: read };
      },
      signal,
    );
    return { ...own, ...told, ...(dimensions !== undefined && { dimensions }) };
  }

  /** What one request may hold now; it shrinks when the endpoint refuses a request for its size. */
  async limits(signal?: AbortSignal): Promise<BatchLimits> {
    this.#limits ??= this.#readLimits(signal);
    try {
      const limits = await this.#limits;
      return { ...limits, maxTexts: Math.min(limits.maxTexts, this.#runner.maxTexts) };
    } catch (error) {
      this.#limits = undefined;
      throw error;
    }
  }

  /** Waits for what runs. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  [inspect.custom](): string {
    return `EmbedClient(${this.protocol} ${this.endpoint})`;
  }

  async #readLimits(signal: AbortSignal | undefined): Promise<BatchLimits> {
    const { limits, limitsFromInfo } = this.#dialect;
    const { batchSize = DEFAULTS.batchSize, tokensPerMinute = Number.POSITIVE_INFINITY } = this.#options;
    const told = limitsFromInfo ? await this.#toldLimits(signal) : {};
    return {
      maxTexts: Math.min(told.maxBatch ?? limits.maxTexts, batchSize),
      maxTokens: Math.min(told.maxBatchTokens ?? limits.maxTokens, tokensPerMinute),
      maxBytes: limits.maxBytes,
    };
  }

  async #toldLimits(signal: AbortSignal | undefined): Promise<EmbedderInfo> {
    try {
      return await this.info(signal && { signal });
    } catch (error) {
      if (!isEmbedError(error, 'NotFound') && !isEmbedError(error, 'Forbidden')) throw error;
      // A proxy may let only the one path through.
      this.#log.warn({ endpoint: this.endpoint }, "embedder doesn't tell its limits: the protocol's defaults are used");
      return {};
    }
  }

  async #ask<T extends object>(
    request: { method: 'GET' | 'POST'; path: string; body?: string },
    read: (json: unknown) => T | undefined,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const stop = signal && { signal };
    for (let round = 0; ; round += 1) {
      try {
        const attempt = { request, tokens: 0, maxBytes: INFO_BYTES, repeat: round > 0 };
        return await this.#sender.send<T & { tokens?: number }>(
          { ...attempt, read: ({ json }) => read(json) },
          stop ?? {},
        );
      } catch (error) {
        await this.#sender.pause(round, error, stop ?? {});
      }
    }
  }

  /** Why a text is not even sent. */
  #unfit({ text, tokens }: SizedText): EmbedError | undefined {
    const { endpoint } = this;
    if (!/\S/.test(text)) return new EmbedError({ code: 'EmptyText', endpoint, message: 'it is empty' });
    const limit = this.#dialect.text;
    if (limit?.cutsSilently !== true || tokens <= limit.maxTokens) return undefined;
    const message = `it has about ${tokens} tokens, over the ${limit.maxTokens} that the model reads`;
    return new EmbedError({ code: 'TooLarge', endpoint, message });
  }
}
