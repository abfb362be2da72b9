import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRetryAfter, waitBefore } from '../../src/http/index.ts';

test('Retry-After may be seconds or a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(parseRetryAfter('60', now), 60);
  assert.equal(parseRetryAfter('1.5', now), 1.5);
  assert.equal(parseRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now), 30);
  assert.equal(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now), 0);
  assert.equal(parseRetryAfter('soon', now), undefined);
  assert.equal(parseRetryAfter(undefined, now), undefined);
});

test('waits stay between what the server asks and the ceiling of their round', () => {
  const options = { attempts: 9, baseMilliseconds: 100, capMilliseconds: 5000, maxRetryAfterSeconds: 10 };
  fc.assert(
    fc.property(fc.nat(40), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(20), (round, random, asked) => {
      const wait = waitBefore(round, { retryAfterSeconds: asked }, { ...options, random: () => random });
      if (asked > 10) return assert.equal(wait, 'giveUp');
      assert.ok(wait !== 'giveUp' && wait.milliseconds >= asked * 1000);
      assert.ok(wait.milliseconds <= asked * 1000 + Math.min(5000, 100 * 2 ** round));
    }),
  );
});
