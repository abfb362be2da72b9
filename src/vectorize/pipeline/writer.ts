import { isQdrantError, type Point } from '../../qdrant/index.ts';
import { RunEnd } from './failure.ts';
import type { Target } from './target.ts';

/** A point on its way; `settled` is told when it can be read, or why it was refused. */
export type Writing = { readonly point: Point; readonly settled: (refusal?: string) => void };

export type WriterOptions = {
  readonly target: Pick<Target, 'upsert'>;
  /** Points of a request, and how many points wait at most. */
  readonly batch?: number;
  readonly queue?: number;
  readonly concurrency?: number;
};

const DEFAULTS = { batch: 256, queue: 1024, concurrency: 2 };
/** Limits of strict mode: no point is at fault, and smaller requests are refused as well. Measured on 1.18.3. */
const QUOTA = /Max (?:points count|vector storage size|payload storage size) limit of \S+ reached/;
/** So many points refused before any was taken: it is not about the points. */
const HOPELESS = 4;

/**
 * Writes points as they come: what is there when a request ends makes the next one. So little is on its way when the
 * process is killed, and much goes in a request when much comes.
 */
export class Writer {
  readonly #options: Required<WriterOptions>;
  readonly #waiting: Writing[] = [];
  readonly #running = new Set<Promise<unknown>>();
  #room: (() => void)[] = [];
  #failure: { readonly error: unknown } | undefined;
  #refused = 0;
  /** Points of a request that the target was seen to take after it had refused more. */
  #most = Number.POSITIVE_INFINITY;

  constructor(options: WriterOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Returns when there is room for more. @throws what writing failed with */
  async add(writing: Writing): Promise<void> {
    this.#rethrow();
    this.#waiting.push(writing);
    this.#start();
    while (this.#waiting.length >= this.#options.queue && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#room.push(resolve));
    }
    this.#rethrow();
  }

  /** Returns when all is written. @throws what writing failed with */
  async flush(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
    this.#rethrow();
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #start(): void {
    const { concurrency, batch } = this.#options;
    while (this.#failure === undefined && this.#waiting.length > 0 && this.#running.size < concurrency) {
      const running = this.#write(this.#waiting.splice(0, Math.min(batch, this.#most)))
        .catch((error: unknown) => {
          this.#failure ??= { error };
        })
        .finally(() => {
          this.#running.delete(running);
          this.#start();
          for (const resolve of this.#room.splice(0)) resolve();
        });
      this.#running.add(running);
    }
  }

  /** What is refused as a whole is halved, until it is known which point is the reason. */
  async #write(batch: readonly Writing[]): Promise<boolean> {
    try {
      await this.#options.target.upsert(batch.map(({ point }) => point));
      this.#refused = Number.NEGATIVE_INFINITY;
      for (const { settled } of batch) settled();
      return true;
    } catch (error) {
      if (!isQdrantError(error, 'BadRequest')) throw error;
      if (QUOTA.test(error.message)) throw new RunEnd('TargetFull', error.message);
      const [only] = batch;
      if (only === undefined || batch.length > 1) {
        const half = batch.length >> 1;
        const first = await this.#write(batch.slice(0, half));
        const taken = (await this.#write(batch.slice(half))) && first;
        // None of them was at fault: it was their number.
        if (taken) this.#most = Math.min(this.#most, Math.max(1, batch.length - half));
        return taken;
      }
      this.#refused += 1;
      if (this.#refused >= HOPELESS) throw new RunEnd('TargetUnsuitable', error.message);
      only.settled(error.message);
      return false;
    }
  }
}
