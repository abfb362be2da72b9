import type { Point } from '../qdrant/types.ts';
import { hashOfPoint } from '../qdrant/wire-point.ts';
import { addHash, type Digest, EMPTY_DIGEST, sameDigest } from '../vectors/index.ts';
import type { PassOptions } from './copy.ts';
import { inLanes } from './lanes.ts';
import { OrderedReader } from './ordered-reader.ts';
import type { Leak } from './progress.ts';
import { project } from './projection.ts';
import { RangeQueue } from './range-queue.ts';
import { positionOf, RANGE_COUNT, rangeEnd, rangeOf, rangeStart } from './ranges.ts';
import type { Side } from './side.ts';
import type { VerifiedPoints } from './verified-points.ts';

export type LeakOptions = PassOptions & {
  /** The source's digests by range when both sides were proved equal. */
  readonly verified: ReadonlyMap<number, Digest>;
  /** The points of that moment; undefined in a worker that didn't see it. */
  readonly points: VerifiedPoints | undefined;
};

/**
 * After the switch: has anything reached the old collection since it was verified? Then brings it over, where the
 * new collection's point is still as it was then; a later write there wins.
 */
export async function closeLeak(source: Side, target: Side, options: LeakOptions): Promise<Leak> {
  const now = await digests(source, options);
  const touched = [...new Set([...now.keys(), ...options.verified.keys()])].filter(
    (range) => !sameDigest(now.get(range) ?? EMPTY_DIGEST, options.verified.get(range) ?? EMPTY_DIGEST),
  );
  const total = { checked: true, found: 0, applied: 0, kept: 0 };
  for (const range of touched) {
    const { found, applied } = await closeRange(range, { source, target, options });
    total.found += found;
    total.applied += applied;
    total.kept += found - applied;
  }
  return total;
}

/** Digests of one side's ranges, as the target should give them back. */
async function digests(side: Side, options: PassOptions): Promise<Map<number, Digest>> {
  const found = new Map<number, Digest>();
  await readRanges(side, options, (range, point) => {
    const hash = hashOfPoint(project(point, options.projection).expected);
    found.set(range, addHash(found.get(range) ?? EMPTY_DIGEST, hash));
  });
  return found;
}

/** Reads a side in full, with lanes side by side. */
export async function readRanges(
  side: Side,
  options: PassOptions,
  each: (range: number, point: Point) => void,
): Promise<void> {
  const queue = new RangeQueue();
  await inLanes(options, async ({ signal }) => {
    const reader = new OrderedReader(side, options.pageSize);
    for (let range = queue.claim(); range !== undefined; range = queue.claim(range)) {
      const current = range;
      signal.throwIfAborted();
      const next = await readRange(reader, range, (point) => each(current, point));
      queue.finish(range);
      queue.finishEmpty(range + 1, next);
    }
  });
}

/** @returns the range of the first point behind this one */
async function readRange(reader: OrderedReader, range: number, each: (point: Point) => void): Promise<number> {
  const end = rangeEnd(range);
  reader.seek(rangeStart(range));
  for (let group = await reader.peek(); group !== undefined; group = await reader.peek()) {
    if (group.position >= end) return rangeOf(group.position);
    reader.skip(group);
    // A page that begins with the last id of the one before gives a point twice.
    for (const point of new Map(group.points.map((item) => [item.shardKey, item])).values()) each(point);
  }
  return RANGE_COUNT;
}

type Sides = { readonly source: Side; readonly target: Side; readonly options: LeakOptions };

async function closeRange(range: number, { source, target, options }: Sides) {
  const old = await pointsOf(source, range, options.pageSize);
  const present = await pointsOf(target, range, options.pageSize);
  const { points } = options;
  if (points === undefined) return { found: Math.max(1, countUnlike(old, present, options)), applied: 0 };

  const verified = points.of(range);
  const unchanged = (point: Point): boolean => verified.has(points.key(hashOfPoint(point)));
  const changed = [...old].flatMap(([key, point]) => {
    const { write, expected } = project(point, options.projection);
    return unchanged(expected) ? [] : [{ key, write }];
  });
  const gone = [...present].filter(([key, point]) => !old.has(key) && unchanged(point)).map(([, point]) => point);
  const upserts = changed
    .filter(({ key }) => {
      const point = present.get(key);
      return point === undefined || unchanged(point);
    })
    .map(({ write }) => write);
  if (upserts.length > 0) await options.write(() => target.upsert(upserts));
  for (const point of gone) await options.write(() => target.remove([point.id], point.shardKey));
  return { found: changed.length + gone.length, applied: upserts.length + gone.length };
}

async function pointsOf(side: Side, range: number, pageSize: number): Promise<Map<string, Point>> {
  const points = new Map<string, Point>();
  await readRange(new OrderedReader(side, pageSize), range, (point) => {
    points.set(`${positionOf(point.id)} ${typeof point.shardKey} ${point.shardKey ?? ''}`, point);
  });
  return points;
}

function countUnlike(old: Map<string, Point>, present: Map<string, Point>, { projection }: PassOptions): number {
  return [...old].filter(([key, point]) => {
    const other = present.get(key);
    return other === undefined || hashOfPoint(other) !== hashOfPoint(project(point, projection).expected);
  }).length;
}
