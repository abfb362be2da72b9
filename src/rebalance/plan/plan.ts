import { DIMENSIONS, type Load, mapLoad } from '../load.ts';
import { Assignment } from './assignment.ts';
import { lowerBound } from './bound.ts';
import { refusedTarget } from './constraints.ts';
import { type Explanation, explain, type Stays, whoStays } from './explain.ts';
import { type Model, modelOf } from './model.ts';
import { type Ordered, order } from './order.ts';
import type { Move, Problem } from './problem.ts';
import { search } from './search.ts';

export type PlannedMove = Move & Explanation;

export type ClusterChange = { readonly name: string; readonly before: Load; readonly after: Load };

export type Plan = {
  /** In the order in which they are to be made. */
  readonly moves: readonly PlannedMove[];
  /** The highest relative load in any dimension of any cluster; 1 = balanced. */
  readonly before: number;
  readonly after: number;
  /** No plan within the budgets brings it below: proven. Undefined without moves. */
  readonly lowerBound?: number;
  /** Relative loads. */
  readonly clusters: readonly ClusterChange[];
  /** Libraries of the hottest cluster that may not be moved, and why. */
  readonly stays: readonly Stays[];
};

export type PlanOptions = {
  /** Milliseconds since the epoch, by which cooldowns are judged. */
  readonly now: number;
  readonly seed?: number;
  /** Neighbours that the search looks at; by the size of the problem when not given. */
  readonly effort?: number;
};

/** For each place that a library may take, and at most: half a second of a core. */
const EFFORT_PER_PLACE = 60_000;
const MOST_EFFORT = 20_000_000;
const ATTEMPTS = 4;

/** The best list of moves found, in a safe order; an empty one where none makes it better. Same problem, same plan. */
export function makePlan(problem: Problem, { now, seed = 1, effort: asked }: PlanOptions): Plan {
  const model = modelOf(problem, now);
  const effort = asked ?? effortFor(model);
  const { goal, moves } = safe(model, problem, { seed, effort, now });
  const [before, after] = [new Assignment(model), new Assignment(model, goal)];
  const names = participants(problem);
  return {
    moves: moves.map(({ item, from, to }, index) => ({
      library: names.libraries[item] ?? '',
      from: names.clusters[from] ?? '',
      to: names.clusters[to] ?? '',
      bytes: model.bytes[item] ?? 0,
      ...explain(problem, { model, moves, index, now }),
    })),
    before: before.highest(),
    after: after.highest(),
    ...(moves.length === 0 ? {} : { lowerBound: lowerBound(model, after.highest()) }),
    clusters: problem.clusters.map(({ name }, cluster) => ({
      name,
      before: relativeOf(before, cluster),
      after: relativeOf(after, cluster),
    })),
    stays: whoStays(problem, names.clusters[after.hottest()] ?? '', now),
  };
}

export const effortFor = ({ items, clusters }: Model): number =>
  Math.min(EFFORT_PER_PLACE * items * clusters, MOST_EFFORT);

/** Names by their index in the model. */
export function participants({ clusters, libraries }: Problem): { clusters: string[]; libraries: string[] } {
  const names = clusters.map(({ name }) => name);
  return {
    clusters: names,
    libraries: libraries.filter(({ cluster }) => names.includes(cluster)).map(({ name }) => name),
  };
}

const relativeOf = (assignment: Assignment, cluster: number): Load =>
  mapLoad((dimension) => assignment.relative[cluster * DIMENSIONS.length + DIMENSIONS.indexOf(dimension)] ?? 0);

/** Searches again without the libraries for which there was no safe way, a few times. */
function safe(
  model: Model,
  problem: Problem,
  { seed, effort, now }: { seed: number; effort: number; now: number },
): { goal: Int32Array; moves: Ordered['moves'] } {
  const allowed = Uint8Array.from(model.allowed);
  const narrowed: Model = { ...model, allowed };
  const mayPass = (from: number, to: number): boolean => passes(problem, { from, to, now });
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const goal = search(narrowed, { seed, effort: Math.ceil(effort / (attempt + 1)) });
    const { moves, stuck } = order(narrowed, goal, mayPass);
    if (stuck.length === 0) return { goal, moves };
    for (const item of stuck)
      for (let cluster = 0; cluster < model.clusters; cluster += 1)
        allowed[item * model.clusters + cluster] = Number(cluster === model.home[item]);
  }
  return { goal: model.home, moves: [] };
}

/** The way by a third cluster: it must not lead to an older Qdrant. */
function passes(
  { clusters, libraries }: Problem,
  { from, to, now }: { from: number; to: number; now: number },
): boolean {
  const [source, target, library] = [clusters[from], clusters[to], libraries[0]];
  if (source === undefined || target === undefined || library === undefined) return false;
  const bare = { ...library, targets: undefined, lastMove: undefined };
  return refusedTarget({ library: bare, source, target, now }) === undefined;
}
