import { isActive, type Shard, shardName, type Topology } from '../topology.ts';
import type { ShardTransfer } from './step.ts';

/** Shard transfers that run at once. Qdrant itself sets no limit to those that users ask for. */
export const MAX_TRANSFERS = 4;

/** Where a shard is once the transfers that run have ended. `from` may be a source of a transfer now. */
type Placed = { readonly shard: Shard; readonly holders: ReadonlySet<number>; readonly busy: boolean };

/** Who holds what, and how many replicas that makes by peer. */
export type Layout = { readonly placed: readonly Placed[]; readonly load: Map<number, number> };

/**
 * The layout that the cluster is on its way to.
 *
 * @param keepers peers that may get shards
 */
export function layoutOf({ shards, transfers }: Topology, keepers: readonly number[]): Layout {
  const placed = shards.map((shard) => {
    const own = transfers.filter(({ collection, shard: id }) => collection === shard.collection && id === shard.id);
    const holders = new Set(shard.replicas.map(({ peer }) => peer));
    for (const { from, to, sync } of own) {
      holders.add(to);
      if (!sync) holders.delete(from);
    }
    return { shard, holders, busy: own.length > 0 };
  });
  const load = new Map(keepers.map((peer) => [peer, 0]));
  for (const { holders } of placed) for (const peer of holders) load.set(peer, (load.get(peer) ?? 0) + 1);
  return { placed, load };
}

/** How many transfers may be started now. */
export const freeSlots = ({ transfers }: Topology): number => Math.max(0, MAX_TRANSFERS - transfers.length);

/** The keeper with the fewest replicas that doesn't hold the shard; undefined when all do. */
export function destination(layout: Layout, placed: Placed, keepers: readonly number[]): number | undefined {
  return keepers
    .filter((peer) => !placed.holders.has(peer))
    .toSorted((a, b) => (layout.load.get(a) ?? 0) - (layout.load.get(b) ?? 0) || a - b)[0];
}

/** Moves that take a peer's Active replicas to the keepers. A shard that every keeper holds is left out. */
export function drainMoves(topology: Topology, leaving: number, keepers: readonly number[]): ShardTransfer[] {
  const layout = layoutOf(topology, keepers);
  return layout.placed.flatMap((placed) => {
    const source = placed.shard.replicas.find(({ peer }) => peer === leaving);
    if (source === undefined || placed.busy || !isActive(source)) return [];
    const to = destination(layout, placed, keepers);
    if (to === undefined) return [];
    layout.load.set(to, (layout.load.get(to) ?? 0) + 1);
    return [transfer(placed.shard, { from: leaving, to, keepSource: false })];
  });
}

/** Copies that bring every shard back to its collection's replication factor, as far as keepers are there. */
export function missingCopies(
  topology: Topology,
  factors: ReadonlyMap<string, number>,
  keepers: readonly number[],
): ShardTransfer[] {
  const layout = layoutOf(topology, keepers);
  return layout.placed.flatMap((placed) => {
    const factor = factors.get(placed.shard.collection) ?? 0;
    const source = placed.shard.replicas.find((replica) => isActive(replica) && keepers.includes(replica.peer));
    const to = destination(layout, placed, keepers);
    if (placed.busy || placed.holders.size >= factor || source === undefined || to === undefined) return [];
    layout.load.set(to, (layout.load.get(to) ?? 0) + 1);
    return [transfer(placed.shard, { from: source.peer, to, keepSource: true })];
  });
}

/**
 * The next move that evens out the number of replicas by peer; undefined when none does.
 * A move goes from a peer to one with at least two fewer, so each lowers the sum of squares: it comes to an end.
 */
export function balancingMove(layout: Layout, keepers: readonly number[]): ShardTransfer | undefined {
  const load = (peer: number) => layout.load.get(peer) ?? 0;
  const fullest = keepers.toSorted((a, b) => load(b) - load(a) || a - b);
  const emptiest = keepers.toSorted((a, b) => load(a) - load(b) || a - b);
  for (const from of fullest) {
    for (const to of emptiest) {
      if (load(from) - load(to) < 2) break;
      const movable = layout.placed.filter(
        ({ shard, holders, busy }) =>
          !busy && !holders.has(to) && shard.replicas.some((replica) => replica.peer === from && isActive(replica)),
      );
      const crowding = ({ shard: { collection } }: Placed) =>
        held(layout, collection, from) - held(layout, collection, to);
      const best = movable.toSorted(
        (a, b) => crowding(b) - crowding(a) || shardName(a.shard).localeCompare(shardName(b.shard)),
      )[0];
      if (best !== undefined) return transfer(best.shard, { from, to, keepSource: false });
    }
  }
  return undefined;
}

/** Moves that even out the replicas by peer, at most `most`; shards that already move count where they go. */
export function balancingMoves(topology: Topology, keepers: readonly number[], most: number): ShardTransfer[] {
  const moves: ShardTransfer[] = [];
  let layout = layoutOf(topology, keepers);
  while (moves.length < most) {
    const move = balancingMove(layout, keepers);
    if (move === undefined) break;
    moves.push(move);
    layout = moved(layout, move);
  }
  return moves;
}

function moved(layout: Layout, move: ShardTransfer): Layout {
  const load = new Map(layout.load);
  load.set(move.from, (load.get(move.from) ?? 0) - 1);
  load.set(move.to, (load.get(move.to) ?? 0) + 1);
  const placed = layout.placed.map((one) => {
    if (one.shard.collection !== move.collection || one.shard.id !== move.shard) return one;
    const holders = new Set(one.holders);
    holders.delete(move.from);
    holders.add(move.to);
    return { shard: one.shard, holders, busy: true };
  });
  return { placed, load };
}

const held = (layout: Layout, collection: string, peer: number): number =>
  layout.placed.filter(({ shard, holders }) => shard.collection === collection && holders.has(peer)).length;

const transfer = (
  { collection, id }: Shard,
  way: Pick<ShardTransfer, 'from' | 'to' | 'keepSource'>,
): ShardTransfer => ({ collection, shard: id, ...way });
