import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imbalance } from '../../src/rebalance/imbalance.ts';
import { addLoads, type Load, mapLoad } from '../../src/rebalance/load.ts';
import { emptyRing, percentile, push, type Ring } from '../../src/rebalance/observe/ring.ts';
import { makePlan } from '../../src/rebalance/plan/plan.ts';
import type { LastMove, PlanLibrary, Problem } from '../../src/rebalance/plan/problem.ts';
import { type Alarm, closesAt, trigger } from '../../src/rebalance/trigger.ts';
import { worth } from '../../src/rebalance/worth.ts';
import { randomNumbers } from '../../src/vectors/index.ts';
import { cluster, NOW } from './problems.ts';

const STEP_SECONDS = 300;
const DAY = 24 * 3600;
const DAYS = 7;
const NOISE = 0.2;
const THRESHOLDS = { imbalance: 1.1, limits: { busy: 0.7, memory: 0.8, disk: 0.8 } };
const GIGABYTE = 1024 ** 3;
const BYTES_PER_SECOND = 50e6;
const NAMES = ['a', 'b', 'c', 'd'];

type Library = {
  readonly name: string;
  cluster: string;
  /** Requests a second at noon of its own day. */
  readonly rate: number;
  readonly phase: number;
  readonly bytes: number;
  rates: Ring;
  lastMove: LastMove | undefined;
  readonly visited: string[];
};

/** Twenty libraries on four clusters, most on the first; each has its own time of day. */
function start(random: () => number): Library[] {
  return Array.from({ length: 20 }, (_, index) => {
    const on = NAMES[Math.floor(random() ** 2 * NAMES.length)] ?? 'a';
    return {
      name: `l${index}`,
      cluster: on,
      rate: 5 + 60 * random() ** 3,
      phase: random(),
      bytes: (1 + 9 * random()) * GIGABYTE,
      rates: emptyRing({ stepSeconds: STEP_SECONDS, capacity: DAY / STEP_SECONDS }),
      lastMove: undefined,
      visited: [on],
    };
  });
}

const loadOf = (library: Library, rate: number): Load => ({
  requests: rate,
  busy: rate * 0.004,
  memory: library.bytes / 10,
  disk: library.bytes,
  points: library.bytes / 2000,
});

function problemOf(libraries: readonly Library[], now: number): Problem {
  const clusters = NAMES.map((name) => cluster(name));
  const planned = libraries.map((library): PlanLibrary => {
    // Sized by a whole day, so that nobody is moved for the hour in which others sleep.
    const rate = percentile(library.rates, 0.95, { now, seconds: DAY }) ?? 0;
    const { name, cluster: on, bytes, lastMove } = library;
    return { name, cluster: on, bytes, lastMove, pinned: false, busy: false, load: loadOf(library, rate) };
  });
  const goal = closesAt(THRESHOLDS.imbalance);
  return { clusters, libraries: planned, limits: THRESHOLDS.limits, maxMoves: 5, keepsSource: false, goal };
}

const hourly = (libraries: readonly Library[], now: number) =>
  imbalance(
    NAMES.map((name) => {
      const here = libraries.filter((one) => one.cluster === name);
      const loads = here.map((one) => loadOf(one, percentile(one.rates, 0.75, { now, seconds: 3600 }) ?? 0));
      return { name, capacity: cluster(name).capacity, load: addLoads([mapLoad(() => 0), ...loads]) };
    }),
  );

type Replayed = { moves: number; oscillations: number; called: number; before: number; after: number };

/** A week in which every plan that is worth it is executed at once. */
function replay(seed: number): Replayed {
  const random = randomNumbers(seed);
  const libraries = start(random);
  const told: Replayed = { moves: 0, oscillations: 0, called: 0, before: 0, after: 0 };
  let alarms: readonly Alarm[] = [];
  let quietUntil = NOW + DAY * 1000;
  for (let step = 0; step < (DAYS * DAY) / STEP_SECONDS; step += 1) {
    const now = NOW + step * STEP_SECONDS * 1000;
    for (const library of libraries) {
      const season = 1 + 0.6 * Math.sin(2 * Math.PI * ((step * STEP_SECONDS) / DAY + library.phase));
      const rate = library.rate * season * (1 + NOISE * (2 * random() - 1));
      library.rates = push(library.rates, now, rate);
    }
    const observed = { clusters: hourly(libraries, now), p95Seconds: new Map(), crossings: [] };
    const next = trigger(alarms, observed, { thresholds: THRESHOLDS, now });
    alarms = next.alarms;
    if (next.reasons.length === 0 || now < quietUntil) continue;
    told.called += 1;
    quietUntil = now + execute(libraries, now, told);
  }
  return told;
}

/** @returns milliseconds for which nothing more is planned: until the load of an hour shows what has changed */
function execute(libraries: readonly Library[], now: number, told: Replayed): number {
  const plan = makePlan(problemOf(libraries, now), { now, effort: 30_000 });
  if (told.before === 0) told.before = plan.before;
  told.after = plan.after;
  const options = { imbalance: THRESHOLDS.imbalance, horizonSeconds: DAY, bytesPerSecond: BYTES_PER_SECOND };
  const verdict = worth(plan, options);
  if (!verdict.worth) return 4 * 3_600_000;
  const endedAt = now + verdict.seconds * 1000;
  for (const { library: name, from, to } of plan.moves) {
    const library = libraries.find((one) => one.name === name);
    if (library === undefined) continue;
    told.moves += 1;
    told.oscillations += Number(library.visited.includes(to));
    library.visited.push(to);
    library.cluster = to;
    library.lastMove = { from, endedAt, seconds: verdict.seconds / plan.moves.length };
  }
  return verdict.seconds * 1000 + 3_600_000;
}

test('in a week of days and nights with 20 % noise no library goes back to where it was', (t) => {
  for (const seed of [1, 2, 3]) {
    const { moves, oscillations, called, before, after } = replay(seed);
    t.diagnostic(
      `seed ${seed}: ${moves} moves, ${oscillations} back, ${called} times called for, ${before.toFixed(2)} to ${after.toFixed(2)} of the mean`,
    );
    assert.equal(oscillations, 0);
    assert.ok(moves > 0 && moves <= 20, `${moves} moves`);
    assert.ok(after < before);
  }
});
