import type { PointId } from '../../qdrant/index.ts';
import type { Expected, Known } from './points.ts';

/**
 * What a point needs: nothing; its payload written anew, as its vector is right; or all of it. `fresh`: no vector that
 * is there may be taken for it.
 */
export type Need = { readonly point: Expected; readonly what: 'nothing' | 'payload' | 'all'; readonly fresh?: true };

export type Comparison = {
  readonly needs: readonly Need[];
  /** Points of the document that it has no chunk for any more. */
  readonly stale: readonly PointId[];
};

/** One document as it must be, and its points that are there. */
export function compare(expected: readonly Expected[], known: readonly Known[]): Comparison {
  const there = new Map(known.map((point) => [point.id, point]));
  const wanted = new Set(expected.map(({ id }) => id));
  return {
    needs: expected.map((point): Need => {
      const mark = there.get(point.id)?.mark;
      if (mark?.hash !== point.mark.hash) return { point, what: 'all' };
      return { point, what: sameMark(mark, point.mark) ? 'nothing' : 'payload' };
    }),
    stale: known.flatMap(({ id }) => (wanted.has(id) ? [] : [id])),
  };
}

const sameMark = (a: Known['mark'], b: Known['mark']): boolean =>
  a.job === b.job && a.revision === b.revision && a.chunks === b.chunks && a.validator === b.validator;

/** What there is of a document at one revision. */
export type Present = {
  readonly whole: boolean;
  readonly points: readonly Known[];
  readonly stale: readonly PointId[];
};

/** Whether a document is there as a whole: then it needs no cutting. */
export function presentAt(revision: string, job: string, known: readonly Known[]): Present {
  const points = known.filter(({ mark }) => mark.revision === revision && mark.job === job);
  const ids = new Set(points.map(({ id }) => id));
  const whole = points.length > 0 && points.every(({ mark }) => mark.chunks === points.length);
  return { whole, points, stale: known.flatMap(({ id }) => (ids.has(id) ? [] : [id])) };
}
