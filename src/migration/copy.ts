import type { Point } from '../qdrant/types.ts';
import { inLanes } from './lanes.ts';
import { type Projection, project } from './projection.ts';
import type { RangeQueue } from './range-queue.ts';
import { idFrom, positionOf, RANGE_COUNT, rangeEnd, rangeOf, rangeStart } from './ranges.ts';
import type { Page, Side } from './side.ts';

export type PassOptions = {
  /** Lanes that work side by side. */
  readonly lanes: number;
  /** Points asked for at a time. */
  readonly pageSize: number;
  readonly projection: Projection;
  /** Stops the pass between two requests; what is written by then stays. */
  readonly signal: AbortSignal;
  /** Carries out a write to the target, repeating it where needed; throws when this worker may not write any more. */
  readonly write: (action: () => Promise<void>) => Promise<void>;
  /** Called with every point that was read, as the target should give it back. */
  readonly onRead?: (point: Point) => void;
  /** Called when so many points more are dealt with. */
  readonly onProgress?: (points: number) => void;
};

/** Ways to bring the bulk of the data over; what they leave behind is brought over by comparing. */
export interface CopyEngine {
  readonly name: string;
  /** Goes on where `queue` says; a range's cursor advances only past points that the target acknowledged. */
  base(source: Side, target: Side, queue: RangeQueue, options: PassOptions): Promise<void>;
}

/** Reads by scrolling and writes by upserting: any layout, any version. */
export const SCROLL_ENGINE: CopyEngine = {
  name: 'Scroll',
  base: (source, target, queue, options) => inLanes(options, (inLane) => copyLane(source, target, queue, inLane)),
};

/** Brings nothing over: for a target that was filled before, where comparing finds the little that differs. */
export const NO_ENGINE: CopyEngine = { name: 'None', base: async () => {} };

async function copyLane(source: Side, target: Side, queue: RangeQueue, options: PassOptions): Promise<void> {
  for (let range = queue.claim(); range !== undefined; range = queue.claim(range)) {
    await copyFrom(range, { source, target, queue, options });
  }
}

type Lane = { source: Side; target: Side; queue: RangeQueue; options: PassOptions };

/** Copies one range, and those after it as long as the pages that were read reach into unclaimed ones. */
async function copyFrom(first: number, { source, target, queue, options }: Lane): Promise<void> {
  let range = first;
  let offset = queue.cursor(range) ?? idFrom(rangeStart(range));
  while (offset !== undefined) {
    options.signal.throwIfAborted();
    const page: Page = await source.page(offset, options.pageSize);
    const taken = takeFrom(page, range, queue);
    if (taken.points.length > 0) {
      const points = taken.points.map((point) => {
        const { write, expected } = project(point, options.projection);
        options.onRead?.(expected);
        return write;
      });
      await options.write(() => target.upsert(points));
      options.onProgress?.(taken.points.length);
    }
    for (const done of taken.finished) queue.finish(done);
    if (taken.open === undefined) return;
    range = taken.open;
    offset = page.nextOffset;
    if (offset !== undefined) queue.advance(range, offset);
  }
  queue.finish(range);
}

/** What of a page belongs to this lane: points of `range` and of the open ranges right after it. */
function takeFrom({ points, nextOffset }: Page, range: number, queue: RangeQueue) {
  const finished: number[] = [];
  const end = nextOffset === undefined ? undefined : positionOf(nextOffset);
  let current = range;
  let taken = 0;
  // The next range may be begun only when this one is read to its end.
  for (const point of points) {
    const position = positionOf(point.id);
    if (position >= rangeEnd(current)) {
      const next = rangeOf(position);
      queue.finishEmpty(current + 1, next);
      finished.push(current);
      if (!queue.claimRange(next)) return { points: points.slice(0, taken), finished, open: undefined };
      current = next;
    }
    taken += 1;
  }
  if (end === undefined || end >= rangeEnd(current)) {
    queue.finishEmpty(current + 1, end === undefined ? RANGE_COUNT : rangeOf(end));
    return { points, finished: [...finished, current], open: undefined };
  }
  return { points, finished, open: current };
}
