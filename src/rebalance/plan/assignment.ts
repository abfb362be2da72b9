import { type Model, TARGET_PESSIMISM } from './model.ts';

/** Sums of floats differ in their last bits by the order in which they were built. */
const SLACK = 1e-9;

/**
 * Where every library is, with what follows from it kept up to date: the search asks for millions of neighbours.
 * Indexes as in `Model`.
 */
export class Assignment {
  readonly model: Model;
  readonly at: Int32Array;
  /** Load of each cluster in each dimension as a multiple of the mean. */
  readonly relative: Float64Array;
  moves = 0;
  bytes = 0;
  /** What counts against `cap`: arrivals weigh more, and what is kept goes on counting. */
  readonly #carried: Float64Array;

  constructor(model: Model, at: Int32Array = model.home) {
    this.model = model;
    this.at = Int32Array.from(at);
    this.relative = new Float64Array(model.clusters * model.dimensions);
    this.#carried = new Float64Array(model.clusters * model.dimensions);
    this.reset(at);
  }

  /** Starts anew from an assignment, without the rounding errors of what was before. */
  reset(at: Int32Array): void {
    const { model } = this;
    this.moves = 0;
    this.bytes = 0;
    this.at.set(at);
    for (let cell = 0; cell < this.relative.length; cell += 1) {
      this.relative[cell] = (model.fixed[cell] ?? 0) * (model.scale[cell] ?? 0);
      this.#carried[cell] = model.fixed[cell] ?? 0;
    }
    for (let item = 0; item < model.items; item += 1) {
      const cluster = at[item] ?? 0;
      const home = model.home[item] ?? 0;
      this.#add(item, cluster, 1);
      if (cluster === home) continue;
      this.moves += 1;
      this.bytes += model.bytes[item] ?? 0;
      for (let r = 0; r < model.dimensions; r += 1)
        if (model.kept[r] === 1)
          this.#carried[home * model.dimensions + r] =
            (this.#carried[home * model.dimensions + r] ?? 0) + (model.load[item * model.dimensions + r] ?? 0);
    }
  }

  #add(item: number, cluster: number, sign: 1 | -1): void {
    const { model } = this;
    for (let r = 0; r < model.dimensions; r += 1) {
      const cell = cluster * model.dimensions + r;
      const load = (model.load[item * model.dimensions + r] ?? 0) * sign;
      this.relative[cell] = (this.relative[cell] ?? 0) + load * (model.scale[cell] ?? 0);
      this.#carried[cell] = (this.#carried[cell] ?? 0) + load * this.#weight(item, cluster);
    }
  }

  #weight(item: number, cluster: number): number {
    return cluster === this.model.home[item] ? 1 : TARGET_PESSIMISM;
  }

  /** What placing the item on a cluster changes there. */
  #arrival(item: number, cluster: number, r: number): number {
    if (cluster !== this.model.home[item])
      return (this.model.load[item * this.model.dimensions + r] ?? 0) * TARGET_PESSIMISM;
    return this.model.kept[r] === 1 ? 0 : (this.model.load[item * this.model.dimensions + r] ?? 0);
  }

  /** Whether item may go to cluster while, at the same time, `leaving` goes away from there; budgets are not asked. */
  fits(item: number, cluster: number, leaving = -1): boolean {
    const { model } = this;
    if (model.allowed[item * model.clusters + cluster] !== 1) return false;
    for (let r = 0; r < model.dimensions; r += 1) {
      const cell = cluster * model.dimensions + r;
      const cap = model.cap[cell] ?? 0;
      if (cap === Number.POSITIVE_INFINITY) continue;
      const gone = leaving < 0 ? 0 : this.#arrival(leaving, cluster, r);
      const arrived = this.#arrival(item, cluster, r);
      // What does not grow breaks nothing that was not broken before.
      if (arrived > gone && (this.#carried[cell] ?? 0) + arrived - gone > cap * (1 + SLACK)) return false;
    }
    return true;
  }

  /** Whether the budgets allow that the number of moves and their bytes change so. */
  affords(moves: number, bytes: number): boolean {
    return (
      this.moves + moves <= this.model.maxMoves &&
      (bytes <= 0 || this.bytes + bytes <= this.model.maxBytes * (1 + SLACK))
    );
  }

  /** 1: the item begins to count as a move; -1: it no longer does. */
  movesBy(item: number, cluster: number): number {
    const home = this.model.home[item];
    return Number(cluster !== home) - Number(this.at[item] !== home);
  }

  place(item: number, cluster: number): void {
    const from = this.at[item] ?? 0;
    if (from === cluster) return;
    const { model } = this;
    const change = this.movesBy(item, cluster);
    this.moves += change;
    this.bytes += change * (model.bytes[item] ?? 0);
    this.#add(item, from, -1);
    this.#add(item, cluster, 1);
    this.at[item] = cluster;
    if (change === 0) return;
    const home = model.home[item] ?? 0;
    for (let r = 0; r < model.dimensions; r += 1) {
      if (model.kept[r] !== 1) continue;
      const cell = home * model.dimensions + r;
      this.#carried[cell] = (this.#carried[cell] ?? 0) + change * (model.load[item * model.dimensions + r] ?? 0);
    }
  }

  /** Load of a cluster against its cap, above 1 only where it was so from the beginning. */
  fullness(cluster: number): number {
    const { cap, dimensions } = this.model;
    let most = 0;
    for (let r = 0; r < dimensions; r += 1) {
      const cell = cluster * dimensions + r;
      most = Math.max(most, (this.#carried[cell] ?? 0) / (cap[cell] ?? 1));
    }
    return most;
  }

  /** The highest load in any dimension, as a multiple of the mean. */
  highest(): number {
    let most = 0;
    for (const value of this.relative) if (value > most) most = value;
    return most;
  }

  /** The cluster that carries it. */
  hottest(): number {
    let [most, cell] = [Number.NEGATIVE_INFINITY, 0];
    for (const [index, value] of this.relative.entries()) if (value > most) [most, cell] = [value, index];
    return Math.floor(cell / this.model.dimensions);
  }
}

/** What counts, in this order: balance as far as the goal, bytes, moves. */
export type Cost = { readonly highest: number; readonly bytes: number; readonly moves: number };

export const costOf = (assignment: Assignment): Cost => ({
  highest: Math.max(assignment.highest(), assignment.model.goal),
  bytes: assignment.bytes,
  moves: assignment.moves,
});

export function isCheaper(a: Cost, b: Cost): boolean {
  if (Math.abs(a.highest - b.highest) > SLACK * b.highest) return a.highest < b.highest;
  return a.bytes === b.bytes ? a.moves < b.moves : a.bytes < b.bytes;
}
