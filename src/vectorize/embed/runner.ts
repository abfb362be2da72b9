import { inSpan, SpanKind, tracerOf } from '../../telemetry/spans.ts';
import { tokensOf } from './batch.ts';
import { type Defect, defectsOf } from './check.ts';
import { EmbedError, type EmbedErrorCode } from './errors.ts';
import type { Instruments } from './instruments.ts';
import type { Meter } from './meter.ts';
import type { Answer, Dialect } from './protocols/dialect.ts';
import type { Sender, Stop } from './sender.ts';
import type { Protocol, SizedText } from './types.ts';

const tracer = tracerOf('qdrant-librarian.embed');

/** What became of one text. An error is about that text alone. */
export type Outcome =
  | { readonly vector: Float32Array; readonly error?: undefined }
  | { readonly vector?: undefined; readonly error: EmbedError };

export type RunOptions = Stop & {
  /** Called once for each text, as soon as its outcome is known, with its index in the batch. */
  readonly settle: (index: number, outcome: Outcome) => void;
};

export type RunnerOptions = {
  readonly protocol: Protocol;
  readonly sender: Sender;
  readonly dialect: Dialect;
  readonly meter: Meter;
  readonly dimensions?: number;
  readonly norm: 'unit' | 'any';
  readonly instruments?: Instruments;
};

/** A batch, or what is left of it, with the places of its texts in the whole. */
type Part = readonly { readonly index: number; readonly item: SizedText }[];

/** The endpoint refuses what was sent, so fewer texts at a time show which of them it means. */
const SPLITS: ReadonlySet<EmbedErrorCode> = new Set<EmbedErrorCode>(['TooLarge', 'BadRequest']);

const MEGABYTE = 1024 * 1024;
const MOST_DIMENSIONS = 65_536;
/** A float64 as text, with its comma. */
const BYTES_PER_NUMBER = 28;
const MOST_BYTES = 256 * MEGABYTE;

/** Brings batches to the endpoint and each text to its outcome, whatever fails on the way. */
export class Runner {
  readonly #options: RunnerOptions;
  /** Numbers of a vector: as asked for, or as first seen. */
  #dimensions: number | undefined;
  #maxTexts = Number.POSITIVE_INFINITY;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#dimensions = options.dimensions;
  }

  get dimensions(): number | undefined {
    return this.#dimensions;
  }

  /** How many texts the endpoint was seen to take in a request after it had refused more. */
  get maxTexts(): number {
    return this.#maxTexts;
  }

  /** @throws EmbedError when the rest of the batch cannot be embedded; what was settled stays so */
  async run(batch: readonly SizedText[], options: RunOptions): Promise<void> {
    const { protocol, sender } = this.#options;
    const attributes = {
      'gen_ai.operation.name': 'embeddings',
      'server.address': sender.endpoint,
      'embed.protocol': protocol,
      'embed.texts': batch.length,
    };
    const part = batch.map((item, index) => ({ index, item }));
    await inSpan(tracer, { name: `embed ${protocol}`, kind: SpanKind.CLIENT, attributes }, () =>
      this.#part(part, options),
    );
  }

  async #part(part: Part, options: RunOptions): Promise<void> {
    let left = part;
    for (let round = 0; ; round += 1) {
      const failure = await this.#attempt(left, round > 0, options);
      if (failure === undefined) return;
      const { error, texts } = failure;
      left = texts;
      if (SPLITS.has(error.code)) return this.#split(left, error, options);
      try {
        await this.#options.sender.pause(round, error, options);
      } catch (last) {
        // The others of the batch have their vectors, so it is about these texts and not about the endpoint.
        if (last !== error || !failure.ofSome || options.halt?.aborted === true) throw last;
        for (const { index } of left) this.#refuse(index, error, options);
        return;
      }
    }
  }

  async #attempt(part: Part, repeat: boolean, options: RunOptions): Promise<Failure | undefined> {
    const { dialect, sender } = this.#options;
    const items = part.map(({ item }) => item);
    try {
      const answer = await sender.send<Answer>(
        {
          request: dialect.ask(items.map(({ text }) => text)),
          tokens: tokensOf(items),
          maxBytes: this.#answerBytes(items.length),
          repeat,
          read: dialect.read,
        },
        options,
      );
      return this.#accept(part, answer, options);
    } catch (error) {
      if (error instanceof EmbedError) return { error, texts: part, ofSome: false };
      throw error;
    }
  }

  /** Halves, one after the other: the texts that the endpoint means are found in a few steps. */
  async #split(part: Part, error: EmbedError, options: RunOptions): Promise<void> {
    const [only] = part;
    if (part.length === 1 && only !== undefined) return this.#refuse(only.index, error, options);
    const middle = Math.ceil(part.length / 2);
    let refused = false;
    const watching: RunOptions = {
      ...options,
      settle: (index, outcome) => {
        refused ||= outcome.error !== undefined;
        options.settle(index, outcome);
      },
    };
    await this.#part(part.slice(0, middle), watching);
    await this.#part(part.slice(middle), watching);
    if (!refused && error.code === 'TooLarge') this.#maxTexts = Math.min(this.#maxTexts, middle);
  }

  #refuse(index: number, error: EmbedError, { settle }: RunOptions): void {
    const { meter, instruments, protocol } = this.#options;
    meter.count({ refused: 1 });
    instruments?.texts.inc({ protocol, source: 'refused' });
    settle(index, { error: error.about(index) });
  }

  /** Settles the texts whose vectors are right; the others are to be asked for again. */
  #accept(part: Part, { vectors }: Answer, { settle }: RunOptions): Failure | undefined {
    const { norm, meter, instruments, protocol } = this.#options;
    const texts = part.map(({ item }) => item.text);
    const known = this.#dimensions === undefined ? {} : { dimensions: this.#dimensions };
    const defects = defectsOf(vectors, { texts, norm, ...known });
    const [first] = defects;
    // A model that doesn't normalise does so with no text.
    if (first !== undefined && (first.index === undefined || first.code === 'NotNormalised')) {
      return { error: this.#error(first), texts: part, ofSome: false };
    }
    const wrong = new Set(defects.map(({ index }) => index));
    const bad = part.filter((_text, index) => wrong.has(index));
    for (const [index, vector] of vectors.entries()) {
      const text = part[index];
      if (text === undefined || wrong.has(index)) continue;
      this.#dimensions ??= vector.length;
      settle(text.index, { vector });
    }
    meter.count({ embedded: part.length - bad.length });
    instruments?.texts.inc({ protocol, source: 'endpoint' }, part.length - bad.length);
    return first && { error: this.#error(first), texts: bad, ofSome: true };
  }

  #error({ code, detail }: Defect): EmbedError {
    const { endpoint } = this.#options.sender;
    return new EmbedError({ code, endpoint, status: 200, message: detail, ambiguous: true });
  }

  #answerBytes(texts: number): number {
    return Math.min(MOST_BYTES, MEGABYTE + texts * (this.#dimensions ?? MOST_DIMENSIONS) * BYTES_PER_NUMBER);
  }
}

type Failure = {
  readonly error: EmbedError;
  /** What has no outcome yet. */
  readonly texts: Part;
  /** The answer was right but for these. */
  readonly ofSome: boolean;
};
