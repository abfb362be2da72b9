import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextRestart, RESTED, restarts } from '../../../sandbox/node/backoff.ts';

const limits = { baseMilliseconds: 100, maximumMilliseconds: 1000, resetAfterMilliseconds: 5000 };

test('the first restart is immediate, then delays double up to the maximum', () => {
  const delays: number[] = [];
  let state = RESTED;
  for (let restart = 0; restart < 7; restart += 1) {
    const next = nextRestart(state, 10, limits);
    delays.push(next.delayMilliseconds);
    state = next.state;
  }
  assert.deepEqual(delays, [0, 100, 200, 400, 800, 1000, 1000]);
});

test('a container that ran long enough starts again at once', () => {
  assert.equal(nextRestart({ failures: 6 }, 5000, limits).delayMilliseconds, 0);
});

test('the restart policy decides by the exit code', () => {
  assert.deepEqual([restarts('Always', 0), restarts(undefined, 1)], [true, true]);
  assert.deepEqual([restarts('OnFailure', 0), restarts('OnFailure', 1)], [false, true]);
  assert.deepEqual([restarts('Never', 0), restarts('Never', 1)], [false, false]);
});
