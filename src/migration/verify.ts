import { combineDigests, type Digest, EMPTY_DIGEST, formatDigest, parseDigest, sameDigest } from '../vectors/index.ts';
import type { RangeDigests } from './compare.ts';
import { type SideState, unreadable } from './side.ts';

/** All that was read of both sides while the fence held. */
export type Evidence = {
  readonly ranges: ReadonlyMap<number, RangeDigests>;
  readonly counts: { readonly source: number; readonly target: number };
  /** States before and after everything else was read. */
  readonly states: readonly { readonly side: 'source' | 'target'; readonly state: SideState }[];
};

export type Totals = { readonly source: Digest; readonly target: Digest };

export function totals(ranges: ReadonlyMap<number, RangeDigests>): Totals {
  let source = EMPTY_DIGEST;
  let target = EMPTY_DIGEST;
  for (const range of ranges.values()) {
    source = combineDigests(source, range.source);
    target = combineDigests(target, range.target);
  }
  return { source, target };
}

/**
 * Why both sides are not proved equal; empty = they are.
 *
 * A count or a scroll proves something only while every shard is seen readable: Qdrant answers 200 without the
 * missing shard (S2). So the states are looked at before and after.
 */
export function objections({ ranges, counts, states }: Evidence): string[] {
  const { source, target } = totals(ranges);
  const partial = states.flatMap(({ side, state }) => {
    const reason = unreadable(state);
    return reason === undefined ? [] : [`the ${side} may have been read in part: ${reason}`];
  });
  const unequal = [...ranges].filter(([, range]) => !sameDigest(range.source, range.target)).map(([range]) => range);
  return [
    ...partial,
    ...(unequal.length === 0 ? [] : [`digests differ in ${unequal.length} ranges, first ${unequal[0]}`]),
    ...(counts.source === source.count ? [] : [`the source counts ${counts.source} points, ${source.count} were read`]),
    ...(counts.target === target.count ? [] : [`the target counts ${counts.target} points, ${target.count} were read`]),
  ];
}

/** The source's digest of each range in one text, for looking later at what has changed since. */
export const rangesText = (ranges: ReadonlyMap<number, RangeDigests>): string =>
  [...ranges]
    .filter(([, { source }]) => source.count > 0)
    .map(([range, { source }]) => `${range}:${formatDigest(source)}`)
    .join(' ');

export function parseRanges(text: string): Map<number, Digest> {
  const ranges = new Map<number, Digest>();
  for (const entry of text.split(' ')) {
    const colon = entry.indexOf(':');
    const digest = parseDigest(entry.slice(colon + 1));
    if (colon > 0 && digest !== undefined) ranges.set(Number(entry.slice(0, colon)), digest);
  }
  return ranges;
}
