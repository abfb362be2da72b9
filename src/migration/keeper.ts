import type { Logger } from '../telemetry/index.ts';

/** Who is at work. `beat` grows with each write. */
export type Holder = { readonly id: string; readonly pod: string; readonly beat: number; readonly released: boolean };

/** What every worker's progress has. */
export type Held = { readonly holder: Holder };

/** Where a worker's progress is kept: one ConfigMap, or a stand-in for it. */
export interface ProgressStore<P extends Held> {
  /** `version` belongs to what was read: a write with it fails once somebody else has written. */
  read(): Promise<{ readonly progress: P | undefined; readonly version: string }>;
  /** @throws ProgressConflict when `version` is not the present one; @returns the new version */
  write(progress: P, version: string): Promise<string>;
}

/** Somebody else has written: another worker has taken over. */
export class ProgressConflict extends Error {
  override readonly name = 'ProgressConflict';
}

export type Timing = {
  /** Monotonic milliseconds. */
  now(): number;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
};

export type KeeperOptions<P extends Held> = {
  readonly store: ProgressStore<P>;
  /** What to go on with: what was found, where it is of the same task, else a new one. */
  readonly begin: (found: P | undefined, holder: Holder) => P;
  readonly identity: { readonly id: string; readonly pod: string };
  readonly timing: Timing;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** How long a holder that says nothing is taken to be alive. */
  readonly leaseMilliseconds: number;
};

/** What a task begins with: what was found, where it is of the same change, else a progress of its own. */
export const continued =
  <P extends Held & { readonly change: string }>(change: string, fresh: (change: string, holder: Holder) => P) =>
  (found: P | undefined, holder: Holder): P =>
    found?.change === change ? { ...found, holder } : fresh(change, holder);

/** Between two routine writes; a change of phase is written at once. */
const WRITE_GAP = 2000;
const RETRY_GAP = 1000;

/**
 * Holds the progress of one task, and with it the right to write to the target.
 *
 * A worker that was given up for dead may still be alive, paused in the middle of a page it read long ago. So a
 * worker writes to the target only while it has held the progress for less than half the lease, and a successor
 * waits for a whole lease before it begins.
 */
export class Keeper<P extends Held> {
  readonly #options: KeeperOptions<P>;
  readonly #lost = new AbortController();
  #progress: P;
  #version: string;
  #confirmedAt: number;
  #writtenAt: number;
  #dirty = false;
  #writing: Promise<void> | undefined;

  private constructor(options: KeeperOptions<P>, progress: P, version: string) {
    this.#options = options;
    this.#progress = progress;
    this.#version = version;
    this.#confirmedAt = options.timing.now();
    this.#writtenAt = this.#confirmedAt;
  }

  /** Waits until no other worker can be at work, then takes over its progress. */
  static async takeOver<P extends Held>(options: KeeperOptions<P>): Promise<Keeper<P>> {
    const { store, timing, identity, signal, leaseMilliseconds } = options;
    let seen = await store.read();
    let since = timing.now();
    for (;;) {
      const holder = seen.progress?.holder;
      // The same pod means that its container was started again: the old process is gone.
      const free = holder === undefined || holder.released || holder.pod === identity.pod;
      if (free || timing.now() - since >= leaseMilliseconds) {
        const kept = await Keeper.#begin(options, seen);
        if (kept !== undefined) return kept;
      } else {
        options.log.info({ holder: holder.pod }, 'waiting for another worker to end');
        await timing.sleep(Math.min(RETRY_GAP, leaseMilliseconds / 4), signal);
      }
      const latest = await store.read();
      if (latest.version !== seen.version) since = timing.now();
      seen = latest;
    }
  }

  static async #begin<P extends Held>(
    options: KeeperOptions<P>,
    { progress, version }: { progress: P | undefined; version: string },
  ): Promise<Keeper<P> | undefined> {
    const { store, begin, identity } = options;
    const next = begin(progress, { ...identity, beat: 0, released: false });
    try {
      return new Keeper(options, next, await store.write(next, version));
    } catch (error) {
      if (error instanceof ProgressConflict) return undefined;
      throw error;
    }
  }

  get progress(): P {
    return this.#progress;
  }

  /** Fires when another worker has taken over. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Changes the progress; it is written soon. Fields given as undefined are removed. */
  update(change: { readonly [K in keyof P]?: P[K] | undefined }): void {
    const entries = Object.entries({ ...this.#progress, ...change }).filter(([, value]) => value !== undefined);
    this.#progress = Object.fromEntries(entries) as P;
    this.#dirty = true;
  }

  /** Writes in the background if something changed, or the lease wants renewing, and the last write is long enough ago. */
  touch(): void {
    const { timing, leaseMilliseconds } = this.#options;
    const age = timing.now() - this.#writtenAt;
    if (this.#writing !== undefined || age < WRITE_GAP) return;
    if (!this.#dirty && age < leaseMilliseconds / 4) return;
    this.save().catch(() => {
      // Whoever needs the write to have happened asks `mayWrite` or `save`.
    });
  }

  /** Throws unless this worker surely is the only one: call it before every write to the target. */
  async mayWrite(): Promise<void> {
    const { timing, leaseMilliseconds, signal, log } = this.#options;
    this.touch();
    while (timing.now() - this.#confirmedAt > leaseMilliseconds / 2) {
      try {
        await this.save();
      } catch (error) {
        this.#lost.signal.throwIfAborted();
        log.warn({ err: error }, 'progress can not be saved');
        await timing.sleep(RETRY_GAP, signal);
      }
    }
    this.#lost.signal.throwIfAborted();
    signal.throwIfAborted();
  }

  /** Writes now, and returns when it is written. */
  async save(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing.catch(() => {});
    this.#writing = this.#write();
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  /** Tells the next worker that it need not wait. */
  async release(): Promise<void> {
    if (this.#lost.signal.aborted) return;
    this.#progress = { ...this.#progress, holder: { ...this.#progress.holder, released: true } };
    await this.save();
  }

  async #write(): Promise<void> {
    const { store, timing } = this.#options;
    const begun = timing.now();
    const { holder } = this.#progress;
    this.#progress = { ...this.#progress, holder: { ...holder, beat: holder.beat + 1 } };
    this.#dirty = false;
    this.#writtenAt = begun;
    try {
      this.#version = await store.write(this.#progress, this.#version);
      this.#confirmedAt = begun;
    } catch (error) {
      this.#dirty = true;
      if (!(error instanceof ProgressConflict)) throw error;
      if ((await this.#reread(error)) === this.#progress.holder.beat) this.#confirmedAt = begun;
      else await this.#write();
    }
  }

  /**
   * A conflict may be an answer that got lost: then it is our own write that stands there. Or somebody has changed
   * something else of the object.
   */
  async #reread(conflict: ProgressConflict): Promise<number> {
    const { progress, version } = await this.#options.store.read();
    if (progress?.holder.id === this.#options.identity.id) {
      this.#version = version;
      return progress.holder.beat;
    }
    this.#lost.abort(conflict);
    throw conflict;
  }
}
