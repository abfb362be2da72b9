import { keyOfPoint, type Listed, type PointKey } from './listed.ts';
import { positionOf, RANGE_COUNT, rangeEnd, rangeOf } from './ranges.ts';
import type { Side } from './side.ts';

/** All points of a collection by range, in the order of ids. */
export type Inventory = ReadonlyMap<number, readonly Listed[]>;

export type InventoryOptions = {
  readonly signal: AbortSignal;
  /** More points than this are not listed. */
  readonly limit: number;
  /** Points listed at a time: at most as many as Qdrant's strict mode lets anybody ask for; 4000 when not given. */
  readonly pageSize?: number | undefined;
  /** An earlier one: what stayed the same is not held twice. */
  readonly like?: Inventory | undefined;
};

const PAGE = 4000;

/** @returns undefined where the side doesn't tell versions, or has more points than `limit` */
export async function takeInventory(
  side: Side,
  { signal, limit, pageSize = PAGE, like }: InventoryOptions,
): Promise<Inventory | undefined> {
  const ranges = new Map<number, Listed[]>();
  let count = 0;
  let range = -1;
  let list: Listed[] = [];
  let end = 0n;
  let page = await side.inventory?.(undefined, pageSize);
  while (page !== undefined) {
    signal.throwIfAborted();
    count += page.items.length;
    if (count > limit) return undefined;
    // The next page is asked for while this one is sorted in.
    const next = page.nextOffset === undefined ? undefined : side.inventory?.(page.nextOffset, pageSize);
    next?.catch(() => {});
    for (const item of page.items) {
      const position = positionOf(item.id);
      if (position >= end || range < 0) {
        range = Math.min(rangeOf(position), RANGE_COUNT - 1);
        end = rangeEnd(range);
        list = [];
        ranges.set(range, list);
      }
      const known = like?.get(range)?.[list.length];
      list.push(known !== undefined && sameListed(known, item) ? known : item);
    }
    if (next === undefined) return ranges;
    page = await next;
  }
  return undefined;
}

/** Points that came, went or may have changed between two inventories, by key. */
export function changedBetween(before: Inventory, after: Inventory): Map<PointKey, Listed> {
  const changed = new Map<PointKey, Listed>();
  for (const range of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(range) ?? [];
    const now = after.get(range) ?? [];
    if (sameLists(old, now)) continue;
    const known = new Map(old.map((item) => [keyOfPoint(item), item]));
    for (const item of now) {
      const key = keyOfPoint(item);
      const version = known.get(key)?.version;
      if (version === undefined || version !== item.version) changed.set(key, item);
      known.delete(key);
    }
    for (const [key, item] of known) changed.set(key, item);
  }
  return changed;
}

const sameLists = (old: readonly Listed[], now: readonly Listed[]): boolean =>
  old.length === now.length &&
  old.every((item, at) => {
    const other = now[at];
    return other !== undefined && sameListed(item, other);
  });

const sameListed = (a: Listed, b: Listed): boolean =>
  a.version !== undefined && a.version === b.version && a.id === b.id && a.shardKey === b.shardKey;
