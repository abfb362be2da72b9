import type { Point, PointId, ShardKey } from '../qdrant/types.ts';
import { hashOfPoint } from '../qdrant/wire-point.ts';
import { addHash, type Digest, EMPTY_DIGEST } from '../vectors/index.ts';
import type { PassOptions } from './copy.ts';
import { inLanes } from './lanes.ts';
import { keyOfPoint, type Listed, type PointKey } from './listed.ts';
import { type Group, OrderedReader } from './ordered-reader.ts';
import { type Projection, project } from './projection.ts';
import type { RangeQueue } from './range-queue.ts';
import { RANGE_COUNT, rangeEnd, rangeOf, rangeStart } from './ranges.ts';
import type { Side } from './side.ts';

/** Digests of one range as both sides were read; the source's is that of what the target should give back. */
export type RangeDigests = { readonly source: Digest; readonly target: Digest };

export type Comparison = {
  /** Ranges that hold points on either side. */
  readonly ranges: ReadonlyMap<number, RangeDigests>;
  /** Ranges in which something differed and was written: what was read of them is out of date. */
  readonly dirty: readonly number[];
  readonly compared: number;
  readonly differences: number;
};

export type CompareOptions = PassOptions & {
  /** Called with the hash of every point that the target should hold, range by range. */
  readonly remember?: (range: number, hash: bigint, key: PointKey) => void;
  /** Called with every point that differs or stands on one side only. */
  readonly onDifference?: (point: Listed) => void;
};

type Difference = { readonly upserts: readonly Point[]; readonly removals: readonly Point[] };

/**
 * Reads both sides once, in the order of ids, and makes the target equal to the source as it was read: writes what
 * differs, removes what the source doesn't have.
 */
export async function compare(
  source: Side,
  target: Side,
  queue: RangeQueue,
  options: CompareOptions,
): Promise<Comparison> {
  const found = { ranges: new Map<number, RangeDigests>(), dirty: [] as number[], compared: 0, differences: 0 };
  await inLanes(options, async (inLane) => {
    const readers = {
      source: new OrderedReader(source, options.pageSize),
      target: new OrderedReader(target, options.pageSize),
    };
    for (let range = queue.claim(); range !== undefined; range = queue.claim(range)) {
      const result = await compareRange(range, { readers, target, options: inLane });
      found.compared += result.compared;
      found.differences += result.differences;
      if (result.differences > 0) found.dirty.push(range);
      if (result.digests.source.count + result.digests.target.count > 0) found.ranges.set(range, result.digests);
      queue.finish(range);
      queue.finishEmpty(range + 1, result.next);
    }
  });
  return found;
}

type RangeLane = {
  readonly readers: { readonly source: OrderedReader; readonly target: OrderedReader };
  readonly target: Side;
  readonly options: CompareOptions;
};

async function compareRange(range: number, { readers, target, options }: RangeLane) {
  const { source: left, target: right } = readers;
  const end = rangeEnd(range);
  const digests = { source: EMPTY_DIGEST, target: EMPTY_DIGEST };
  const writer = new DifferenceWriter(target, options);
  let compared = 0;
  left.seek(rangeStart(range));
  right.seek(rangeStart(range));
  for (;;) {
    options.signal.throwIfAborted();
    const [a, b] = await Promise.all([left.peek(), right.peek()]);
    const first = earlier(a, b);
    if (first === undefined || first >= end) {
      await writer.flush();
      return {
        digests,
        compared,
        differences: writer.written,
        next: first === undefined ? RANGE_COUNT : rangeOf(first),
      };
    }
    const wanted = a?.position === first ? a : undefined;
    const present = b?.position === first ? b : undefined;
    if (wanted !== undefined) left.skip(wanted);
    if (present !== undefined) right.skip(present);
    const sides = digestGroups(wanted, present, options.projection);
    for (const { point, hash } of sides.wanted.values()) {
      digests.source = addHash(digests.source, hash);
      options.remember?.(range, hash, keyOfPoint(point));
    }
    for (const { hash } of sides.present.values()) digests.target = addHash(digests.target, hash);
    const { upserts, removals } = difference(sides);
    for (const { id, shardKey } of [...upserts, ...removals])
      options.onDifference?.({ id, version: undefined, ...(shardKey === undefined ? {} : { shardKey }) });
    await writer.add({ upserts, removals });
    compared += 1;
    options.onProgress?.(1);
  }
}

function earlier(a: Group | undefined, b: Group | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return (a ?? b)?.position;
  if (a.position < b.position) return a.position;
  return b.position;
}

type Hashed = { readonly point: Point; readonly hash: bigint };
type Sides = { readonly wanted: ReadonlyMap<string, Hashed>; readonly present: ReadonlyMap<string, Hashed> };

/** The points of one id by shard key: under several keys an id names several points. */
function digestGroups(wanted: Group | undefined, present: Group | undefined, projection: Projection): Sides {
  const sides = { wanted: new Map<string, Hashed>(), present: new Map<string, Hashed>() };
  for (const point of wanted?.points ?? []) {
    const { write, expected } = project(point, projection);
    sides.wanted.set(keyOf(expected.shardKey), { point: write, hash: hashOfPoint(expected) });
  }
  for (const point of present?.points ?? []) {
    sides.present.set(keyOf(point.shardKey), { point, hash: hashOfPoint(point) });
  }
  return sides;
}

function difference({ wanted, present }: Sides): Difference {
  return {
    upserts: [...wanted].filter(([key, { hash }]) => present.get(key)?.hash !== hash).map(([, { point }]) => point),
    removals: [...present].filter(([key]) => !wanted.has(key)).map(([, { point }]) => point),
  };
}

const keyOf = (key: ShardKey | undefined): string => (key === undefined ? '' : `${typeof key} ${key}`);

const BATCH = 256;

/** Collects what differs and writes it in batches. */
class DifferenceWriter {
  readonly #target: Side;
  readonly #options: CompareOptions;
  #upserts: Point[] = [];
  #removals: Point[] = [];
  written = 0;

  constructor(target: Side, options: CompareOptions) {
    this.#target = target;
    this.#options = options;
  }

  async add({ upserts, removals }: Difference): Promise<void> {
    this.#upserts.push(...upserts);
    this.#removals.push(...removals);
    this.written += upserts.length + removals.length;
    if (this.#upserts.length + this.#removals.length >= BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    const [upserts, removals] = [this.#upserts, this.#removals];
    this.#upserts = [];
    this.#removals = [];
    if (removals.length > 0) await this.#options.write(() => remove(this.#target, removals));
    if (upserts.length > 0) await this.#options.write(() => this.#target.upsert(upserts));
  }
}

async function remove(target: Side, points: readonly Point[]): Promise<void> {
  for (const [key, group] of Map.groupBy(points, ({ shardKey }) => shardKey)) {
    await target.remove(
      group.map(({ id }): PointId => id),
      key,
    );
  }
}
