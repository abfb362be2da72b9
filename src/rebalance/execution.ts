import { capacityOf, DIMENSIONS, type Load, mapLoad } from './load.ts';
import { TARGET_PESSIMISM } from './plan/model.ts';
import type { Move, Problem } from './plan/problem.ts';

type Refusal = string | undefined;

export type StartSubject = {
  readonly move: Move;
  /** Moves that run: each counts on both sides. */
  readonly running: readonly Move[];
  /** The present: where libraries are, and what they weigh. */
  readonly world: Problem;
  /** What the plan was made for: what was above a limit then may be as full again. */
  readonly planned: Problem;
  readonly maxConcurrent: number;
};

/** No fleet has more moves at a time, whatever its policy allows. */
const MOST_MOVES = 2;
/** Sums of floats differ in their last bits by the order in which they were built. */
const SLACK = 1 + 1e-9;

/** What must hold before the next move of a plan begins. */
export const START_PREDICATES: readonly {
  readonly name: string;
  readonly refuse: (subject: StartSubject) => Refusal;
}[] = [
  {
    name: 'few-moves-run',
    refuse: ({ running, maxConcurrent }) => {
      const most = Math.min(maxConcurrent, MOST_MOVES);
      return running.length < most ? undefined : `${running.length} moves run of ${most}`;
    },
  },
  {
    name: 'library-is-at-rest',
    refuse: ({ move, running, world }) => {
      if (running.some(({ library }) => library === move.library)) return `${move.library} is on its way`;
      const at = world.libraries.find(({ name }) => name === move.library)?.cluster;
      return at === move.from ? undefined : `${move.library} is on ${at ?? 'no cluster'}, not on ${move.from}`;
    },
  },
  {
    name: 'one-each-way',
    refuse: ({ move, running }) => {
      if (running.some(({ from }) => from === move.from)) return `another library leaves ${move.from}`;
      return running.some(({ to }) => to === move.to) ? `another library arrives at ${move.to}` : undefined;
    },
  },
  {
    name: 'target-has-room',
    refuse: ({ move, running, world, planned }) => {
      const target = world.clusters.find(({ name }) => name === move.to);
      if (target === undefined) return `cluster ${move.to} is gone`;
      const [before, carried] = [present(move.to, planned), present(move.to, world)];
      const arrival = arriving(move, running, world);
      const full = DIMENSIONS.find((dimension) => {
        const limit = world.limits[dimension];
        if (limit === undefined) return false;
        const most = Math.max(limit * capacityOf(target.capacity)[dimension], before[dimension]);
        return carried[dimension] + arrival[dimension] > most * SLACK;
      });
      return full && `${full} of ${move.to} would pass ${Math.round((world.limits[full] ?? 0) * 100)} %`;
    },
  },
];

/** The names and reasons of those that refuse; empty: the move may begin. */
export const refusedStart = (subject: StartSubject): { name: string; reason: string }[] =>
  START_PREDICATES.flatMap(({ name, refuse }) => {
    const reason = refuse(subject);
    return reason === undefined ? [] : [{ name, reason }];
  });

/** What a cluster carries now; a library that is leaving it is still there. */
const present = (name: string, { clusters, libraries }: Problem): Load =>
  mapLoad((dimension) =>
    libraries
      .filter(({ cluster }) => cluster === name)
      .reduce(
        (sum, { load }) => sum + load[dimension],
        clusters.find((one) => one.name === name)?.fixed[dimension] ?? 0,
      ),
  );

/** What comes to the target of a move with it, and with those that run there. */
function arriving(move: Move, running: readonly Move[], { libraries }: Problem): Load {
  const names = [move, ...running.filter(({ to }) => to === move.to)].map(({ library }) => library);
  const loads = libraries.filter(({ name }) => names.includes(name)).map(({ load }) => load);
  return mapLoad((dimension) => loads.reduce((sum, load) => sum + load[dimension] * TARGET_PESSIMISM, 0));
}
