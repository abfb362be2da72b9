import { randomNumbers } from '../../vectors/index.ts';
import { Assignment, type Cost, costOf, isCheaper } from './assignment.ts';
import { descend, type Effort } from './descend.ts';
import type { Model } from './model.ts';

/** Powers 4, 8, 16, 32 and 64: low ones see all clusters, high ones the hottest. */
const SQUARINGS = [2, 3, 4, 5, 6];
/** Share of the moves that a step of the large neighbourhood takes back. */
const UNDONE = 0.4;

export type SearchOptions = {
  readonly seed: number;
  /** Neighbours to look at, in all; a core looks at about forty million a second. */
  readonly effort: number;
};

/**
 * The best assignment found: a portfolio of descents, then steps of a large neighbourhood from the best one. The same
 * model and options give the same result. Never worse than where everything is now, within the budgets and the caps.
 */
export function search(model: Model, { seed, effort: most }: SearchOptions): Int32Array {
  const effort: Effort = { left: most };
  const best = new Best(model);
  for (const squarings of SQUARINGS) {
    const assignment = new Assignment(model);
    descend(assignment, squarings, { effort });
    best.offer(assignment);
  }
  improve(best, effort, randomNumbers(seed));
  return best.at;
}

/** The cheapest assignment seen so far. */
class Best {
  readonly model: Model;
  at: Int32Array;
  #cost: Cost;

  constructor(model: Model) {
    this.model = model;
    this.at = model.home;
    this.#cost = costOf(new Assignment(model));
  }

  offer(assignment: Assignment): void {
    prune(assignment);
    const cost = costOf(assignment);
    if (!isCheaper(cost, this.#cost)) return;
    this.at = Int32Array.from(assignment.at);
    this.#cost = cost;
  }
}

function improve(best: Best, effort: Effort, random: () => number): void {
  const assignment = new Assignment(best.model);
  const squarings = (): number => SQUARINGS[Math.floor(random() * SQUARINGS.length)] ?? 4;
  while (effort.left > 0) {
    // A step counts even where nothing has a neighbour.
    effort.left -= best.model.items + 1;
    assignment.reset(best.at);
    takeBack(assignment, random);
    kick(assignment, random);
    descend(assignment, squarings(), { effort, near: (one) => one.hottest() });
    descend(assignment, squarings(), { effort });
    best.offer(assignment);
  }
}

function takeBack(assignment: Assignment, random: () => number): void {
  const { home } = assignment.model;
  for (const [item, cluster] of assignment.at.entries()) {
    const back = home[item] ?? 0;
    if (cluster !== back && random() < UNDONE && assignment.fits(item, back)) assignment.place(item, back);
  }
}

/** Sends a library of the hottest cluster somewhere. */
function kick(assignment: Assignment, random: () => number): void {
  const { model } = assignment;
  const hottest = assignment.hottest();
  const there = [...assignment.at.keys()].filter((item) => assignment.at[item] === hottest);
  const item = there[Math.floor(random() * there.length)];
  if (item === undefined) return;
  const to = Math.floor(random() * model.clusters);
  const moves = assignment.movesBy(item, to);
  if (to !== hottest && assignment.affords(moves, moves * (model.bytes[item] ?? 0)) && assignment.fits(item, to))
    assignment.place(item, to);
}

/** Takes back each move without which the plan is no worse, the largest first. */
function prune(assignment: Assignment): void {
  const { model } = assignment;
  const moved = [...assignment.at.keys()]
    .filter((item) => assignment.at[item] !== model.home[item])
    .toSorted((a, b) => (model.bytes[b] ?? 0) - (model.bytes[a] ?? 0));
  for (const item of moved) {
    const [away, back] = [assignment.at[item] ?? 0, model.home[item] ?? 0];
    if (!assignment.fits(item, back)) continue;
    const before = costOf(assignment);
    assignment.place(item, back);
    if (isCheaper(before, costOf(assignment))) assignment.place(item, away);
  }
}
