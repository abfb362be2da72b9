import { DIMENSIONS } from '../load.ts';
import { Assignment } from './assignment.ts';
import { refusedLibrary, refusedTarget } from './constraints.ts';
import type { Model } from './model.ts';
import type { OrderedMove } from './order.ts';
import type { Problem } from './problem.ts';

export type Alternative = { readonly to: string; readonly rejected: string };
export type Explanation = {
  /** What the move does for its source and its target, in figures. */
  readonly reason: string;
  /** Other clusters that the library could have gone to, and why it does not; the nearest first. */
  readonly alternatives: readonly Alternative[];
};
export type Stays = { readonly library: string; readonly name: string; readonly reason: string };

const MOST = 3;
const times = (value: number): string => `${value.toFixed(2)}x`;

type Subject = {
  readonly model: Model;
  readonly moves: readonly OrderedMove[];
  readonly index: number;
  readonly now: number;
};

/** Says why a move of a plan is made, as if those before it were done. */
export function explain(problem: Problem, { model, moves, index, now }: Subject): Explanation {
  const move = moves[index];
  if (move === undefined) return { reason: '', alternatives: [] };
  const final = new Map(moves.map(({ item, to }) => [item, to]));
  const before = new Assignment(model);
  for (const { item, to } of moves.slice(0, index)) before.place(item, to);
  const after = new Assignment(model, before.at);
  after.place(move.item, move.to);
  const goal = new Assignment(
    model,
    model.home.map((home, item) => final.get(item) ?? home),
  );
  const name = (cluster: number): string => problem.clusters[cluster]?.name ?? '';
  const change = (cluster: number): string => {
    const dimension = widest(before, after, cluster);
    const cell = cluster * model.dimensions + dimension;
    return `${DIMENSIONS[dimension]} of ${name(cluster)} from ${times(before.relative[cell] ?? 0)} to ${times(after.relative[cell] ?? 0)} of the mean`;
  };
  const aside = final.get(move.item) === move.to ? '' : `sets it aside so that another move has room; `;
  return {
    reason: `${aside}${change(move.from)}, ${change(move.to)}`,
    alternatives: alternatives(problem, { model, move, goal, now }),
  };
}

/** The dimension in which a move changes most. */
function widest(before: Assignment, after: Assignment, cluster: number): number {
  const change = (dimension: number): number => {
    const cell = cluster * DIMENSIONS.length + dimension;
    return Math.abs((after.relative[cell] ?? 0) - (before.relative[cell] ?? 0));
  };
  return DIMENSIONS.reduce((best, _, dimension) => (change(dimension) > change(best) ? dimension : best), 0);
}

function alternatives(
  problem: Problem,
  { model, move, goal, now }: { model: Model; move: OrderedMove; goal: Assignment; now: number },
): Alternative[] {
  const library = problem.libraries.filter(({ cluster }) => problem.clusters.some(({ name }) => name === cluster))[
    move.item
  ];
  const source = problem.clusters[move.from];
  if (library === undefined) return [];
  const reached = goal.highest();
  const others = problem.clusters.flatMap((target, cluster) => {
    if (cluster === move.to || cluster === move.from) return [];
    const refused = refusedTarget({ library, source, target, now });
    if (refused !== undefined)
      return [{ to: target.name, rejected: `${refused.name}: ${refused.reason}`, highest: Number.POSITIVE_INFINITY }];
    const instead = new Assignment(model, goal.at);
    if (!instead.fits(move.item, cluster))
      return [
        { to: target.name, rejected: `within-limits: ${target.name} has no room for it`, highest: Number.MAX_VALUE },
      ];
    instead.place(move.item, cluster);
    const highest = instead.highest();
    return [
      {
        to: target.name,
        rejected: `the highest load would be ${times(highest)} of the mean, not ${times(reached)}`,
        highest,
      },
    ];
  });
  return others
    .toSorted((a, b) => a.highest - b.highest || a.to.localeCompare(b.to))
    .slice(0, MOST)
    .map(({ to, rejected }) => ({ to, rejected }));
}

/** The libraries of a cluster that may not be moved, the largest first, and why. */
export function whoStays({ clusters, libraries }: Problem, cluster: string, now: number): Stays[] {
  const source = clusters.find(({ name }) => name === cluster);
  return libraries
    .filter((library) => library.cluster === cluster)
    .toSorted((a, b) => b.bytes - a.bytes || a.name.localeCompare(b.name))
    .flatMap((library) => {
      const refused = refusedLibrary({ library, source, now });
      return refused === undefined ? [] : [{ library: library.name, ...refused }];
    })
    .slice(0, MOST);
}
