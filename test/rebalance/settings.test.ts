import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyRing, push } from '../../src/rebalance/observe/ring.ts';
import {
  boundsOf,
  callingLoad,
  horizonSeconds,
  placingLoad,
  thresholdsOf,
  windowSeconds,
} from '../../src/rebalance/settings.ts';

const NOW = Date.UTC(2026, 0, 15, 12);

test('a policy that says nothing has the defaults of its schema', () => {
  const limits = { busy: 0.7, memory: 0.8, disk: 0.8 };
  assert.deepEqual(thresholdsOf({}), { imbalance: 1.1, limits, p95Seconds: undefined });
  const { goal, ...others } = boundsOf({});
  assert.equal(goal.toFixed(9), '1.050000000');
  assert.deepEqual(others, { limits, maxMoves: 5, maxBytes: undefined, keepsSource: true });
  assert.deepEqual([windowSeconds({}), horizonSeconds({})], [3600, 86_400]);
});

test('what a policy says counts', () => {
  const spec = {
    thresholds: { imbalancePercent: 20, cpuPercent: 50, memoryPercent: 60, diskPercent: 70, p95Milliseconds: 250 },
    budget: { maxMoves: 3, maxBytes: 1000 },
    migration: { keepSourceHours: 0 },
    observe: { windowMinutes: 10 },
    forecast: { horizonHours: 48 },
  };
  const limits = { busy: 0.5, memory: 0.6, disk: 0.7 };
  assert.deepEqual(thresholdsOf(spec), { imbalance: 1.2, limits, p95Seconds: 0.25 });
  assert.deepEqual(boundsOf(spec), { limits, maxMoves: 3, maxBytes: 1000, keepsSource: false, goal: 1.1 });
  assert.deepEqual([windowSeconds(spec), horizonSeconds(spec)], [600, 172_800]);
});

test('a plan is called for by the last hour, and a library placed by the day', () => {
  let ring = emptyRing({ stepSeconds: 60, capacity: 1440 });
  for (let minute = 0; minute < 1440; minute += 1) ring = push(ring, minute * 60_000, minute < 1380 ? 100 : 10);
  const now = 1440 * 60_000;
  assert.equal(callingLoad(ring, {}, now), 10);
  assert.equal(placingLoad(ring, now), 100);
});

test('the load that places a library is that of the last day, whenever it is asked', () => {
  const step = 300_000;
  const start = Math.floor(NOW / step) * step;
  let ring = emptyRing({ stepSeconds: 300, capacity: 288 });
  for (let at = 0; at < 288; at += 1) ring = push(ring, start + at * step, at < 144 ? 100 : 1);
  const end = start + 288 * step;
  assert.equal(placingLoad(ring, end), 100);
  assert.equal(placingLoad(ring, end + 1000), 100, 'asked again');
  assert.equal(placingLoad(ring, end + 13 * 3_600_000), 1, 'what is older than a day counts no more');
});
