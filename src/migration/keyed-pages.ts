import type { PointId, ShardKey } from '../qdrant/types.ts';
import { idFrom, positionOf } from './ranges.ts';

export type PageOf<T> = { readonly items: readonly T[]; readonly nextOffset: PointId | undefined };

/**
 * One page in the order of ids over several shard keys, each read by itself: over all of them Qdrant gives an id that
 * stands under several keys only once (measured), and counts it as often as it stands there.
 *
 * It ends where the first of the keys' pages ends, so that all points of one id stand on one page.
 */
export async function pageOverKeys<T extends { readonly id: PointId }>(
  keys: readonly ShardKey[],
  page: (key: ShardKey) => Promise<PageOf<T>>,
): Promise<PageOf<T>> {
  const pages = await Promise.all(keys.map(page));
  const ends = pages.flatMap(({ nextOffset }) => (nextOffset === undefined ? [] : [positionOf(nextOffset)]));
  const end = ends.reduce<bigint | undefined>(
    (least, at) => (least === undefined || at < least ? at : least),
    undefined,
  );
  const items = pages
    .flatMap(({ items: points }) => points.map((item) => ({ item, position: positionOf(item.id) })))
    .filter(({ position }) => end === undefined || position < end)
    .sort((a, b) => (a.position < b.position ? -1 : Number(a.position > b.position)));
  return { items: items.map(({ item }) => item), nextOffset: end === undefined ? undefined : idFrom(end) };
}
