import { Assignment } from './assignment.ts';
import type { Model } from './model.ts';

export type OrderedMove = { readonly item: number; readonly from: number; readonly to: number };

export type Ordered = {
  readonly moves: readonly OrderedMove[];
  /** Moves that no safe order was found for. */
  readonly stuck: readonly number[];
};

/**
 * An order in which no move breaks a cap: while it runs, a library counts on both sides. Free first, then fill; a circle
 * is opened by way of the emptiest cluster where the budgets allow one move more.
 *
 * @param mayPass whether a library may go on from one cluster to another, which none may to an older Qdrant
 */
export function order(model: Model, goal: Int32Array, mayPass: (from: number, to: number) => boolean): Ordered {
  const assignment = new Assignment(model);
  const moves: OrderedMove[] = [];
  let bytes = assignment.bytes;
  const go = (item: number, to: number): void => {
    moves.push({ item, from: assignment.at[item] ?? 0, to });
    bytes += model.bytes[item] ?? 0;
    assignment.place(item, to);
  };
  for (;;) {
    const left = [...goal.keys()].filter((item) => goal[item] !== assignment.at[item]);
    if (left.length === 0) return { moves, stuck: [] };
    const next = coolest(assignment, left, goal);
    if (next !== undefined) {
      go(next, goal[next] ?? 0);
      continue;
    }
    const detour = aside(assignment, goal, { left, mayPass });
    const needed = left.reduce((sum, item) => sum + (model.bytes[item] ?? 0), 0);
    if (
      detour === undefined ||
      moves.length + left.length >= model.maxMoves ||
      bytes + needed + (model.bytes[detour.item] ?? 0) > model.maxBytes
    )
      return { moves, stuck: left };
    go(detour.item, detour.to);
  }
}

/** The move after which the hottest cluster is coolest, of those that fit now. */
function coolest(assignment: Assignment, left: readonly number[], goal: Int32Array): number | undefined {
  const fitting = left.filter((item) => assignment.fits(item, goal[item] ?? 0));
  const after = fitting.map((item) => {
    const from = assignment.at[item] ?? 0;
    assignment.place(item, goal[item] ?? 0);
    const highest = assignment.highest();
    assignment.place(item, from);
    return { item, highest };
  });
  return after.toSorted((a, b) => a.highest - b.highest || a.item - b.item)[0]?.item;
}

/** A library that, set aside on the emptiest cluster, lets another one pass. */
function aside(
  assignment: Assignment,
  goal: Int32Array,
  { left, mayPass }: { left: readonly number[]; mayPass: (from: number, to: number) => boolean },
): { item: number; to: number } | undefined {
  const { model } = assignment;
  const emptiest = Array.from({ length: model.clusters }, (_, cluster) => cluster).toSorted(
    (a, b) => assignment.fullness(a) - assignment.fullness(b) || a - b,
  );
  // The lightest first: it is copied twice. Once set aside, a library waits for its target.
  const waiting = left
    .filter((item) => assignment.at[item] === model.home[item])
    .toSorted((a, b) => (model.bytes[a] ?? 0) - (model.bytes[b] ?? 0) || a - b);
  for (const item of waiting) {
    const from = assignment.at[item] ?? 0;
    for (const to of emptiest) {
      if (to === from || to === goal[item] || !mayPass(to, goal[item] ?? 0) || !assignment.fits(item, to)) continue;
      assignment.place(item, to);
      const opened = left.some((other) => other !== item && assignment.fits(other, goal[other] ?? 0));
      assignment.place(item, from);
      if (opened) return { item, to };
    }
  }
  return undefined;
}
