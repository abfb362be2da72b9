import { setTimeout as sleep } from 'node:timers/promises';
import { isQdrantError, type Point } from '../../src/qdrant/index.ts';
import { embed } from '../embedder/hashing.ts';
import type { LoadClient } from './following-access.ts';
import { type LoadVerdict, verdictOf } from './verdict.ts';

export type LoadOptions = {
  readonly client: LoadClient;
  readonly collection: string;
  readonly dimensions: number;
  /** A million ids begin here; nothing else may write among them. */
  readonly firstId: number;
  /** Points of one write; 8 when not given. */
  readonly batch?: number;
  /** Between two writes; 10 when not given. */
  readonly pauseMilliseconds?: number;
  /** Between two reads; 20 when not given. */
  readonly readPauseMilliseconds?: number;
};

/** What a load saw and did; the counts are of calls as an application sees them, after the client's own repeats. */
export type LoadReport = {
  readonly written: number;
  readonly updated: number;
  readonly deleted: number;
  readonly reads: number;
  /** Refused with Retry-After, and repeated: the pause of a generation change. */
  readonly postponed: number;
  readonly failedWrites: readonly string[];
  readonly failedReads: readonly string[];
  /** Longest time from a first attempt to its acknowledgement, in milliseconds. */
  readonly longestWrite: number;
};

const IDS = 1_000_000;
const UPDATE_EVERY = 5;
const DELETE_EVERY = 11;
const GIVE_UP_MILLISECONDS = 60_000;

/**
 * Writes, updates, deletes and reads without pause until it is stopped, and remembers what was acknowledged.
 * An attempt that fails is repeated until it is acknowledged: afterwards the library must hold exactly what it says.
 */
export class LibraryLoad {
  readonly #options: LoadOptions;
  /** Revision acknowledged by id; undefined = deleted. */
  readonly #acknowledged = new Map<number, number | undefined>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #failedWrites: string[] = [];
  readonly #failedReads: string[] = [];
  #counts = { written: 0, updated: 0, deleted: 0, reads: 0, postponed: 0, longestWrite: 0 };
  #nextId: number;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#nextId = options.firstId;
    this.#running = Promise.all([this.#write(), this.#read()]);
  }

  get report(): LoadReport {
    return { ...this.#counts, failedWrites: this.#failedWrites, failedReads: this.#failedReads };
  }

  /** Ends after what is in hand was acknowledged; rejects when a write never was. */
  async stop(): Promise<LoadReport> {
    this.#stopping.abort();
    await this.#running;
    return this.report;
  }

  /** Reads everything back and compares. Call it after `stop`. */
  async verify(): Promise<LoadVerdict> {
    const { client, collection, firstId } = this.#options;
    const found = new Map<number, number>();
    for await (const { id, payload } of client.scrollAll(collection, { withPayload: true, limit: 1000 })) {
      if (typeof id === 'number' && id >= firstId && id < firstId + IDS) found.set(id, Number(payload['revision']));
    }
    return verdictOf(this.#acknowledged, found);
  }

  close(): Promise<void> {
    return this.#options.client.close();
  }

  async #write(): Promise<void> {
    const { batch = 8, pauseMilliseconds = 10 } = this.#options;
    for (let round = 1; !this.#stopping.signal.aborted; round += 1) {
      const ids = Array.from({ length: batch }, (_, index) => this.#nextId + index);
      this.#nextId += batch;
      await this.#upsert(ids, 0);
      this.#counts.written += batch;
      if (round % UPDATE_EVERY === 0) {
        await this.#upsert(ids, round);
        this.#counts.updated += batch;
      }
      if (round % DELETE_EVERY === 0) {
        await this.#delete(ids.slice(0, 2));
        this.#counts.deleted += 2;
      }
      await sleep(pauseMilliseconds);
    }
  }

  async #upsert(ids: readonly number[], revision: number): Promise<void> {
    const { client, collection } = this.#options;
    const points = ids.map((id) => this.#point(id, revision));
    await this.#untilAcknowledged(() => client.upsert(collection, points));
    for (const id of ids) this.#acknowledged.set(id, revision);
  }

  async #delete(ids: readonly number[]): Promise<void> {
    const { client, collection } = this.#options;
    await this.#untilAcknowledged(() => client.deletePoints(collection, { ids }));
    for (const id of ids) this.#acknowledged.set(id, undefined);
  }

  #point(id: number, revision: number): Point {
    const text = `load point ${id} revision ${revision}`;
    return { id, vector: embed(text, this.#options.dimensions), payload: { text, revision } };
  }

  async #untilAcknowledged(send: () => Promise<unknown>): Promise<void> {
    const began = performance.now();
    for (;;) {
      try {
        await send();
        this.#counts.longestWrite = Math.max(this.#counts.longestWrite, performance.now() - began);
        return;
      } catch (error) {
        const waited = performance.now() - began;
        if (isQdrantError(error) && error.code === 'RateLimited') this.#counts.postponed += 1;
        else this.#failedWrites.push(String(error));
        if (waited > GIVE_UP_MILLISECONDS) throw error;
        await sleep(100);
      }
    }
  }

  async #read(): Promise<void> {
    const { client, collection, dimensions, firstId, readPauseMilliseconds = 20 } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        const text = `load point ${firstId} revision 0`;
        await client.query(collection, { query: embed(text, dimensions), limit: 3 });
        this.#counts.reads += 1;
      } catch (error) {
        this.#failedReads.push(String(error));
      }
      await sleep(readPauseMilliseconds);
    }
  }
}
