import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictOf } from '../../../sandbox/load/verdict.ts';

/** Two written, one of them anew; one deleted. */
const acknowledged = new Map([
  [1, 0],
  [2, 5],
  [3, undefined],
]);

test('exactly what was acknowledged is there', () => {
  const found = new Map([
    [1, 0],
    [2, 5],
  ]);
  assert.deepEqual(verdictOf(acknowledged, found), { expected: 2, lost: [], undeleted: [], phantoms: [] });
});

test('absent and older than acknowledged is lost', () => {
  const found = new Map([[2, 0]]);
  assert.deepEqual(verdictOf(acknowledged, found).lost, [1, 2]);
});

test('what was deleted and is there again is told, as is what nobody wrote and a revision that nobody sent', () => {
  const found = new Map([
    [1, 1],
    [2, 5],
    [3, 0],
    [4, 0],
  ]);
  const { undeleted, phantoms } = verdictOf(acknowledged, found);
  assert.deepEqual({ undeleted, phantoms }, { undeleted: [3], phantoms: [1, 4] });
});
