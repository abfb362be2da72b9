import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inLanes } from '../../src/migration/lanes.ts';

test('when one lane fails the others are stopped, and what they write is waited for', async () => {
  let next = 0;
  let written = false;
  const running = inLanes({ lanes: 3, signal: new AbortController().signal }, async ({ signal }) => {
    next += 1;
    if (next === 1) {
      await sleep(20);
      throw new Error('the first one fails');
    }
    while (!signal.aborted) await sleep(5);
    // A write that is on its way.
    await sleep(50);
    written = true;
    throw new Error('stopped');
  });
  await assert.rejects(running, /the first one fails/);
  assert.equal(written, true);
});

test('the signal of the caller stops every lane', async () => {
  const stop = new AbortController();
  const running = inLanes({ lanes: 2, signal: stop.signal }, async ({ signal }) => {
    await sleep(60_000, undefined, { signal });
  });
  stop.abort(new Error('told to stop'));
  await assert.rejects(running, { name: 'AbortError' });
});
