/** Long enough for a busy server; what does not answer then is said not to. */
const SECONDS = 15;

/** Asks many things at once, keeps the answers as files, and the troubles as lines. */
export class Inquiry {
  readonly files = new Map<string, string>();
  readonly troubles: string[] = [];
  readonly #signal = AbortSignal.timeout(SECONDS * 1000);

  get signal(): AbortSignal {
    return this.#signal;
  }

  /** What `ask` gives; undefined, and a line in `troubles`, when it fails or takes too long. */
  async ask<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await Promise.race([ask(), this.#tooLate()]);
    } catch (error) {
      this.troubles.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  #tooLate(): Promise<never> {
    return new Promise((_resolve, reject) => {
      const late = (): void => reject(new Error(`no answer within ${SECONDS} s`));
      if (this.#signal.aborted) late();
      else this.#signal.addEventListener('abort', late, { once: true });
    });
  }
}
