import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hottest, imbalance } from '../../src/rebalance/imbalance.ts';
import { type Load, NO_LOAD } from '../../src/rebalance/load.ts';
import type { Plan } from '../../src/rebalance/plan/plan.ts';
import { type Alarm, type Observed, type Triggered, trigger } from '../../src/rebalance/trigger.ts';
import { escalation, worth } from '../../src/rebalance/worth.ts';

const GIGABYTE = 1024 ** 3;
const thresholds = { imbalance: 1.1, limits: { busy: 0.7, memory: 0.8, disk: 0.8 }, p95Seconds: 0.1 };
const loaded = (name: string, load: Partial<Load>, size = 1) => ({
  name,
  capacity: { cores: size, memoryBytes: size * 10 * GIGABYTE, diskBytes: size * 100 * GIGABYTE },
  load: { ...NO_LOAD, ...load },
});
/** Two clusters, one busy so, the other so that the mean stays. */
const busy = (share: number, change: Partial<Observed> = {}): Observed => ({
  clusters: imbalance([loaded('a', { busy: share }), loaded('b', { busy: 0.8 - share })]),
  p95Seconds: new Map(),
  crossings: [],
  ...change,
});

/** Looks once a minute, at what there is in each. */
function looks(observed: readonly Observed[]): Triggered[] {
  let alarms: readonly Alarm[] = [];
  return observed.map((one, minute) => {
    const told = trigger(alarms, one, { thresholds, now: minute * 60_000 });
    alarms = told.alarms;
    return told;
  });
}
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const open = (told: readonly Triggered[]): number[] =>
  told.flatMap(({ reasons }, minute) => (reasons.length > 0 ? [minute] : []));

test('load is compared by capacity: twice the cores carry twice the load', () => {
  const [a, b] = imbalance([loaded('a', { busy: 0.2 }), loaded('b', { busy: 0.4 }, 2)]);
  assert.ok(Math.abs((a?.relative.busy ?? 0) - 1) < 1e-9 && Math.abs((b?.relative.busy ?? 0) - 1) < 1e-9);
});

test('below the floor an imbalance is none: three times as much of nearly nothing', () => {
  const clusters = imbalance([loaded('a', { memory: 0.9 * GIGABYTE }), loaded('b', { memory: 0.1 * GIGABYTE })]);
  assert.ok((clusters[0]?.relative.memory ?? 9) < 0.2);
  assert.deepEqual(trigger([], { clusters, p95Seconds: new Map(), crossings: [] }, { thresholds, now: 0 }).alarms, []);
});

test('the hottest cluster is named with its dimension; of none there is none', () => {
  const { name, dimension } = hottest(busy(0.5).clusters) ?? {};
  assert.deepEqual([name, dimension], ['a', 'busy']);
  assert.equal(hottest([]), undefined);
});

test('a plan is called for when a cluster lies above the mean for ten minutes, not before', () => {
  const told = looks(times(12, busy(0.48)));
  assert.deepEqual(open(told), [10, 11]);
  assert.deepEqual(told[10]?.reasons, ['busy of a is 1.20 times the mean']);
});

test('a moment below the threshold begins the time anew', () => {
  assert.deepEqual(open(looks([...times(9, busy(0.48)), busy(0.43), ...times(9, busy(0.48))])), []);
});

test('once called for it stays so until well below: five percent for ten', () => {
  const told = looks([...times(11, busy(0.48)), busy(0.43), busy(0.425), busy(0.42), busy(0.43)]);
  assert.deepEqual(open(told), [10, 11, 12]);
});

test('a limit counts after two minutes, and until five percent below it', () => {
  const told = looks([...times(3, busy(0.72)), busy(0.68), busy(0.66)]);
  assert.deepEqual(
    told.map(({ alarms }) => alarms.some(({ key, open: is }) => key === 'limit/a/busy' && is)),
    [false, false, true, true, false],
  );
  assert.ok(told[2]?.reasons.includes('busy of a is at 72 % of 70 %'));
});

test('latency counts only on the busiest cluster', () => {
  const slow = (name: string) => times(11, busy(0.41, { p95Seconds: new Map([[name, 0.25]]) }));
  assert.deepEqual(open(looks(slow('b'))), []);
  assert.deepEqual(looks(slow('a')).at(-1)?.reasons, [
    'searches on a, the busiest, take 250 ms at the 95th percentile',
  ]);
});

test('a threshold that will be crossed counts after ten minutes', () => {
  const told = looks(times(11, busy(0.4, { crossings: [{ cluster: 'b', dimension: 'disk' }] })));
  assert.deepEqual(open(told), [10]);
  assert.deepEqual(told[10]?.reasons, ['disk of b will cross its threshold']);
});

test('a plan is worth it when what it takes away over the horizon is more than what its moves put on', () => {
  const plan = (before: number, bytes: number): Plan => ({
    moves: [{ library: 'l', from: 'a', to: 'b', bytes, reason: '', alternatives: [] }],
    before,
    after: 1,
    lowerBound: 1,
    stays: [],
    clusters: [{ name: 'a', before: { ...NO_LOAD, busy: before }, after: { ...NO_LOAD, busy: 1 } }],
  });
  const options = { imbalance: 1.1, horizonSeconds: 86_400, bytesPerSecond: 50e6 };
  const { gain, ...others } = worth(plan(1.5, 10e9), options);
  assert.equal(Math.round(gain), 86_400 * 0.45);
  assert.deepEqual(others, { cost: 500, seconds: 500, worth: true });
  assert.equal(worth(plan(1.06, 100e9), options).worth, false);
  assert.equal(worth(plan(1.04, 1), options).worth, false);
  assert.equal(worth({ ...plan(2, 1), moves: [] }, options).worth, false);
});

test('a gain that noise could undo is not worth a move, unless a limit is exceeded', () => {
  const clusters = ['a', 'b', 'c'].map((name) => ({
    name,
    before: { ...NO_LOAD, busy: 1.4 },
    after: { ...NO_LOAD, busy: 1.36 },
  }));
  const moves = [{ library: 'l', from: 'a', to: 'b', bytes: 1, reason: '', alternatives: [] }];
  const little: Plan = { moves, before: 1.4, after: 1.36, clusters, stays: [] };
  const options = { imbalance: 1.1, horizonSeconds: 86_400, bytesPerSecond: 50e6 };
  assert.equal(worth(little, options).worth, false);
  assert.equal(worth(little, { ...options, urgent: true }).worth, true);
});

test('where nothing is found again and again, more moves are tried, then another cluster is proposed', () => {
  assert.deepEqual([0, 3, 6].map(escalation), [
    { moves: 1, proposeScaleOut: false },
    { moves: 2, proposeScaleOut: false },
    { moves: 2, proposeScaleOut: true },
  ]);
});
