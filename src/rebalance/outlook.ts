import type { RebalancePolicySpec } from '../api/index.ts';
import { crossing, forecast, type MethodName } from './forecast/forecast.ts';
import { type Capacity, capacityOf, type Dimension } from './load.ts';
import type { ClusterHistory } from './observe/history.ts';
import { COARSE, lastValues } from './observe/ring.ts';
import { horizonSeconds, thresholdsOf } from './settings.ts';

type Watched = {
  readonly name: string;
  readonly capacity: Capacity | undefined;
  readonly history: Pick<ClusterHistory, 'measures'>;
};

/** One series that is looked ahead: shares of the capacity, five minutes apart. */
export type SeriesAhead = {
  readonly cluster: string;
  readonly dimension: Dimension;
  readonly values: readonly number[];
  readonly threshold: number;
  readonly method: MethodName;
  readonly steps: number;
  /** End of the last value, in milliseconds since the epoch. */
  readonly endsAt: number;
};

/** What is expected of a cluster, with the error that the method made on its past. Shares of the capacity. */
export type Prediction = {
  readonly cluster: string;
  readonly dimension: Dimension;
  readonly method: MethodName;
  /** Error as a multiple of that of saying "as a day ago". */
  readonly mase: number;
  readonly error: number;
  readonly threshold: number;
  /** At the end of the horizon. */
  readonly expected: number;
  readonly lower: number;
  readonly upper: number;
  /** When the threshold is crossed: expected, and at the earliest; milliseconds since the epoch. */
  readonly crossesAt: number | undefined;
  readonly earliestAt: number | undefined;
};

const DAY_STEPS = (24 * 3600) / COARSE.stepSeconds;

/** The series that a policy has looked ahead: of clusters whose capacity is known, where there is a limit. */
export function seriesAhead(spec: RebalancePolicySpec, clusters: readonly Watched[], now: number): SeriesAhead[] {
  const method = spec.forecast?.method ?? 'HoltWinters';
  if (method === 'None') return [];
  const { limits } = thresholdsOf(spec);
  const steps = Math.ceil(horizonSeconds(spec) / COARSE.stepSeconds);
  return clusters.flatMap(({ name, capacity, history }) => {
    if (capacity === undefined) return [];
    const has = capacityOf(capacity);
    return (['busy', 'memory', 'disk'] as const).flatMap((dimension) => {
      const threshold = limits[dimension];
      const ring = history.measures[dimension].coarse;
      const values = lastValues(ring, now, COARSE.capacity * COARSE.stepSeconds).map((value) => value / has[dimension]);
      if (threshold === undefined || ring.values.length === 0) return [];
      const step = COARSE.stepSeconds * 1000;
      const endsAt = Math.max(ring.endsAt, Math.floor(now / step) * step);
      return [{ cluster: name, dimension, values, threshold, method, steps, endsAt }];
    });
  });
}

/** Series of which too little is known to test a method give nothing. Takes some 100 ms of a core for each series. */
export function look(series: readonly SeriesAhead[]): Prediction[] {
  return series.flatMap(({ cluster, dimension, values, threshold, method, steps, endsAt }) => {
    const told = forecast(values, { method, steps, period: DAY_STEPS });
    if (told === undefined) return [];
    const meets = crossing(told, threshold);
    const at = (step: number | undefined): number | undefined =>
      step === undefined ? undefined : endsAt + step * COARSE.stepSeconds * 1000;
    return [
      {
        cluster,
        dimension,
        method: told.method,
        mase: told.mase,
        error: told.meanAbsoluteError,
        threshold,
        expected: told.expected.at(-1) ?? 0,
        lower: told.lower.at(-1) ?? 0,
        upper: told.upper.at(-1) ?? 0,
        crossesAt: at(meets?.expected),
        earliestAt: at(meets?.earliest),
      },
    ];
  });
}

/** Whether a threshold is crossed within the horizon that is not crossed already. */
export const isAhead = ({ earliestAt }: Prediction, now: number): boolean =>
  earliestAt !== undefined && earliestAt > now;
