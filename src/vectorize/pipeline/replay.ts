/** What was taken from a source and not given back yet. */
export type Taken<T> = { readonly item: T };

/**
 * A source that can be begun again where its consumer failed: what was taken and not `done` comes first, then what
 * follows.
 */
export class Replay<T> {
  readonly #iterator: AsyncIterator<T>;
  readonly #open = new Set<Taken<T>>();
  /** Under way, or arrived for a consumer that was gone by then. */
  #pulling: Promise<IteratorResult<T>> | undefined;
  #attempt = 0;

  constructor(source: AsyncIterable<T>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  done(taken: Taken<T>): void {
    this.#open.delete(taken);
  }

  /** Whether there is anything left; waits until the source tells. */
  async any(): Promise<boolean> {
    if (this.#open.size > 0) return true;
    this.#pulling ??= this.#iterator.next();
    return (await this.#pulling).done !== true;
  }

  /** Ends what was begun before. */
  async *begin(): AsyncGenerator<Taken<T>, void, undefined> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    yield* [...this.#open];
    for (;;) {
      this.#pulling ??= this.#iterator.next();
      const next = await this.#pulling;
      // The one who begins after this takes it.
      if (attempt !== this.#attempt) return;
      if (next.done === true) return;
      this.#pulling = undefined;
      const taken = { item: next.value };
      this.#open.add(taken);
      yield taken;
    }
  }
}
