import type { Point, PointId } from '../../qdrant/index.ts';
import type { Findings } from '../quality/findings.ts';
import { compare, type Need } from './compare.ts';
import { type Expected, type Known, samePayload } from './points.ts';
import { type Shape, vectorOf } from './target.ts';

export type Examined = { readonly needs: readonly Need[]; readonly stale: readonly PointId[] };

type Present = { readonly known: readonly Known[]; readonly full: readonly Point[] };

/** Like `compare`, by the points themselves and not by their marks alone; notes what is wrong. */
export function examine(
  expected: readonly Expected[],
  { known, full }: Present,
  options: {
    readonly shape: Shape;
    readonly findings: Findings;
  },
): Examined {
  const { shape, findings } = options;
  const there = new Map(full.map((point) => [point.id, point]));
  const { needs, stale } = compare(expected, known);
  return {
    stale,
    needs: needs.map((need): Need => {
      const { point } = need;
      const found = there.get(point.id);
      if (found === undefined) {
        findings.add('missing', point.document, point.id);
        return need;
      }
      if (!isProper(vectorOf(found, shape.vector), shape.dimensions)) {
        findings.add('badVector', point.document, point.id);
        return { point, what: 'all', fresh: true };
      }
      if (need.what !== 'nothing') {
        findings.add('outdated', point.document, point.id);
        return need;
      }
      if (samePayload(found.payload, point.payload)) return need;
      findings.add('altered', point.document, point.id);
      return { point, what: 'payload' };
    }),
  };
}

/** Of the right length, finite, and not all zero. */
export function isProper(vector: readonly number[] | undefined, dimensions: number): boolean {
  if (vector?.length !== dimensions) return false;
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Number.isFinite(squares) && squares > 0;
}
