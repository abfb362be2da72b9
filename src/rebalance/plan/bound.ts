import { Assignment } from './assignment.ts';
import { type Model, TARGET_PESSIMISM } from './model.ts';

/** Steps of the search for weights, and how close the bisection goes. */
const STEPS = 1500;
const PRECISION = 0.001;
const BISECTIONS = 14;
/** Certificates are looked for this often, in steps: each costs as much as a step. */
const CHECK_EVERY = 25;

/**
 * A height below which no plan within the budgets can bring the highest relative load, proven: what a plan reaches
 * divided by it tells how far from the best it may be at most.
 *
 * The bound of Lenstra, Shmoys and Tardos by bisection on the height: below it, a library can't be where it would
 * exceed the height all by itself. Where weights are found under which every fractional assignment within the budgets
 * weighs more than the height, the height is impossible. Without such weights nothing is claimed, so the bound may lie
 * below the exact one, never above the optimum.
 *
 * Source: Lenstra, Shmoys, Tardos, "Approximation algorithms for scheduling unrelated parallel machines", 1990;
 * weights by Arora, Hazan, Kale, "The multiplicative weights update method", 2012.
 *
 * @param reached the height of a plan: the bound lies at or below it
 */
export function lowerBound(model: Model, reached: number): number {
  let low = Math.min(simpleBound(model), reached);
  let high = reached;
  let weights = startingWeights(model);
  for (let step = 0; step < BISECTIONS && high - low > PRECISION * low; step += 1) {
    const middle = (low + high) / 2;
    const outcome = refute(model, middle, weights);
    weights = outcome.weights;
    if (outcome.impossible) low = middle;
    else high = middle;
  }
  return low;
}

/** The mean, and what no move takes away. */
function simpleBound({ dimensions, clusters, items, load, fixed, scale }: Model): number {
  let most = 0;
  for (let r = 0; r < dimensions; r += 1) {
    let [total, room] = [0, 0];
    for (let item = 0; item < items; item += 1) total += load[item * dimensions + r] ?? 0;
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      const cell = cluster * dimensions + r;
      total += fixed[cell] ?? 0;
      room += 1 / (scale[cell] ?? 1);
      most = Math.max(most, (fixed[cell] ?? 0) * (scale[cell] ?? 0));
    }
    most = Math.max(most, total / room);
  }
  return most;
}

/** One for each cluster in each dimension, and one for the bytes. */
function startingWeights(model: Model): Float64Array {
  const { relative } = new Assignment(model);
  const most = Math.max(...relative);
  const weights = Float64Array.from([...relative.map((value) => (value / most) ** 8), 0.1]);
  if (!Number.isFinite(model.maxBytes)) weights[weights.length - 1] = 0;
  return normalised(weights);
}

function normalised(weights: Float64Array): Float64Array {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Looks for weights that prove that no plan keeps everything at or below the height. */
function refute(model: Model, height: number, start: Float64Array): { impossible: boolean; weights: Float64Array } {
  const relaxed = new Relaxation(model, height);
  if (relaxed.homeless) return { impossible: true, weights: start };
  let weights = start;
  const mean = new Float64Array(start.length);
  let steepness = 0;
  for (let step = 1; step <= STEPS; step += 1) {
    if (relaxed.weigh(weights) > height) return { impossible: true, weights };
    for (const [row, weight] of weights.entries()) mean[row] = (mean[row] ?? 0) + weight;
    if (step % CHECK_EVERY === 0) {
      const averaged = normalised(mean);
      if (relaxed.weigh(averaged) > height) return { impossible: true, weights: averaged };
      relaxed.weigh(weights);
    }
    // Only the spread counts: what is added to all rows alike is lost when they are normalised.
    const spread = relaxed.rows.reduce((sum, row, index) => sum + (weights[index] ?? 0) * (row - height) ** 2, 0);
    steepness += spread;
    const rate = Math.sqrt(Math.log(weights.length) / Math.max(steepness, Number.MIN_VALUE));
    weights = normalised(weights.map((weight, row) => weight * Math.exp(rate * ((relaxed.rows[row] ?? 0) - height))));
  }
  return { impossible: false, weights };
}

/** Fractional assignments within the budgets, in which nothing alone exceeds the height. */
class Relaxation {
  readonly model: Model;
  readonly height: number;
  /** Of the lightest assignment: relative loads, and the bytes that it moves as a multiple of the height. */
  readonly rows: Float64Array;
  readonly #allowed: Uint8Array;
  readonly #savings: Float64Array;
  readonly #target: Int32Array;

  constructor(model: Model, height: number) {
    this.model = model;
    this.height = height;
    this.rows = new Float64Array(model.clusters * model.dimensions + 1);
    this.#allowed = model.allowed.map((allowed, index) => {
      const [item, cluster] = [Math.floor(index / model.clusters), index % model.clusters];
      return Number(allowed === 1 && this.#canBe(item, cluster));
    });
    this.#savings = new Float64Array(model.items);
    this.#target = new Int32Array(model.items);
  }

  #canBe(item: number, cluster: number): boolean {
    const { dimensions, load, fixed, scale, cap, home } = this.model;
    for (let r = 0; r < dimensions; r += 1) {
      const [cell, own] = [cluster * dimensions + r, load[item * dimensions + r] ?? 0];
      if (((fixed[cell] ?? 0) + own) * (scale[cell] ?? 0) > this.height) return false;
      if (home[item] !== cluster && (fixed[cell] ?? 0) + own * TARGET_PESSIMISM > (cap[cell] ?? 0)) return false;
    }
    return true;
  }

  /** Whether something can be nowhere, or more must move than may. */
  get homeless(): boolean {
    const { items, clusters, home, maxMoves } = this.model;
    let forced = 0;
    for (let item = 0; item < items; item += 1) {
      const places = this.#allowed.subarray(item * clusters, (item + 1) * clusters);
      if (!places.includes(1)) return true;
      if (places[home[item] ?? 0] !== 1) forced += 1;
    }
    return forced > maxMoves;
  }

  /** The weight of the lightest assignment; `rows` shows it. */
  weigh(weights: Float64Array): number {
    const { model, rows } = this;
    const { items, clusters, home, bytes, maxBytes } = model;
    const perByte = Number.isFinite(maxBytes)
      ? ((weights[rows.length - 1] ?? 0) * this.height) / Math.max(maxBytes, 1)
      : 0;
    for (let item = 0; item < items; item += 1) {
      const stay = home[item] ?? 0;
      const staying =
        this.#allowed[item * clusters + stay] === 1 ? this.#cost(item, stay, weights) : Number.POSITIVE_INFINITY;
      let [least, target] = [Number.POSITIVE_INFINITY, stay];
      for (let cluster = 0; cluster < clusters; cluster += 1) {
        if (cluster === stay || this.#allowed[item * clusters + cluster] !== 1) continue;
        const cost = this.#cost(item, cluster, weights);
        if (cost < least) [least, target] = [cost, cluster];
      }
      this.#target[item] = target;
      this.#savings[item] = least === Number.POSITIVE_INFINITY ? -1 : staying - least - perByte * (bytes[item] ?? 0);
    }
    this.#fill(this.#movers());
    return rows.reduce((sum, row, index) => sum + row * (weights[index] ?? 0), 0);
  }

  #cost(item: number, cluster: number, weights: Float64Array): number {
    const { dimensions, load, scale } = this.model;
    let cost = 0;
    for (let r = 0; r < dimensions; r += 1) {
      const cell = cluster * dimensions + r;
      cost += (weights[cell] ?? 0) * (load[item * dimensions + r] ?? 0) * (scale[cell] ?? 0);
    }
    return cost;
  }

  /** Those whose moving saves most, as many as may move: for given weights that is exact. */
  #movers(): Set<number> {
    const gaining = [...this.#savings.keys()].filter((item) => (this.#savings[item] ?? 0) > 0);
    return new Set(
      gaining.toSorted((a, b) => (this.#savings[b] ?? 0) - (this.#savings[a] ?? 0)).slice(0, this.model.maxMoves),
    );
  }

  #fill(movers: ReadonlySet<number>): void {
    const { dimensions, load, fixed, scale, home, bytes, maxBytes } = this.model;
    let moved = 0;
    for (const [cell, value] of fixed.entries()) this.rows[cell] = value * (scale[cell] ?? 0);
    for (const [item, stay] of home.entries()) {
      const cluster = movers.has(item) ? (this.#target[item] ?? stay) : stay;
      if (cluster !== stay) moved += bytes[item] ?? 0;
      for (let r = 0; r < dimensions; r += 1) {
        const cell = cluster * dimensions + r;
        this.rows[cell] = (this.rows[cell] ?? 0) + (load[item * dimensions + r] ?? 0) * (scale[cell] ?? 0);
      }
    }
    this.rows[this.rows.length - 1] = Number.isFinite(maxBytes) ? (moved * this.height) / Math.max(maxBytes, 1) : 0;
  }
}
