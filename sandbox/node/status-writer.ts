import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { PodStatus } from './wire.ts';

export type StatusWriterOptions = {
  /** What the status should be now; undefined while there is none. */
  readonly current: () => PodStatus | undefined;
  /** Writes it; throws when that may be tried again. */
  readonly write: (status: PodStatus) => Promise<void>;
  readonly onError: (error: unknown) => void;
};

const RETRY_MILLISECONDS = 500;
/** Changes this close together become one write. */
const COALESCE_MILLISECONDS = 10;

/** Writes a status after it changed: one write at a time, always the newest, never the same twice. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  #written: PodStatus | undefined;
  #writing: Promise<void> | undefined;
  #dirty = false;
  #closed = false;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  changed(): void {
    this.#dirty = true;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#dirty && !this.#closed) this.changed();
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#dirty && !this.#closed) {
      await sleep(COALESCE_MILLISECONDS);
      this.#dirty = false;
      const status = this.#options.current();
      if (status === undefined || isDeepStrictEqual(status, this.#written)) continue;
      try {
        await this.#options.write(status);
        this.#written = status;
      } catch (error) {
        this.#options.onError(error);
        this.#dirty = true;
        await sleep(RETRY_MILLISECONDS);
      }
    }
  }

  /** Resolves when what was known at the call is written. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  close(): void {
    this.#closed = true;
  }
}
