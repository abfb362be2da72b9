import type { Assignment } from './assignment.ts';

/** Counts down by one for each neighbour that is looked at: the same result on any machine, however slow. */
export type Effort = { left: number };

/** Improvements below this share are rounding. */
const LEAST = 1e-12;

type Step = { gain: number; item: number; to: number; other: number };

/**
 * Steepest descent over single moves and swaps on the sum of all relative loads to the power of 2^squarings: the higher
 * the power, the more the hottest cluster counts.
 *
 * @param near only what leaves or enters this cluster; undefined: all
 */
export function descend(
  assignment: Assignment,
  squarings: number,
  { effort, near }: { effort: Effort; near?: (assignment: Assignment) => number },
): void {
  while (effort.left > 0) {
    const step = bestStep(new Neighbourhood(assignment, squarings), { effort, only: near?.(assignment) });
    if (step === undefined) return;
    const from = assignment.at[step.item] ?? 0;
    assignment.place(step.item, step.to);
    if (step.other >= 0) assignment.place(step.other, from);
  }
}

function bestStep(
  near: Neighbourhood,
  { effort, only }: { effort: Effort; only: number | undefined },
): Step | undefined {
  const { assignment } = near;
  const { items, clusters } = assignment.model;
  const best: Step = { gain: LEAST * near.total, item: -1, to: -1, other: -1 };
  for (let item = 0; item < items; item += 1) {
    const from = assignment.at[item] ?? 0;
    const without = near.without(item);
    for (let to = 0; to < clusters; to += 1) {
      if (to === from || (only !== undefined && from !== only && to !== only)) continue;
      effort.left -= 1;
      near.tryMove(item, to, { without, best });
    }
    if (only !== undefined && from !== only) continue;
    for (let other = only === undefined ? item + 1 : 0; other < items; other += 1) {
      if (assignment.at[other] === from) continue;
      effort.left -= 1;
      near.trySwap(item, other, best);
    }
  }
  return best.item < 0 ? undefined : best;
}

/** The potential of an assignment, and what a step would make of it. */
class Neighbourhood {
  readonly assignment: Assignment;
  readonly total: number;
  readonly #squarings: number;
  /** Loads are divided by the highest, so that no power overflows. */
  readonly #unit: number;
  readonly #potential: Float64Array;

  constructor(assignment: Assignment, squarings: number) {
    this.assignment = assignment;
    this.#squarings = squarings;
    this.#unit = 1 / Math.max(assignment.highest(), Number.MIN_VALUE * 2 ** 60);
    this.#potential = Float64Array.from({ length: assignment.model.clusters }, (_, cluster) =>
      this.#with(cluster, -1, -1),
    );
    this.total = this.#potential.reduce((sum, value) => sum + value, 0);
  }

  /** The potential of a cluster with one item more and another one less; -1: none. */
  #with(cluster: number, more: number, less: number): number {
    const { relative, model } = this.assignment;
    const { dimensions, load, scale } = model;
    let sum = 0;
    for (let r = 0; r < dimensions; r += 1) {
      const cell = cluster * dimensions + r;
      const arriving = more < 0 ? 0 : (load[more * dimensions + r] ?? 0);
      const leaving = less < 0 ? 0 : (load[less * dimensions + r] ?? 0);
      let power = ((relative[cell] ?? 0) + (arriving - leaving) * (scale[cell] ?? 0)) * this.#unit;
      for (let times = 0; times < this.#squarings; times += 1) power *= power;
      sum += power;
    }
    return sum;
  }

  /** The potential of an item's cluster without it. */
  without(item: number): number {
    return this.#with(this.assignment.at[item] ?? 0, -1, item);
  }

  tryMove(item: number, to: number, { without, best }: { without: number; best: Step }): void {
    const { assignment } = this;
    const { model } = assignment;
    if (model.allowed[item * model.clusters + to] !== 1) return;
    const moves = assignment.movesBy(item, to);
    if (moves > 0 && !assignment.affords(moves, moves * (model.bytes[item] ?? 0))) return;
    const from = assignment.at[item] ?? 0;
    const before = (this.#potential[from] ?? 0) + (this.#potential[to] ?? 0);
    const gain = before - without - this.#with(to, item, -1);
    if (gain > best.gain && assignment.fits(item, to)) Object.assign(best, { gain, item, to, other: -1 });
  }

  trySwap(item: number, other: number, best: Step): void {
    const { assignment } = this;
    const { model, at } = assignment;
    const [from, to] = [at[item] ?? 0, at[other] ?? 0];
    if (model.allowed[item * model.clusters + to] !== 1 || model.allowed[other * model.clusters + from] !== 1) return;
    const [first, second] = [assignment.movesBy(item, to), assignment.movesBy(other, from)];
    const bytes = first * (model.bytes[item] ?? 0) + second * (model.bytes[other] ?? 0);
    if (!assignment.affords(first + second, bytes)) return;
    const before = (this.#potential[from] ?? 0) + (this.#potential[to] ?? 0);
    const gain = before - this.#with(from, other, item) - this.#with(to, item, other);
    if (gain <= best.gain || !assignment.fits(item, to, other) || !assignment.fits(other, from, item)) return;
    Object.assign(best, { gain, item, to, other });
  }
}
