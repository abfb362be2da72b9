/** Work by key: one run at a time for each key, and one more when it was asked for meanwhile. */
export class KeyedTasks {
  readonly #work: (key: string) => Promise<void>;
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  #closed = false;

  /** @param work must not throw */
  constructor(work: (key: string) => Promise<void>) {
    this.#work = work;
  }

  request(key: string): void {
    if (this.#closed) return;
    if (this.#running.has(key)) this.#again.add(key);
    else this.#running.set(key, this.#run(key));
  }

  async #run(key: string): Promise<void> {
    do {
      this.#again.delete(key);
      await this.#work(key);
    } while (this.#again.has(key) && !this.#closed);
    this.#running.delete(key);
  }

  /** Takes no more requests; resolves when the last run has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running.values());
  }
}
