import { percentileOf } from '../observe/ring.ts';

/** Values, evenly spaced, the newest last; none is missing. */
export type Series = readonly number[];
/** What is expected for the next `steps` steps. */
export type Method = (values: Series, options: { readonly steps: number; readonly period: number }) => number[];

const ahead = (steps: number, value: (step: number) => number): number[] =>
  Array.from({ length: steps }, (_, index) => value(index + 1));

/** As it was one period ago; the last value where less than a period is known. */
export const seasonalNaive: Method = (values, { steps, period }) => {
  const season = values.length >= period ? values.slice(-period) : values.slice(-1);
  return ahead(steps, (step) => season[(step - 1) % season.length] ?? 0);
};

/** Beyond so many values every second, third... one is taken: all pairs are compared. */
const MOST_COMPARED = 240;

/** A line through the medians: one value in four may be far off. Source: Theil 1950, Sen 1968. */
export const theilSen: Method = (values, { steps }) => {
  const stride = Math.max(1, Math.ceil(values.length / MOST_COMPARED));
  const points = values.flatMap((value, index) =>
    (values.length - 1 - index) % stride === 0 ? [{ index, value }] : [],
  );
  const slopes = points.flatMap((a, first) =>
    points.slice(first + 1).map((b) => (b.value - a.value) / (b.index - a.index)),
  );
  const slope = percentileOf(slopes, 0.5) ?? 0;
  const level =
    percentileOf(
      points.map(({ index, value }) => value - slope * index),
      0.5,
    ) ?? 0;
  return ahead(steps, (step) => level + slope * (values.length - 1 + step));
};

type Weights = { readonly level: number; readonly trend: number; readonly season: number; readonly damping: number };

const GRID: readonly Weights[] = [0.05, 0.2, 0.5].flatMap((level) =>
  [0.01, 0.1].flatMap((trend) =>
    [0.05, 0.2, 0.4].flatMap((season) => [0.9, 0.98].map((damping) => ({ level, trend, season, damping }))),
  ),
);

/**
 * Additive Holt-Winters with a damped trend: the weights with the least squared one-step error are taken. Needs two
 * periods. Source: Gardner, McKenzie, "Forecasting trends in time series", 1985.
 */
export const holtWinters: Method = (values, { steps, period }) => {
  const [first, ...others] = GRID.map((weights) => smoothed(values, period, weights));
  const best = others.reduce<Smoothed | undefined>((a, b) => (a === undefined || b.error < a.error ? b : a), first);
  if (best === undefined) return [];
  const { level, trend, season, damping } = best;
  let [sum, factor] = [0, 1];
  return ahead(steps, (step) => {
    factor *= damping;
    sum += factor;
    return level + sum * trend + (season[(values.length + step - 1) % period] ?? 0);
  });
};

type Smoothed = {
  readonly level: number;
  readonly trend: number;
  readonly season: readonly number[];
  readonly damping: number;
  readonly error: number;
};

function smoothed(values: Series, period: number, weights: Weights): Smoothed {
  const mean = (part: Series): number => part.reduce((sum, value) => sum + value, 0) / Math.max(part.length, 1);
  const [one, two] = [mean(values.slice(0, period)), mean(values.slice(period, 2 * period))];
  let [level, trend, error] = [one, (two - one) / period, 0];
  const season = values.slice(0, period).map((value) => value - one);
  for (let time = period; time < values.length; time += 1) {
    const [value, seasonal] = [values[time] ?? 0, season[time % period] ?? 0];
    const expected = level + weights.damping * trend;
    error += (value - expected - seasonal) ** 2;
    const before = level;
    level = weights.level * (value - seasonal) + (1 - weights.level) * expected;
    trend = weights.trend * (level - before) + (1 - weights.trend) * weights.damping * trend;
    season[time % period] = weights.season * (value - level) + (1 - weights.season) * seasonal;
  }
  return { level, trend, season, damping: weights.damping, error };
}
