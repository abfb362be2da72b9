import { setTimeout as sleep } from 'node:timers/promises';
import { embed } from '../../../sandbox/embedder/hashing.ts';
import type { LoadClient } from '../../../sandbox/load/following-access.ts';
import type { Point } from '../../../src/qdrant/index.ts';
import { randomNumbers } from '../../../src/vectors/index.ts';
import { DIMENSIONS } from '../stage.ts';
import type { LoadMix } from './move-plan.ts';

type SeededLoadOptions = {
  readonly client: LoadClient;
  readonly collection: string;
  readonly seed: number;
  readonly mix: LoadMix;
};

/** What is known of a point, and how often it was written to: an answer counts only where that stood still. */
type Known = {
  /** Acknowledged; undefined = deleted. */
  revision: number | undefined;
  /** A write has begun and is not acknowledged: nobody knows. */
  busy: boolean;
  writes: number;
};

/** An acknowledged write that a read did not show. */
export type Contradiction = {
  readonly at: string;
  readonly id: number;
  readonly expected: number | undefined;
  readonly found: number | undefined;
  /** Until a later read showed it, in milliseconds; undefined: none did. */
  readonly lasted: number | undefined;
};

export type SeededReport = {
  readonly acknowledged: number;
  readonly checked: number;
  readonly contradictions: readonly Contradiction[];
  readonly failedReads: readonly string[];
  /** Attempts that were sent again. */
  readonly repeatedWrites: number;
  /** Given up: nobody knows what became of them. */
  readonly unknownWrites: readonly string[];
};

export type SeededVerdict = {
  readonly expected: number;
  readonly lost: readonly number[];
  readonly undeleted: readonly number[];
  /** There, and never written. */
  readonly phantoms: readonly number[];
};

const CHECKED_AT_ONCE = 12;
const READ_PAUSE_MILLISECONDS = 150;
const AGAIN_MILLISECONDS = 100;
const LATE_MILLISECONDS = 500;
const GIVE_UP_MILLISECONDS = 90_000;
/** Longer than any other replica may need to be told that it is behind. */
const SETTLES_MILLISECONDS = 15_000;

/**
 * An application whose writes are chosen by a seed. While it writes, it reads back what was acknowledged: every write,
 * every deletion, at any time.
 */
export class SeededLoad {
  readonly #options: SeededLoadOptions;
  readonly #random: () => number;
  /** Another one for reads: what is written shall not depend on how often was read. */
  readonly #readRandom: () => number;
  readonly #known = new Map<number, Known>();
  readonly #stopping = new AbortController();
  readonly #contradictions: Contradiction[] = [];
  readonly #failedReads: string[] = [];
  readonly #unknownWrites: string[] = [];
  #running: Promise<unknown> = Promise.resolve();
  #acknowledged = 0;
  #checked = 0;
  #repeatedWrites = 0;
  #nextId = 1;
  #revision = 0;

  constructor(options: SeededLoadOptions) {
    this.#options = options;
    this.#random = randomNumbers(options.seed);
    this.#readRandom = randomNumbers(options.seed + 1_000_000);
  }

  get report(): SeededReport {
    return {
      acknowledged: this.#acknowledged,
      checked: this.#checked,
      contradictions: this.#contradictions,
      failedReads: this.#failedReads,
      repeatedWrites: this.#repeatedWrites,
      unknownWrites: this.#unknownWrites,
    };
  }

  /** Writes the first points, then goes on until it is stopped. */
  async begin(): Promise<void> {
    const { points } = this.#options.mix;
    for (let left = points; left > 0; left -= 50) await this.#insert(Math.min(50, left));
    this.#running = Promise.all([this.#write(), this.#read()]);
  }

  /** Ends when what is in hand was acknowledged or given up. */
  async stop(): Promise<SeededReport> {
    this.#stopping.abort();
    await this.#running;
    return this.report;
  }

  /** Reads everything back. Call it after `stop`. */
  async verify(): Promise<SeededVerdict> {
    const { client, collection } = this.#options;
    const found = new Map<number, number>();
    for await (const { id, payload } of client.scrollAll(collection, { withPayload: true, limit: 1000 }))
      found.set(Number(id), Number(payload['revision']));
    const certain = [...this.#known].filter(([, { busy }]) => !busy);
    const differs = certain.filter(([id, { revision }]) => found.get(id) !== revision);
    return {
      expected: certain.filter(([, { revision }]) => revision !== undefined).length,
      lost: differs.filter(([, { revision }]) => revision !== undefined).map(([id]) => id),
      undeleted: differs.filter(([, { revision }]) => revision === undefined).map(([id]) => id),
      phantoms: [...found.keys()].filter((id) => !this.#known.has(id)),
    };
  }

  close(): Promise<void> {
    return this.#options.client.close();
  }

  async #write(): Promise<void> {
    const { batch, updates, deletes, pauseMilliseconds } = this.#options.mix;
    while (!this.#stopping.signal.aborted) {
      const dice = this.#random();
      if (dice < deletes) await this.#delete(this.#some(batch, this.#random));
      else if (dice < deletes + updates) await this.#upsert(this.#some(batch, this.#random));
      else await this.#insert(batch);
      await sleep(pauseMilliseconds);
    }
  }

  async #insert(count: number): Promise<void> {
    const ids = Array.from({ length: count }, () => this.#nextId++);
    await this.#upsert(ids);
  }

  async #upsert(ids: readonly number[]): Promise<void> {
    const { client, collection } = this.#options;
    if (ids.length === 0) return;
    const revision = ++this.#revision;
    await this.#acknowledge(ids, revision, () =>
      client.upsert(
        collection,
        ids.map((id) => point(id, revision)),
      ),
    );
  }

  async #delete(ids: readonly number[]): Promise<void> {
    const { client, collection } = this.#options;
    if (ids.length === 0) return;
    await this.#acknowledge(ids, undefined, () => client.deletePoints(collection, { ids }));
  }

  /** Ids whose state is known, chosen at random; deleted ones may come to life again. */
  #some(count: number, random: () => number): readonly number[] {
    const certain = [...this.#known].filter(([, { busy }]) => !busy).map(([id]) => id);
    const chosen = Array.from({ length: count }, () => certain[Math.floor(random() * certain.length)]);
    return [...new Set(chosen)].filter((id) => id !== undefined);
  }

  /** Sends until it is acknowledged. */
  async #acknowledge(
    ids: readonly number[],
    revision: number | undefined,
    send: () => Promise<unknown>,
  ): Promise<void> {
    for (const id of ids) {
      const before = this.#known.get(id);
      this.#known.set(id, { revision: before?.revision, busy: true, writes: (before?.writes ?? 0) + 1 });
    }
    const began = performance.now();
    let repeated = false;
    for (;;) {
      try {
        await send();
        break;
      } catch (error) {
        repeated = true;
        this.#repeatedWrites += 1;
        if (performance.now() - began > GIVE_UP_MILLISECONDS) {
          this.#unknownWrites.push(String(error));
          return;
        }
        await sleep(AGAIN_MILLISECONDS);
      }
    }
    // An attempt that failed may still be carried out, and would overtake what is written next.
    if (repeated) await sleep(LATE_MILLISECONDS);
    this.#acknowledged += 1;
    for (const id of ids) {
      const known = this.#known.get(id);
      if (known !== undefined) Object.assign(known, { revision, busy: false });
    }
  }

  async #read(): Promise<void> {
    const { client, collection } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await client.query(collection, { query: embed('point 1 revision 1', DIMENSIONS), limit: 3 });
        const ids = this.#some(CHECKED_AT_ONCE, this.#readRandom);
        for (const contradiction of await this.#contradicted(ids)) await this.#follow(contradiction);
      } catch (error) {
        this.#failedReads.push(`${new Date().toISOString()} ${String(error)}`);
      }
      await sleep(READ_PAUSE_MILLISECONDS);
    }
  }

  /** Which of them a read shows otherwise than they were acknowledged before it began. */
  async #contradicted(ids: readonly number[]): Promise<Omit<Contradiction, 'lasted'>[]> {
    const { client, collection } = this.#options;
    const before = ids.map((id) => ({ id, writes: this.#known.get(id)?.writes }));
    const at = new Date().toISOString();
    const points = await client.retrieve(collection, ids);
    const found = new Map(points.map(({ id, payload }) => [Number(id), Number(payload['revision'])]));
    this.#checked += ids.length;
    return before.flatMap(({ id, writes }) => {
      const now = this.#known.get(id);
      const stoodStill = now !== undefined && !now.busy && now.writes === writes;
      return stoodStill && found.get(id) !== now.revision
        ? [{ at, id, expected: now.revision, found: found.get(id) }]
        : [];
    });
  }

  /** How long reads go on to contradict what was acknowledged. */
  async #follow(first: Omit<Contradiction, 'lasted'>): Promise<void> {
    const began = performance.now();
    let lasted: number | undefined;
    while (lasted === undefined && performance.now() - began < SETTLES_MILLISECONDS) {
      await sleep(AGAIN_MILLISECONDS);
      const again = await this.#contradicted([first.id]).catch(() => [first]);
      if (again.length === 0) lasted = Math.round(performance.now() - began);
    }
    this.#contradictions.push({ ...first, lasted });
  }
}

function point(id: number, revision: number): Point {
  const text = `point ${id} revision ${revision}`;
  return { id, vector: embed(text, DIMENSIONS), payload: { text, revision } };
}
