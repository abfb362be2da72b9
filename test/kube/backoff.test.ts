import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffDelay, CALM, streamFailed } from '../../src/kube/backoff.ts';
import { systemClock } from '../../src/kube/index.ts';
import { Limiter } from '../../src/kube/limiter.ts';
import { RateBounds } from '../../src/kube/rate-bounds.ts';
import { retryDelay } from '../../src/kube/retry.ts';

const none = (): number => 0;

test('a stream that fails again and again waits 0.8 s, doubling to 30 s', () => {
  let state = CALM;
  let now = 0;
  const delays = Array.from({ length: 8 }, () => {
    const { after, delay } = streamFailed(state, now, none);
    state = after;
    now += delay;
    return delay;
  });
  assert.deepEqual(delays, [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
});

test('two minutes without a failure make it as new, less do not', () => {
  const { after } = streamFailed({ failures: 5, resumedAt: 0 }, 119_999, none);
  assert.equal(after.failures, 6);
  assert.equal(streamFailed({ failures: 5, resumedAt: 0 }, 120_000, none).delay, 800);
});

test('a delay lies between its floor and the ceiling with jitter, and never shrinks with more failures', () => {
  const options = { baseMilliseconds: 5, maxMilliseconds: 1000, jitter: 0.25 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const delay = backoffDelay(failures, { ...options, random: () => random });
      assert.ok(delay >= 5 && delay <= 1250);
      assert.ok(
        backoffDelay(failures + 1, { ...options, random: none }) >=
          backoffDelay(failures, { ...options, random: none }),
      );
    }),
  );
});

test('what only the caller can mend is not repeated', () => {
  for (const status of [400, 401, 403, 404, 409, 410, 422, 501]) {
    const request = { repeatable: 'always', attempt: 1, random: none } as const;
    assert.equal(retryDelay({ status, retryAfterSeconds: 1 }, request), undefined, String(status));
  }
});

test('who waits for a place may leave the queue, and the others move up', async () => {
  const limiter = new Limiter(1);
  const release = await limiter.acquire();
  const stop = new AbortController();
  const leaving = limiter.acquire(stop.signal);
  const staying = limiter.acquire();
  stop.abort(new Error('enough'));
  await assert.rejects(leaving, /enough/);
  release();
  release();
  (await staying)();
  const [first] = await Promise.all([limiter.acquire()]);
  first();
});

test('events of objects long silent are not remembered', () => {
  const bounds = new RateBounds();
  bounds.take('a', 0);
  bounds.take('b', 8_000_000);
  assert.equal(bounds.size, 1);
});

test('a sleep ends with the reason of its signal', async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(60_000, stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(sleeping, /enough/);
});
