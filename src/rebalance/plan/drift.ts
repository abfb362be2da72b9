import { canonicalJson } from '../../vectors/index.ts';
import { FLOORS } from '../imbalance.ts';
import { addLoads, capacityOf, DIMENSIONS, type Load, NO_LOAD } from '../load.ts';
import { refusedTarget } from './constraints.ts';
import type { Move, PlanCluster, Problem } from './problem.ts';

/** How far what a plan was made from may have changed. */
export const DRIFT = 0.1;
/** A library may grow by so much in any case. */
const FREE_BYTES = 64 * 1024 * 1024;

/**
 * What has changed since a plan was made so that it must not be executed, in words; empty = the world is as it was.
 *
 * @param then the problem that the plan was made for
 * @param world the same question, asked of the present
 * @param left moves that are not begun yet, and `done` those that are: where they left a library is as planned
 */
export function drift(
  then: Problem,
  world: Problem,
  { left, done, now }: { readonly left: readonly Move[]; readonly done: readonly Move[]; readonly now: number },
): string[] {
  const where = new Map(then.libraries.map(({ name, cluster }) => [name, cluster]));
  for (const { library, to } of done) where.set(library, to);
  const moves = left.flatMap((move) => changedMove(move, { then, world, now, from: where }));
  const expected: Problem = {
    ...then,
    libraries: then.libraries.map((library) => ({ ...library, cluster: where.get(library.name) ?? library.cluster })),
  };
  const policy = rules(then) === rules(world) ? [] : ['the limits or the budget of the policy have changed'];
  return [
    ...policy,
    ...moves,
    ...then.clusters.flatMap((cluster) => changedCluster(cluster, { expected, world, done })),
  ];
}

const rules = ({ limits, maxMoves, maxBytes, keepsSource, goal }: Problem): string =>
  canonicalJson([limits, maxMoves, maxBytes, keepsSource, goal]);

type Subject = {
  readonly then: Problem;
  readonly world: Problem;
  readonly now: number;
  /** Where each library is expected; a library with two moves goes on from where the first one leaves it. */
  readonly from: ReadonlyMap<string, string>;
};

function changedMove(move: Move, { then, world, now, from }: Subject): string[] {
  const library = world.libraries.find(({ name }) => name === move.library);
  const before = then.libraries.find(({ name }) => name === move.library);
  if (library === undefined || before === undefined) return [`library ${move.library} is gone`];
  const expected = from.get(move.library);
  if (library.cluster !== expected) return [`library ${move.library} is on ${library.cluster}, not on ${expected}`];
  if (library.pinned) return [`spec.placement of ${move.library} names ${library.cluster} now`];
  const target = world.clusters.find(({ name }) => name === move.to);
  if (target === undefined) return [`cluster ${move.to} is gone`];
  const source = world.clusters.find(({ name }) => name === library.cluster);
  const refused = refusedTarget({ library: { ...library, lastMove: undefined }, source, target, now });
  if (refused !== undefined) return [refused.reason];
  const grown = Math.abs(library.bytes - before.bytes);
  if (grown <= Math.max(DRIFT * before.bytes, FREE_BYTES)) return [];
  return [`library ${move.library} has ${library.bytes} bytes, not ${before.bytes}`];
}

function changedCluster(
  cluster: PlanCluster,
  { expected, world, done }: { expected: Problem; world: Problem; done: readonly Move[] },
): string[] {
  const present = world.clusters.find(({ name }) => name === cluster.name);
  if (present === undefined) return [`cluster ${cluster.name} is gone`];
  const [capacity, now] = [capacityOf(cluster.capacity), capacityOf(present.capacity)];
  const [load, loadNow] = [loadOf(expected, cluster), loadOf(world, present)];
  const kept = leftBehind(expected, cluster.name, done);
  return DIMENSIONS.flatMap((dimension) => {
    const least =
      dimension === 'requests' || dimension === 'points' ? FLOORS[dimension] : FLOORS[dimension] * capacity[dimension];
    const slack = DRIFT * Math.max(load[dimension], least);
    const differs =
      loadNow[dimension] < load[dimension] - slack || loadNow[dimension] > load[dimension] + kept[dimension] + slack;
    const resized = Math.abs(now[dimension] - capacity[dimension]) > DRIFT * capacity[dimension];
    const percent = Math.round((loadNow[dimension] / load[dimension] - 1) * 100);
    return [
      ...(differs
        ? [`${dimension} of ${cluster.name} changed by ${Number.isFinite(percent) ? `${percent} %` : 'all'}`]
        : []),
      ...(resized ? [`capacity of ${cluster.name} changed in ${dimension}`] : []),
    ];
  });
}

/** What moves of the plan may have left on a cluster: it stays there for the time that the policy tells. */
function leftBehind({ libraries, keepsSource }: Problem, cluster: string, done: readonly Move[]): Load {
  const left = done.filter(({ from }) => keepsSource && from === cluster).map(({ library }) => library);
  const { memory, disk, points } = addLoads(
    libraries.filter(({ name }) => left.includes(name)).map(({ load }) => load),
  );
  return { ...NO_LOAD, memory, disk, points };
}

const loadOf = ({ libraries }: Problem, { name, fixed }: PlanCluster): Load =>
  addLoads([fixed, ...libraries.filter(({ cluster }) => cluster === name).map(({ load }) => load)]);
