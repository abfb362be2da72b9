import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setInterval as every } from 'node:timers/promises';
import { fleet } from '../../bench/plan/fleet.ts';
import { threads } from '../../src/rebalance/act/workings.ts';
import { look, type SeriesAhead } from '../../src/rebalance/outlook.ts';
import { makePlan } from '../../src/rebalance/plan/plan.ts';
import { NOW } from './problems.ts';

/** Longest time in which the event loop did nothing else, in milliseconds, while the work was done. */
async function longestPause(work: Promise<unknown>): Promise<number> {
  const ending = new AbortController();
  let [longest, last] = [0, performance.now()];
  const ticking = (async () => {
    for await (const _ of every(5, undefined, { signal: ending.signal })) {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
  })().catch(() => undefined);
  await work;
  ending.abort();
  await ticking;
  return longest;
}

const problem = { ...fleet({ libraries: 100, clusters: 10, maxMoves: 15 }, 7), goal: 1 };

test('a plan is worked out beside the event loop, and is the same plan', async (t) => {
  const signal = AbortSignal.timeout(60_000);
  const began = performance.now();
  const work = threads.plan(problem, NOW, signal);
  const pause = await longestPause(work);
  const plan = await work;
  const took = performance.now() - began;
  t.diagnostic(`planned in ${took.toFixed(0)} ms, the event loop paused for ${pause.toFixed(0)} ms at most`);
  assert.deepEqual(plan, makePlan(problem, { now: NOW }));
  assert.ok(pause < took / 2, `${pause.toFixed(0)} ms of ${took.toFixed(0)} ms`);
});

test('a thread ends with its pass', async () => {
  const ending = new AbortController();
  const work = threads.plan(problem, NOW, ending.signal);
  ending.abort(new Error('the pass is over'));
  await assert.rejects(work, /the pass is over/);
  await assert.rejects(threads.plan(problem, NOW, ending.signal), /the pass is over/);
});

test('what is foreseen in a thread is what is foreseen here; an error comes out of it', async () => {
  const values = Array.from({ length: 400 }, (_, at) => 0.3 + at / 2000);
  const series: SeriesAhead[] = [
    { cluster: 'a', dimension: 'memory', values, threshold: 0.8, method: 'Linear', steps: 288, endsAt: NOW },
  ];
  const signal = AbortSignal.timeout(60_000);
  assert.deepEqual(await threads.outlook(series, signal), look(series));
  await assert.rejects(threads.outlook(undefined as unknown as SeriesAhead[], signal), TypeError);
});
