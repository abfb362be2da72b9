import { DIMENSIONS } from './load.ts';
import type { Plan } from './plan/plan.ts';
import { closesAt } from './trigger.ts';

export type WorthOptions = {
  /** Threshold of the imbalance: 1.10. */
  readonly imbalance: number;
  /** Time over which a plan must pay for itself. */
  readonly horizonSeconds: number;
  /** What a move makes, in bytes a second: the last ones, or a cautious guess. */
  readonly bytesPerSecond: number;
  /** A limit is exceeded: however little helps. */
  readonly urgent?: boolean;
};

/** Everything is copied, read again to compare, and parts are copied twice. */
const COPIES = 2.5;
/** A copy weighs on both ends, as if each were loaded by half its mean more. */
const PRESSURE = 2 * 0.5;

export type Worth = {
  /** Overload that goes away, in means of a cluster times seconds. */
  readonly gain: number;
  readonly cost: number;
  readonly seconds: number;
  readonly worth: boolean;
};

/**
 * Whether what a plan takes away from overloaded clusters over the horizon is more than what its moves put on them.
 * What does not even cross the band between opening and closing is noise: tomorrow's would send the library back.
 */
export function worth({ clusters, moves, before, after }: Plan, options: WorthOptions): Worth {
  const { imbalance, horizonSeconds, bytesPerSecond, urgent = false } = options;
  const significant = urgent || before - after >= imbalance - closesAt(imbalance);
  const over = (value: number): number => Math.max(0, value - closesAt(imbalance));
  const gain = clusters
    .flatMap(({ before, after }) => DIMENSIONS.map((dimension) => over(before[dimension]) - over(after[dimension])))
    .reduce((sum, value) => sum + value, 0);
  const bytes = moves.reduce((sum, move) => sum + move.bytes, 0);
  const seconds = (bytes * COPIES) / bytesPerSecond;
  const [total, cost] = [gain * horizonSeconds, seconds * PRESSURE];
  return { gain: total, cost, seconds, worth: moves.length > 0 && significant && total > cost };
}

/** After so many plans that nothing came of, more moves are tried, and after twice as many the cluster is too small. */
const WIDEN_AFTER = 3;

/** What to try when a plan is called for again and again and none is found. Source: CockroachDB's levels of desperation. */
export function escalation(refusals: number): { readonly moves: 1 | 2; readonly proposeScaleOut: boolean } {
  return { moves: refusals >= WIDEN_AFTER ? 2 : 1, proposeScaleOut: refusals >= 2 * WIDEN_AFTER };
}
