import { type Logger, silentLogger } from '../../telemetry/log.ts';
import { packBatches } from './batch.ts';
import { Bell } from './bell.ts';
import { type CacheEntry, cacheKey, textHash, type VectorCache } from './cache.ts';
import type { EmbedClient } from './client.ts';
import { EmbedError } from './errors.ts';
import type { Outcome } from './runner.ts';

/** What is to be embedded of an item. */
export type Wanted = {
  readonly text: string;
  /** SHA-256 of the text, normalised; by default of the text as it is. */
  readonly hash?: string;
  /** Counted or estimated; by default as the client counts. */
  readonly tokens?: number;
};

export type PipelineOptions<T> = {
  readonly client: EmbedClient;
  readonly wanted: (item: T) => Wanted;
  /** Put before every text. */
  readonly prefix?: string;
  readonly cache?: VectorCache;
  /** See `CacheScope`. */
  readonly revision?: string;
  /** Most items that are held, in batches. */
  readonly queueBatches?: number;
  /** Most bytes of texts that are held; one item goes over it. */
  readonly queueBytes?: number;
  /** Nothing is sent before it; items are taken meanwhile. What it is rejected with ends the run. */
  readonly ready?: Promise<void>;
  readonly signal?: AbortSignal;
  readonly log?: Logger;
};

/** Where a vector came from: `twin` is an equal text of the same run. */
export type VectorSource = 'endpoint' | 'cache' | 'twin';

/** An error is about this item's text alone. */
export type Embedded<T> =
  | { readonly item: T; readonly vector: Float32Array; readonly source: VectorSource; readonly error?: undefined }
  | { readonly item: T; readonly error: EmbedError; readonly vector?: undefined };

type Slot<T> = {
  readonly item: T;
  readonly text: string;
  readonly tokens: number;
  readonly key: string;
  readonly bytes: number;
  outcome?: Embedded<T>;
};
/** A text under way, with all the items that wait for it. */
type Miss<T> = {
  readonly text: string;
  readonly tokens: number;
  readonly key: string;
  readonly slots: Slot<T>[];
  outcome?: Outcome;
};

const DEFAULTS = { queueBatches: 20, queueBytes: 64 * 1024 * 1024 };
/** So many batches are sorted by length together: texts of a batch are then alike, and little is padded. */
const LOOKAHEAD = 4;
/** So many texts refused before any was embedded: it is not about the texts. */
const HOPELESS = 8;

/**
 * Items with their vectors, in order, each as soon as it and all before it are known. Reads the source only as fast as
 * the caller takes results. Whatever ends it, what was embedded until then comes first, and is in the cache.
 *
 * @throws EmbedError for what is not about one text: a key refused, a budget used up, an endpoint gone
 */
export async function* embedAll<T>(
  source: AsyncIterable<T> | Iterable<T>,
  options: PipelineOptions<T>,
): AsyncGenerator<Embedded<T>, void, undefined> {
  const run = new Run(source, options);
  try {
    yield* run.results();
  } finally {
    await run.end();
  }
}

class Run<T> {
  readonly #options: PipelineOptions<T>;
  readonly #client: EmbedClient;
  readonly #log: Logger;
  readonly #iterator: AsyncIterator<T> | Iterator<T>;
  readonly #bell = new Bell();
  readonly #halt = new AbortController();
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #slots: Slot<T>[] = [];
  readonly #misses = new Map<string, Miss<T>>();
  /** The cache holds what came of them: whoever looks there from now on finds it. */
  #kept: Miss<T>[] = [];
  readonly #running = new Set<Promise<void>>();
  #unlooked: Slot<T>[] = [];
  #unsent: Miss<T>[] = [];
  #bytes = 0;
  #produced = false;
  #pulling = false;
  #failure: unknown;
  #hopeless = 0;
  /** Numbers of every vector of this run, wherever they come from. */
  #length: number | undefined;

  constructor(source: AsyncIterable<T> | Iterable<T>, options: PipelineOptions<T>) {
    this.#options = options;
    this.#client = options.client;
    this.#log = options.log ?? silentLogger;
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    const { signal } = options;
    this.#signal = signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
  }

  async *results(): AsyncGenerator<Embedded<T>, void, undefined> {
    const aborted = (): void => this.#fail(this.#error('Aborted', 'aborted by the caller'));
    if (this.#signal.aborted) aborted();
    this.#signal.addEventListener('abort', aborted, { once: true });
    void this.#produce();
    for (;;) {
      const [head] = this.#slots;
      // After a failure nobody waits for a source that is silent.
      const last = this.#produced || (this.#failure !== undefined && this.#pulling);
      if (head === undefined && last) break;
      if (this.#failure !== undefined && last && this.#running.size === 0 && head?.outcome === undefined) {
        // Nothing sends it any more.
        this.#slots.shift();
        continue;
      }
      if (head?.outcome === undefined) {
        await this.#bell.wait();
        continue;
      }
      this.#slots.shift();
      this.#bytes -= head.bytes;
      this.#bell.ring();
      yield head.outcome;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async end(): Promise<void> {
    this.#abort.abort();
    this.#bell.ring();
    await Promise.allSettled(this.#running);
    // A source that is in the middle of its work can't be told to end before it has done it.
    const ended = Promise.resolve(this.#iterator.return?.()).catch(() => undefined);
    if (!this.#pulling) await ended;
  }

  async #produce(): Promise<void> {
    try {
      const { maxTexts } = await this.#client.limits(this.#signal);
      const whole = maxTexts * LOOKAHEAD;
      // An endpoint that has nothing to do need not wait for texts that are alike.
      const group = (): number => (this.#running.size === 0 ? maxTexts : whole);
      const { queueBatches = DEFAULTS.queueBatches, queueBytes = DEFAULTS.queueBytes } = this.#options;
      const most = Math.max(maxTexts, maxTexts * queueBatches);
      const fill = { most, resume: most - Math.min(whole, most), bytes: queueBytes };
      while (this.#failure === undefined && (await this.#pull())) {
        if (this.#unlooked.length >= group()) await this.#lookUp();
        if (this.#unsent.length >= group()) await this.#send();
        if (this.#slots.length >= fill.most || this.#bytes >= fill.bytes) await this.#room(fill);
      }
      await this.#lookUp();
      await this.#send();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#produced = true;
      this.#bell.ring();
    }
  }

  async #pull(): Promise<boolean> {
    this.#pulling = true;
    try {
      const next = await this.#iterator.next();
      if (next.done === true || this.#failure !== undefined) return false;
      this.#unlooked.push(this.#slot(next.value));
      return true;
    } finally {
      this.#pulling = false;
    }
  }

  #slot(item: T): Slot<T> {
    const { wanted, prefix = '', revision } = this.#options;
    const { protocol, model, requestedDimensions, countTokens } = this.#client;
    const { text, hash = textHash(text), tokens } = wanted(item);
    const scope = { protocol, model, prefix, ...(revision !== undefined && { revision }) };
    const key = cacheKey(
      requestedDimensions === undefined ? scope : { ...scope, dimensions: requestedDimensions },
      hash,
    );
    const whole = prefix + text;
    const counted = tokens === undefined ? countTokens(whole) : tokens + (prefix === '' ? 0 : countTokens(prefix));
    const slot: Slot<T> = { item, text: whole, tokens: counted, key, bytes: whole.length * 2 };
    this.#slots.push(slot);
    this.#bytes += slot.bytes;
    return slot;
  }

  /** Everything held is on its way before anybody waits: else the head might never come. */
  async #room({ resume, bytes }: { resume: number; bytes: number }): Promise<void> {
    await this.#lookUp();
    await this.#send();
    while (this.#failure === undefined && (this.#slots.length > resume || this.#bytes > bytes / 2)) {
      await this.#bell.wait();
    }
  }

  async #lookUp(): Promise<void> {
    const slots = this.#unlooked;
    this.#unlooked = [];
    if (slots.length === 0) return;
    // Not earlier: a look that began before the cache was written to finds nothing there.
    for (const { key } of this.#kept) this.#misses.delete(key);
    this.#kept = [];
    const { cache } = this.#options;
    const found = await this.#guarded('read', async () => (await cache?.get(slots.map(({ key }) => key))) ?? []);
    for (const [index, slot] of slots.entries()) {
      const vector = found?.[index];
      if (vector !== undefined && this.#fits(vector)) {
        this.#settle(slot, { vector }, 'cache');
        continue;
      }
      const known = this.#misses.get(slot.key);
      if (known !== undefined) {
        if (known.outcome === undefined) known.slots.push(slot);
        else this.#settle(slot, known.outcome, 'twin');
        continue;
      }
      const miss: Miss<T> = { text: slot.text, tokens: slot.tokens, key: slot.key, slots: [slot] };
      this.#misses.set(slot.key, miss);
      this.#unsent.push(miss);
    }
    this.#bell.ring();
  }

  async #send(): Promise<void> {
    if (this.#unsent.length === 0 || this.#failure !== undefined) return;
    await this.#options.ready;
    const limits = await this.#client.limits(this.#signal);
    const misses = this.#unsent.toSorted((a, b) => a.tokens - b.tokens);
    this.#unsent = [];
    for (const batch of packBatches(misses, limits)) {
      const running = this.#embed(batch).finally(() => {
        this.#running.delete(running);
        this.#bell.ring();
      });
      this.#running.add(running);
    }
  }

  async #embed(batch: readonly Miss<T>[]): Promise<void> {
    const fresh: CacheEntry[] = [];
    const settle = (index: number, outcome: Outcome): void => {
      const miss = batch[index];
      if (miss === undefined) return;
      if (outcome.vector !== undefined && !this.#fits(outcome.vector)) {
        const detail = `${outcome.vector.length} numbers where those of the cache have ${this.#length}`;
        this.#fail(this.#error('WrongDimension', detail));
        return;
      }
      miss.outcome = outcome;
      for (const [place, slot] of miss.slots.entries()) this.#settle(slot, outcome, place === 0 ? 'endpoint' : 'twin');
      if (outcome.vector === undefined) this.#countRefusal(outcome.error);
      else {
        this.#hopeless = Number.NEGATIVE_INFINITY;
        fresh.push({ key: miss.key, vector: outcome.vector });
      }
      this.#bell.ring();
    };
    try {
      await this.#client.run(batch, { settle, signal: this.#signal, halt: this.#halt.signal });
    } catch (error) {
      this.#fail(error);
    }
    const { cache } = this.#options;
    if (cache !== undefined && fresh.length > 0) await this.#guarded('written', () => cache.put(fresh));
    this.#kept.push(...batch);
  }

  #settle(slot: Slot<T>, outcome: Outcome, source: VectorSource): void {
    const { item } = slot;
    const { vector, error } = outcome;
    if (vector !== undefined && source !== 'endpoint') this.#client.countHit(slot.tokens);
    slot.outcome = vector === undefined ? { item, error } : { item, vector, source };
  }

  #fits(vector: Float32Array): boolean {
    const wanted = this.#client.dimensions ?? this.#length ?? vector.length;
    if (vector.length !== wanted || vector.length !== (this.#length ?? wanted)) return false;
    this.#length = wanted;
    return true;
  }

  #countRefusal({ code, status }: EmbedError): void {
    if (code === 'EmptyText') return;
    this.#hopeless += 1;
    if (this.#hopeless < HOPELESS) return;
    const message = `it refused the first ${HOPELESS} texts, so it is not about the texts`;
    this.#fail(new EmbedError({ code, endpoint: this.#client.endpoint, status, message }));
  }

  /** A cache that fails costs time, not the run. */
  async #guarded<R>(done: 'read' | 'written', work: () => Promise<R>): Promise<R | undefined> {
    try {
      return await work();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      this.#log.warn({ code }, `embedding cache could not be ${done}`);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#halt.abort();
    this.#bell.ring();
  }

  #error(code: 'Aborted' | 'WrongDimension', message: string): EmbedError {
    return new EmbedError({ code, endpoint: this.#client.endpoint, message });
  }
}
