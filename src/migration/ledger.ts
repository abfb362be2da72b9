import type { Point } from '../qdrant/types.ts';
import { hashOfPoint } from '../qdrant/wire-point.ts';
import { addHash, type Digest, EMPTY_DIGEST } from '../vectors/index.ts';
import type { RangeDigests } from './compare.ts';
import type { PassOptions } from './copy.ts';
import { changedBetween, type Inventory, takeInventory } from './inventory.ts';
import { keyOfPoint, type Listed, type PointKey } from './listed.ts';
import { project } from './projection.ts';
import { positionOf, rangeOf } from './ranges.ts';
import type { Side } from './side.ts';

export type Sides = { readonly source: Side; readonly target: Side };

/** Both sides before their contents are read: what has the same version later on has not changed since. */
export type Before = {
  readonly lineage: string;
  readonly source: Inventory;
  readonly target: Inventory;
};

export type LedgerOptions = PassOptions & {
  /** More points than this are not listed. */
  readonly rememberPoints: number;
};

const SIDE_BY_SIDE = 2;
const BATCH = 512;
const MAX_ROUNDS = 5;
/** With more than this share of the points to look at again, reading everything is faster. */
const WORTH_IT = 0.3;

/**
 * The contents of both sides as they were read, point by point, with the versions that the points had before that.
 *
 * So nothing that stays is read twice: the next look lists ids and versions, a fraction of the work, and reads again
 * only what came, went, or may have changed. That is exact as long as versions can be compared (see `lineageOf`); where
 * they can't, there is no ledger, and everything is read.
 */
export class Ledger {
  /** The source's, as the target should give them back; of a point that isn't pending, the target was read alike. */
  readonly #hashes = new Map<number, Map<PointKey, bigint>>();
  readonly #pending = new Map<PointKey, Listed>();
  /** Written by us since the last listing, which shows the target as it was before that. */
  #written: Listed[] = [];
  #before: Before;

  constructor(before: Before) {
    this.#before = before;
  }

  /** @returns undefined where nothing tells versions that can be compared, or there are too many points */
  static async open(sides: Sides, options: LedgerOptions): Promise<Ledger | undefined> {
    const before = await list(sides, options);
    return before === undefined ? undefined : new Ledger(before);
  }

  get points(): number {
    let count = 0;
    for (const known of this.#hashes.values()) count += known.size;
    return count;
  }

  /** Whether every point was read alike on both sides. */
  get isSettled(): boolean {
    return this.#pending.size === 0;
  }

  /** A point of the source was read. */
  record(range: number, key: PointKey, hash: bigint): void {
    const known = this.#hashes.get(range);
    if (known === undefined) this.#hashes.set(range, new Map([[key, hash]]));
    else known.set(key, hash);
  }

  /** A point was read unlike on both sides, or on one only. */
  doubt(point: Listed): void {
    this.#pending.set(keyOfPoint(point), point);
  }

  /** Lists both sides anew, and doubts what may have changed. False: all of this is worth nothing any more. */
  async refresh(sides: Sides, options: LedgerOptions): Promise<boolean> {
    const now = await list(sides, options);
    if (now?.lineage !== this.#before.lineage || now === undefined) return false;
    for (const side of ['source', 'target'] as const) {
      for (const point of changedBetween(this.#before[side], now[side]).values()) this.doubt(point);
    }
    for (const point of this.#written) this.doubt(point);
    this.#written = [];
    this.#before = now;
    return this.#pending.size <= 2 * BATCH || this.#pending.size <= WORTH_IT * this.points;
  }

  /** Whether what was read since the last listing still stands for what is there. */
  async stillHolds({ source, target }: Sides): Promise<boolean> {
    return (await lineage({ source, target })) === this.#before.lineage;
  }

  /**
   * Reads what is in doubt on both sides, and makes the target equal.
   *
   * @returns how many points were read, and how many were written or removed
   */
  async settle(sides: Sides, options: PassOptions): Promise<{ compared: number; differences: number }> {
    let compared = 0;
    let differences = 0;
    for (let round = 0; round < MAX_ROUNDS && this.#pending.size > 0; round += 1) {
      const doubtful = [...this.#pending.values()];
      const batches = Array.from({ length: Math.ceil(doubtful.length / BATCH) }, (_, at) =>
        doubtful.slice(at * BATCH, (at + 1) * BATCH),
      );
      const lane = async (): Promise<void> => {
        for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
          options.signal.throwIfAborted();
          compared += batch.length;
          differences += await this.#settleBatch(batch, sides, options);
        }
      };
      await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
    }
    return { compared, differences };
  }

  async #settleBatch(batch: readonly Listed[], { source, target }: Sides, options: PassOptions): Promise<number> {
    const [wanted, present] = await Promise.all([source.retrieve?.(batch), target.retrieve?.(batch)]);
    const there = new Map(present?.map((point) => [keyOfPoint(point), point]));
    const here = new Map(wanted?.map((point) => [keyOfPoint(point), project(point, options.projection)] as const));
    const upserts: Point[] = [];
    const removals: Point[] = [];
    for (const listed of batch) {
      const key = keyOfPoint(listed);
      const range = rangeOf(positionOf(listed.id));
      const expected = here.get(key);
      const found = there.get(key);
      const hash = expected === undefined ? undefined : hashOfPoint(expected.expected);
      if (hash === undefined) this.#hashes.get(range)?.delete(key);
      else this.record(range, key, hash);
      if (hash === (found === undefined ? undefined : hashOfPoint(found))) this.#pending.delete(key);
      else if (expected !== undefined) upserts.push(expected.write);
      else if (found !== undefined) removals.push(found);
      if (this.#pending.has(key)) this.#written.push(listed);
    }
    for (const [key, group] of Map.groupBy(removals, ({ shardKey }) => shardKey)) {
      const ids = group.map(({ id }) => id);
      await options.write(() => target.remove(ids, key));
    }
    if (upserts.length > 0) await options.write(() => target.upsert(upserts));
    return upserts.length + removals.length;
  }

  /** Of every range that holds points. @throws Error while something is in doubt */
  digests(): Map<number, RangeDigests> {
    if (!this.isSettled) throw new Error('points are in doubt');
    const ranges = new Map<number, RangeDigests>();
    for (const [range, known] of this.#hashes) {
      let digest: Digest = EMPTY_DIGEST;
      for (const hash of known.values()) digest = addHash(digest, hash);
      if (known.size > 0) ranges.set(range, { source: digest, target: digest });
    }
    return ranges;
  }

  *hashes(): Generator<readonly [range: number, hash: bigint]> {
    for (const [range, known] of this.#hashes) for (const hash of known.values()) yield [range, hash];
  }
}

async function lineage({ source, target }: Sides): Promise<string | undefined> {
  const [a, b] = await Promise.all([source.lineage?.(), target.lineage?.()]);
  return a === undefined || b === undefined ? undefined : `${a} ${b}`;
}

/** The lineage is looked at before and after: versions in between are of one kind. */
async function list(sides: Sides, options: LedgerOptions): Promise<Before | undefined> {
  const { source, target } = sides;
  const begun = await lineage(sides);
  if (begun === undefined) return undefined;
  const limits = { signal: options.signal, limit: options.rememberPoints };
  const [a, b] = await Promise.all([takeInventory(source, limits), takeInventory(target, limits)]);
  if (a === undefined || b === undefined || (await lineage(sides)) !== begun) return undefined;
  // Where keys are left behind, an id of the target doesn't name the same points.
  const keyed = [...a.values()].some((list) => list.some(({ shardKey }) => shardKey !== undefined));
  if (keyed && !options.projection.keepShardKeys) return undefined;
  return { lineage: begun, source: a, target: b };
}
