import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestOf, type Hit, placeOf, recallOf, shareOf } from '../../../sandbox/run/answers.ts';

const hit = (library: string, id: number, score: number): Hit => ({ library, id, score });

test('the best hits of all libraries come first, whatever library they are of', () => {
  const lists = [[hit('a', 1, 0.9), hit('a', 2, 0.1)], [], [hit('b', 1, 0.5)]];
  assert.deepEqual(bestOf(lists, 2), [hit('a', 1, 0.9), hit('b', 1, 0.5)]);
});

test('recall is the share of the best hits there are', () => {
  const exact = [hit('a', 1, 0.9), hit('b', 1, 0.8), hit('b', 2, 0.7), hit('a', 2, 0.6)];
  assert.equal(recallOf(exact, exact), 1);
  assert.equal(recallOf([hit('a', 1, 0.9), hit('b', 2, 0.7), hit('a', 3, 0.5), hit('a', 4, 0.4)], exact), 0.5);
  assert.equal(recallOf([], exact), 0);
});

test('a hit as near as the last of the best ones is as good, one that is told twice counts once', () => {
  const exact = [hit('a', 1, 0.9), hit('b', 1, 0.5)];
  assert.equal(recallOf([hit('a', 1, 0.9), hit('c', 7, 0.5 - 1e-7)], exact), 1);
  assert.equal(recallOf([hit('a', 1, 0.9), hit('a', 1, 0.9)], exact), 0.5);
});

test('where nothing is to be found nothing is missed, and more than there is counts no more than all', () => {
  assert.equal(recallOf([], []), 1);
  assert.equal(recallOf([hit('a', 1, 0.9), hit('a', 2, 0.9)], [hit('a', 1, 0.9)]), 1);
});

test('the place of a library is that of its first hit, from 1', () => {
  const hits = [hit('a', 1, 0.9), hit('b', 1, 0.8), hit('b', 2, 0.7)];
  assert.equal(placeOf(hits, 'b'), 2);
  assert.equal(placeOf(hits, 'c'), undefined);
});

test('a share is told in percent with its parts on average', () => {
  assert.equal(shareOf([1, 2, 3], 4), '50 % (2.0 of 4)');
  assert.equal(shareOf([], 4), 'none asked');
});
