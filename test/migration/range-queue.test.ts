import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RangeQueue } from '../../src/migration/range-queue.ts';
import { RANGE_COUNT } from '../../src/migration/ranges.ts';

test('property: each range is handed out once, whatever the lanes do', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: RANGE_COUNT }), { maxLength: 50 }), (jumps) => {
      const queue = new RangeQueue();
      const seen = new Set<number>();
      let step = 0;
      for (let range = queue.claim(); range !== undefined; range = queue.claim(jumps[step] ?? range)) {
        assert.ok(!seen.has(range));
        seen.add(range);
        queue.finish(range);
        step += 1;
      }
      assert.equal(seen.size, RANGE_COUNT);
      assert.ok(queue.isDone);
    }),
    { numRuns: 20 },
  );
});

test('what was done and begun survives being written down', () => {
  const queue = new RangeQueue();
  for (const range of [0, 1, 2, 7]) queue.finish(range);
  queue.claimRange(3);
  queue.advance(3, 12n);
  queue.claimRange(1000);
  queue.advance(1000, '10000000-0000-4000-8000-000000000000');
  const progress = queue.progress();
  assert.deepEqual(progress, {
    done: ['0-2', '7'],
    cursors: { 3: 'i12', 1000: 'u10000000-0000-4000-8000-000000000000' },
  });
  const again = new RangeQueue(progress);
  assert.equal(again.claim(2), 3);
  assert.equal(again.cursor(3), 12);
  assert.equal(again.claim(3), 4);
  assert.equal(again.cursor(1000), '10000000-0000-4000-8000-000000000000');
});

test('large integer cursors keep all their digits', () => {
  const again = new RangeQueue({ done: [], cursors: { 9: 'i18446744073709551615', 8: 'nonsense' } });
  assert.equal(again.cursor(9), 18446744073709551615n);
  assert.equal(again.cursor(8), undefined);
});

test('only the ranges asked for are open', () => {
  const queue = new RangeQueue(undefined, [5, 9]);
  assert.deepEqual(new Set([queue.claim(), queue.claim()]), new Set([5, 9]));
  assert.equal(queue.claim(), undefined);
});

test('ranges known to be empty are done, claimed ones stay with their lane', () => {
  const queue = new RangeQueue();
  queue.claimRange(4);
  queue.finishEmpty(0, RANGE_COUNT);
  assert.equal(queue.isDone, false);
  queue.finish(4);
  assert.equal(queue.isDone, true);
});

test('a lane goes on right after its own range; another begins in the middle of what is left', () => {
  const queue = new RangeQueue();
  assert.equal(queue.claim(), 0);
  const second = queue.claim();
  assert.equal(second, 1 + ((RANGE_COUNT - 1) >> 1));
  assert.equal(queue.claim(0), 1);
  assert.equal(queue.claim(second), second === undefined ? undefined : second + 1);
});

test('a short run is left to the lane that is on its way to it, and to nobody else', () => {
  const queue = new RangeQueue(undefined, [10, 11, 12, 13]);
  assert.equal(queue.claim(), 10);
  assert.equal(queue.claim(), undefined);
  queue.finish(10);
  assert.equal(queue.claim(10), 11);
});

test('a run that no lane comes to is taken up, however short', () => {
  const queue = new RangeQueue(undefined, [10, 20]);
  assert.equal(queue.claim(), 10);
  assert.equal(queue.claim(), 20);
});
