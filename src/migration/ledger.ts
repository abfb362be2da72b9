import type { Point } from '../qdrant/types.ts';
import { hashOfPoint } from '../qdrant/wire-point.ts';
import { addHash, ByteWriter, type Digest, EMPTY_DIGEST, hashOf } from '../vectors/index.ts';
import type { RangeDigests } from './compare.ts';
import type { PassOptions } from './copy.ts';
import { changedBetween, type Inventory, takeInventory } from './inventory.ts';
import { inLanes } from './lanes.ts';
import { readRanges } from './leak.ts';
import { keyOfPoint, type Listed, type PointKey } from './listed.ts';
import { project } from './projection.ts';
import { positionOf, rangeOf } from './ranges.ts';
import type { Side } from './side.ts';

export type Sides = { readonly source: Side; readonly target: Side };

/** Both sides before their contents are read: what has the same version later on has not changed since. */
type Before = Readonly<Record<'source' | 'target', Listing>>;
/** `stamp` is older than the points: where it stays the same, they do. */
type Listing = { readonly lineage: string; readonly stamp: number | undefined; readonly points: Inventory };

export type LedgerOptions = PassOptions & {
  /** More points than this are not listed. */
  readonly rememberPoints: number;
  /** Points listed at a time. */
  readonly listSize?: number | undefined;
  /** Writes to one shard of the source that we have sent since the last listing, and that change nothing. */
  readonly idleWrites?: number;
};

const SIDE_BY_SIDE = 2;
const BATCH = 512;
/** A point takes about 350 bytes of the worker's heap, 600 at its beginning. */
const MOST_POINTS = 400_000;
/** Points whose contents are compared although their versions are the same. */
const SPOTS = 1000;
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
  #byVersion = false;

  private constructor(before: Before) {
    this.#before = before;
  }

  /** @returns undefined where nothing tells versions that can be compared, or there are too many points */
  static async open(sides: Sides, options: LedgerOptions): Promise<Ledger | undefined> {
    const before = await list(sides, options);
    return before === undefined ? undefined : new Ledger(before);
  }

  /** Before the source is read for copying it; `readBack` takes in what arrived on the target. */
  static async begin({ source }: Sides, options: LedgerOptions): Promise<Ledger | undefined> {
    const listed = await listSide(source, options);
    return listed === undefined ? undefined : new Ledger({ source: listed, target: NOTHING });
  }

  /**
   * Of a target that consists of the source's shards, and has not been written to since: a point with the same version
   * on both sides has not changed on either since its shard was carried over, by a file whose checksum was compared.
   * Everything else is in doubt.
   *
   * @param lineage of the source before its shards were copied
   */
  static async ofShards(sides: Sides, lineage: string, options: LedgerOptions): Promise<Ledger | undefined> {
    const ledger = await Ledger.open(sides, options);
    if (ledger === undefined || ledger.#before.source.lineage !== lineage) return undefined;
    const { source, target } = ledger.#before;
    for (const point of changedBetween(source.points, target.points).values()) ledger.doubt(point);
    for (const [range, points] of source.points) {
      for (const point of points) {
        const key = keyOfPoint(point);
        if (!ledger.#pending.has(key)) ledger.record(range, key, versionHash(key, point.version));
      }
    }
    ledger.#byVersion = true;
    return ledger.#isWorthIt ? ledger : undefined;
  }

  /** Whether hashes are of versions, but for points that were read. */
  get isByVersion(): boolean {
    return this.#byVersion;
  }

  get #isWorthIt(): boolean {
    return this.#pending.size <= 2 * BATCH || this.#pending.size <= WORTH_IT * this.points;
  }

  /** Reads the target, and compares it with what was read of the source. False: it is worth nothing. */
  async readBack({ source, target }: Sides, options: LedgerOptions): Promise<boolean> {
    const listed = await listSide(target, options);
    if (listed === undefined || (await source.lineage?.()) !== this.#before.source.lineage) return false;
    this.#before = { ...this.#before, target: listed };
    if (!comparable(this.#before, options)) return false;
    const seen = new Set<PointKey>();
    await readRanges(target, options, (range, point) => {
      const key = keyOfPoint(point);
      seen.add(key);
      if (this.#hashes.get(range)?.get(key) !== hashOfPoint(point)) this.doubt(listedOf(point));
      options.onProgress?.(1);
    });
    for (const points of this.#before.source.points.values()) {
      for (const point of points) if (!seen.has(keyOfPoint(point))) this.doubt(point);
    }
    for (const [range, known] of this.#hashes) {
      for (const key of known.keys()) if (!seen.has(key)) this.#hashes.get(range)?.delete(key);
    }
    return this.#isWorthIt;
  }

  /** What was written to the source since the last listing, and not to the target; undefined: nobody can tell. */
  async leaked(sides: Sides, options: LedgerOptions): Promise<{ all: Listed[]; untouched: Listed[] } | undefined> {
    const now = await list(sides, options);
    if (now === undefined || !sameLineage(now, this.#before)) return undefined;
    const later = changedBetween(this.#before.target.points, now.target.points);
    for (const point of this.#written) later.set(keyOfPoint(point), point);
    const all = [...changedBetween(this.#before.source.points, now.source.points).values()];
    return { all, untouched: all.filter((point) => !later.has(keyOfPoint(point))) };
  }

  get doubtful(): number {
    return this.#pending.size;
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
    const now = await list(sides, options, this.#before);
    if (now === undefined || !sameLineage(now, this.#before)) return false;
    for (const side of ['source', 'target'] as const) {
      for (const point of changedOf(this.#before[side], now[side]).values()) this.doubt(point);
    }
    for (const point of this.#written) this.doubt(point);
    this.#written = [];
    this.#before = now;
    return this.#isWorthIt;
  }

  /** Whether what was read since the last listing still stands for what is there. */
  async stillHolds({ source, target }: Sides): Promise<boolean> {
    const [a, b] = await Promise.all([source.lineage?.(), target.lineage?.()]);
    return a === this.#before.source.lineage && b === this.#before.target.lineage;
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
      await inLanes({ ...options, lanes: SIDE_BY_SIDE }, async (lane) => {
        for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
          lane.signal.throwIfAborted();
          compared += batch.length;
          differences += await this.#settleBatch(batch, sides, lane);
        }
      });
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

  /** Whether some points, spread over all of them, have the same contents on both sides: for a proof by versions. */
  async spotCheck({ source, target }: Sides, { projection }: PassOptions): Promise<boolean> {
    const all = [...this.#before.source.points.values()].flat();
    const step = Math.max(1, all.length / SPOTS);
    const spots = Array.from({ length: Math.min(SPOTS, all.length) }, (_, at) => all[Math.floor(at * step)]);
    const listed = spots.filter((point) => point !== undefined);
    const [wanted, present] = await Promise.all([source.retrieve?.(listed), target.retrieve?.(listed)]);
    const hashes = new Map(present?.map((point) => [keyOfPoint(point), hashOfPoint(point)]));
    const alike = wanted?.every(
      (point) => hashes.get(keyOfPoint(point)) === hashOfPoint(project(point, projection).expected),
    );
    return alike === true && wanted?.length === hashes.size;
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

const NOTHING: Listing = { lineage: '', stamp: undefined, points: new Map<number, readonly Listed[]>() };

const changedOf = (before: Listing, now: Listing): Map<PointKey, Listed> =>
  before === now ? new Map<PointKey, Listed>() : changedBetween(before.points, now.points);

const sameLineage = (a: Before, b: Before): boolean =>
  a.source.lineage === b.source.lineage && a.target.lineage === b.target.lineage;

async function list({ source, target }: Sides, options: LedgerOptions, before?: Before): Promise<Before | undefined> {
  const [a, b] = await Promise.all([
    listSide(source, options, { before: before?.source, idle: options.idleWrites }),
    listSide(target, options, { before: before?.target }),
  ]);
  if (a === undefined || b === undefined) return undefined;
  const now = { source: a, target: b };
  return comparable(now, options) ? now : undefined;
}

/**
 * The lineage is looked at before and after: versions in between are of one kind.
 *
 * @returns `before` itself where nothing was written since
 */
async function listSide(
  side: Side,
  { signal, rememberPoints, listSize }: LedgerOptions,
  { before, idle = 0 }: { readonly before?: Listing | undefined; readonly idle?: number | undefined } = {},
): Promise<Listing | undefined> {
  const lineage = await side.lineage?.();
  if (lineage === undefined) return undefined;
  const stamp = await side.stamp?.();
  const since = before?.stamp === undefined || stamp === undefined ? undefined : stamp - before.stamp;
  if (before !== undefined && since === idle && lineage === before.lineage) return before;
  const points = await takeInventory(side, {
    signal,
    limit: Math.min(rememberPoints, MOST_POINTS),
    pageSize: listSize,
    like: before?.points,
  });
  if (points === undefined || (await side.lineage?.()) !== lineage) return undefined;
  return { lineage, stamp, points };
}

/** Where keys are left behind, an id of the target doesn't name the same points. */
const comparable = ({ source }: Before, { projection }: LedgerOptions): boolean =>
  projection.keepShardKeys ||
  ![...source.points.values()].some((points) => points.some(({ shardKey }) => shardKey !== undefined));

const listedOf = ({ id, shardKey }: Point): Listed => ({
  id,
  version: undefined,
  ...(shardKey === undefined ? {} : { shardKey }),
});

const scratch = new ByteWriter();

function versionHash(key: PointKey, version: Listed['version']): bigint {
  scratch.clear();
  scratch.text(`version ${typeof key} ${key} ${version}`);
  return hashOf(scratch);
}
