import type { Method, Series } from './methods.ts';

export type Backtest = {
  /** Mean absolute error, as a multiple of that of saying "as a period ago"; below 1 is better than that. */
  readonly mase: number;
  readonly meanAbsoluteError: number;
  /** What came minus what was expected, by steps ahead. */
  readonly errors: readonly (readonly number[])[];
};

const ORIGINS = 6;

/**
 * How well a method would have done: it is asked at several moments of the past, knowing only what was before each.
 * Undefined where the series is too short for even one. Source: Hyndman, Koehler, "Another look at measures of forecast
 * accuracy", 2006.
 *
 * @param least values that the method needs
 */
export function backtest(
  method: Method,
  values: Series,
  { steps, period, least }: { readonly steps: number; readonly period: number; readonly least: number },
): Backtest | undefined {
  const room = values.length - steps - least;
  if (room < 0) return undefined;
  const count = Math.min(ORIGINS, room + 1);
  const origins = Array.from({ length: count }, (_, index) =>
    Math.round(least + (count === 1 ? room : (room * index) / (count - 1))),
  );
  const errors: number[][] = Array.from({ length: steps }, () => []);
  let [absolute, asked] = [0, 0];
  for (const origin of origins) {
    const expected = method(values.slice(0, origin), { steps, period });
    for (const [step, value] of expected.entries()) {
      const error = (values[origin + step] ?? 0) - value;
      errors[step]?.push(error);
      absolute += Math.abs(error);
      asked += 1;
    }
  }
  const meanAbsoluteError = absolute / Math.max(asked, 1);
  const scale = naiveError(values, period);
  return {
    mase: scale === 0 ? (absolute === 0 ? 0 : Number.MAX_VALUE) : meanAbsoluteError / scale,
    meanAbsoluteError,
    errors,
  };
}

function naiveError(values: Series, period: number): number {
  const lag = values.length > period ? period : 1;
  const errors = values.slice(lag).map((value, index) => Math.abs(value - (values[index] ?? 0)));
  return errors.reduce((sum, value) => sum + value, 0) / Math.max(errors.length, 1);
}
