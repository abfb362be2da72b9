import { percentileOf } from '../observe/ring.ts';
import { type Backtest, backtest } from './backtest.ts';
import { filled } from './gaps.ts';
import { holtWinters, type Method, seasonalNaive, theilSen } from './methods.ts';

export type MethodName = 'SeasonalNaive' | 'HoltWinters' | 'Linear';

export type Forecast = {
  readonly method: MethodName;
  /** Of the method on this series' past: see `Backtest`. */
  readonly mase: number;
  readonly meanAbsoluteError: number;
  readonly expected: readonly number[];
  /** Four in five values lie between the two, as far as the past is a guide. */
  readonly lower: readonly number[];
  readonly upper: readonly number[];
};

export type ForecastOptions = {
  /** The richest method that may be taken; simpler ones are where they have done better. */
  readonly method: MethodName;
  readonly steps: number;
  /** Steps of a season: a day. */
  readonly period: number;
};

type Candidate = { readonly name: MethodName; readonly method: Method; readonly least: (period: number) => number };

const NAIVE: Candidate = { name: 'SeasonalNaive', method: seasonalNaive, least: (period) => period };
const LINEAR: Candidate = { name: 'Linear', method: theilSen, least: () => 6 };
/** A season is learnt from three of them. */
const SEASONAL: Candidate = { name: 'HoltWinters', method: holtWinters, least: (period) => 3 * period };

const CANDIDATES: Readonly<Record<MethodName, readonly Candidate[]>> = {
  SeasonalNaive: [NAIVE],
  Linear: [LINEAR],
  HoltWinters: [SEASONAL, LINEAR, NAIVE],
};

/** Share of values inside the interval. */
const INSIDE = 0.8;

/**
 * What is expected of a series, by the method that has the least error on its past. Undefined where too little is known
 * to test any: a forecast without a stated error is not given.
 *
 * @param values evenly spaced, the newest last; NaN is a gap
 */
export function forecast(values: readonly number[], { method, steps, period }: ForecastOptions): Forecast | undefined {
  const series = filled(values);
  const tested = CANDIDATES[method].flatMap((candidate) => {
    const test = backtest(candidate.method, series, { steps, period, least: candidate.least(period) });
    return test === undefined ? [] : [{ ...candidate, test }];
  });
  const [best] = tested.toSorted((a, b) => a.test.mase - b.test.mase);
  if (best === undefined) return undefined;
  const expected = best.method(series, { steps, period });
  const { mase, meanAbsoluteError } = best.test;
  return {
    method: best.name,
    mase,
    meanAbsoluteError,
    expected,
    lower: expected.map((value, step) => value + errorAt(best.test, step, (1 - INSIDE) / 2)),
    upper: expected.map((value, step) => value + errorAt(best.test, step, (1 + INSIDE) / 2)),
  };
}

/** The error that the share of past ones lies below, of those made about as far ahead. */
function errorAt({ errors }: Backtest, step: number, share: number): number {
  const alike = errors.slice(Math.floor(step / 2), 2 * step + 2).flat();
  return percentileOf(alike, share) ?? 0;
}

export type Crossing = {
  /** First step, from 1, at which the threshold may be crossed (one in ten lies above); what is acted on. */
  readonly earliest: number;
  /** First step at which it is expected to be; undefined: not within the horizon. */
  readonly expected: number | undefined;
};

/** When a threshold will be crossed; undefined: not within the horizon. */
export function crossing({ upper, expected }: Forecast, threshold: number): Crossing | undefined {
  const first = (values: readonly number[]): number => values.findIndex((value) => value >= threshold) + 1;
  const [early, likely] = [first(upper), first(expected)];
  const earliest = Math.min(...[early, likely].filter((step) => step > 0));
  return Number.isFinite(earliest) ? { earliest, expected: likely > 0 ? likely : undefined } : undefined;
}
