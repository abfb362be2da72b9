import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crossing, forecast } from '../../src/rebalance/forecast/forecast.ts';
import { filled } from '../../src/rebalance/forecast/gaps.ts';
import { holtWinters, seasonalNaive, theilSen } from '../../src/rebalance/forecast/methods.ts';
import { randomNumbers } from '../../src/vectors/index.ts';

const HOURS = 24;
const hours = (count: number, value: (hour: number) => number): number[] =>
  Array.from({ length: count }, (_, hour) => value(hour));
const daily = (hour: number): number => 100 + 50 * Math.sin((2 * Math.PI * hour) / HOURS);
const noise = (seed: number, size: number): (() => number) => {
  const random = randomNumbers(seed);
  return () => (random() - 0.5) * 2 * size;
};
const near = (value: number | undefined, wanted: number, by: number): void =>
  assert.ok(Math.abs((value ?? Number.NaN) - wanted) <= by, `${value} for ${wanted}`);

test('gaps are filled along a line, and nothing is made up before the first value', () => {
  const gap = Number.NaN;
  assert.deepEqual(filled([gap, 2, gap, gap, 8, gap]), [2, 4, 6, 8, 8]);
  assert.deepEqual(filled([gap, gap]), []);
});

test('the seasonal naive method says what was a day ago, over again', () => {
  const values = hours(60, daily);
  const told = seasonalNaive(values, { steps: 50, period: HOURS });
  for (const step of [0, 23, 24, 49]) near(told[step], daily(60 + step), 1e-9);
});

test('a line survives that one value in four is far off', () => {
  const values = hours(100, (hour) => (hour % 4 === 1 ? 9999 : 3 * hour + 7));
  near(theilSen(values, { steps: 10, period: HOURS })[9], 3 * 109 + 7, 1e-6);
});

test('Holt-Winters learns a season and a trend that flattens', () => {
  const values = hours(8 * HOURS, (hour) => daily(hour) + 0.2 * hour);
  const told = holtWinters(values, { steps: HOURS, period: HOURS });
  for (const step of [0, 6, 18]) near(told[step], daily(192 + step) + 0.2 * (192 + step), 10);
});

test('with three days of a season the seasonal method is chosen, and its error is stated', () => {
  const shake = noise(1, 8);
  const told = forecast(
    hours(7 * HOURS, (hour) => daily(hour) + shake()),
    { method: 'HoltWinters', steps: HOURS, period: HOURS },
  );
  assert.notEqual(told?.method, 'Linear');
  assert.ok((told?.mase ?? 9) < 1.2 && (told?.meanAbsoluteError ?? 99) < 10, JSON.stringify(told));
});

test('what only grows is a line', () => {
  const shake = noise(2, 3);
  const told = forecast(
    hours(60, (hour) => 10 * hour + shake()),
    { method: 'HoltWinters', steps: HOURS, period: HOURS },
  );
  assert.equal(told?.method, 'Linear');
});

test('of too little nothing is said', () => {
  assert.equal(forecast([1, 2, 3], { method: 'HoltWinters', steps: 24, period: 24 }), undefined);
  assert.equal(forecast([], { method: 'Linear', steps: 1, period: 24 }), undefined);
});

test('about four values in five lie in the interval', (t) => {
  let [inside, all] = [0, 0];
  for (let seed = 1; seed <= 20; seed += 1) {
    const shake = noise(seed, 15);
    const values = hours(6 * HOURS, (hour) => daily(hour) + shake());
    const told = forecast(values.slice(0, 5 * HOURS), { method: 'HoltWinters', steps: HOURS, period: HOURS });
    assert.ok(told !== undefined);
    for (const [step, value] of values.slice(5 * HOURS).entries()) {
      inside += Number(value >= (told.lower[step] ?? 0) && value <= (told.upper[step] ?? 0));
      all += 1;
    }
  }
  t.diagnostic(`${((100 * inside) / all).toFixed(1)} % of ${all} values`);
  assert.ok(inside / all > 0.7 && inside / all < 0.9);
});

test('a threshold is seen before it is crossed: first by the upper end', () => {
  const shake = noise(3, 5);
  const told = forecast(
    hours(72, (hour) => 2 * hour + shake()),
    { method: 'HoltWinters', steps: 48, period: HOURS },
  );
  assert.ok(told !== undefined);
  const { earliest, expected } = crossing(told, 200) ?? {};
  near(expected, 29, 3);
  assert.ok((earliest ?? 99) <= (expected ?? 0) && (earliest ?? 0) > 20);
  assert.equal(crossing(told, 1000), undefined);
  assert.equal(crossing(told, -1)?.earliest, 1);
});

test('a forecast has as many steps as were asked for, all finite, the lower never above the upper', () => {
  const value = fc.oneof(
    { weight: 9, arbitrary: fc.double({ min: 0, max: 1e9, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(Number.NaN) },
  );
  const method = fc.constantFrom('SeasonalNaive', 'HoltWinters', 'Linear');
  fc.assert(
    fc.property(fc.array(value, { maxLength: 60 }), method, fc.integer({ min: 1, max: 12 }), (values, name, steps) => {
      const told = forecast(values, { method: name, steps, period: 8 });
      if (told === undefined) return;
      for (const part of [told.expected, told.lower, told.upper]) {
        assert.equal(part.length, steps);
        assert.ok(part.every(Number.isFinite));
      }
      assert.ok(told.lower.every((low, step) => low <= (told.upper[step] ?? 0)));
    }),
    { numRuns: 60 },
  );
});
