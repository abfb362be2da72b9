import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countResult, isReady, isStarted, type ProbeState, UNPROBED } from '../../../sandbox/node/probe-state.ts';

const limits = { successThreshold: 2, failureThreshold: 3 };
const after = (results: readonly boolean[]): ProbeState =>
  results.reduce((state, result) => countResult(state, result, limits), UNPROBED);

test('nothing is said before a threshold is reached', () => {
  assert.equal(after([true]).verdict, undefined);
  assert.equal(after([false, false]).verdict, undefined);
});

test('as many equal results as the threshold asks for make the verdict', () => {
  assert.equal(after([true, true]).verdict, true);
  assert.equal(after([false, false, false]).verdict, false);
});

test('one other result begins the count anew and leaves the verdict', () => {
  assert.equal(after([true, true, false, false, true, false, false]).verdict, true);
  assert.equal(after([true, true, false, false, false]).verdict, false);
});

test('the verdict is always the value of the last long enough run', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (results) => {
      let expected: boolean | undefined;
      let run = 0;
      results.forEach((result, index) => {
        run = index > 0 && results[index - 1] === result ? run + 1 : 1;
        if (run >= (result ? limits.successThreshold : limits.failureThreshold)) expected = result;
      });
      assert.equal(after(results).verdict, expected);
    }),
  );
});

test('a container is ready when it runs, has started and its readiness probe, if any, succeeds', () => {
  const none = { probed: false, verdict: undefined };
  const passed = { probed: true, verdict: true };
  const pending = { probed: true, verdict: undefined };
  assert.equal(isReady({ running: true, startup: none, readiness: none }), true);
  assert.equal(isReady({ running: true, startup: passed, readiness: pending }), false);
  assert.equal(isReady({ running: true, startup: pending, readiness: passed }), false);
  assert.equal(isReady({ running: false, startup: none, readiness: none }), false);
  assert.equal(isStarted({ running: true, startup: pending, readiness: none }), false);
});
