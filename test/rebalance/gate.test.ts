import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { refusedStart, type StartSubject } from '../../src/rebalance/execution.ts';
import { type GateSubject, refusedByGate } from '../../src/rebalance/gate.ts';
import { makePlan } from '../../src/rebalance/plan/plan.ts';
import { anyProblem, library, lopsided, NOW } from './problems.ts';

const gate = (change: Partial<GateSubject> = {}): GateSubject => ({
  clusters: ['a', 'b'],
  libraries: [{ name: 'l', cluster: 'a' }],
  completeness: new Map([
    ['a', 1],
    ['b', 0.96],
  ]),
  windowSeconds: 3600,
  now: NOW,
  ...change,
});
const told = (change: Partial<GateSubject>): string[] => refusedByGate(gate(change)).map(({ reason }) => reason);

const move = (name: string, from: string, to: string) => ({ library: name, from, to, bytes: 1 });
const starts = (change: Partial<StartSubject> = {}): string[] =>
  refusedStart({
    move: move('l0', 'a', 'b'),
    running: [],
    world: lopsided(),
    planned: lopsided(),
    maxConcurrent: 2,
    ...change,
  }).map(({ reason }) => reason);

test('nothing stands against planning where two clusters and their load are known', () => {
  assert.deepEqual(refusedByGate(gate()), []);
});

test('a policy that selects nothing, or one cluster, plans nothing and says so', () => {
  assert.deepEqual(told({ clusters: [], libraries: [] }), [
    'no cluster takes part',
    'no library lives on a cluster that takes part',
  ]);
  assert.deepEqual(told({ clusters: ['a'] }), ['only a takes part: there is nowhere to go']);
  assert.deepEqual(told({ libraries: [{ name: 'l', cluster: 'elsewhere' }] }), [
    'no library lives on a cluster that takes part',
  ]);
});

test('nothing is planned from a window with holes', () => {
  assert.deepEqual(told({ completeness: new Map([['b', 1]]) }), [
    'of the load of a, 0 % of the window is known; it takes 95 %',
  ]);
});

test('nothing is planned until the last move shows in the window', () => {
  assert.deepEqual(told({ lastMoveEndedAt: NOW - 60_000 }), ['the last move ended 60 s ago; the window is 3600 s']);
  assert.deepEqual(told({ lastMoveEndedAt: NOW - 3_600_000 }), []);
});

test('a move begins where nothing stands against it', () => {
  assert.deepEqual(starts(), []);
});

test('of moves that run there are few, one out of and one into a cluster', () => {
  assert.deepEqual(starts({ maxConcurrent: 1, running: [move('l1', 'c', 'd')] }), ['1 moves run of 1']);
  assert.deepEqual(starts({ running: [move('l1', 'a', 'c')] }), ['another library leaves a']);
  assert.deepEqual(starts({ running: [move('l1', 'c', 'b')] }), ['another library arrives at b']);
  assert.deepEqual(starts({ maxConcurrent: 16, running: [move('l1', 'c', 'd'), move('l2', 'd', 'c')] }), [
    '2 moves run of 2',
  ]);
});

test('a library that is on its way, or elsewhere than the plan says, does not begin', () => {
  assert.deepEqual(starts({ running: [move('l0', 'c', 'd')] }), ['l0 is on its way']);
  assert.deepEqual(starts({ move: move('l0', 'c', 'b') }), ['l0 is on a, not on c']);
});

test('a target without room is named with what is full', () => {
  const full = lopsided({
    libraries: [library('l0', 'a'), ...Array.from({ length: 7 }, (_, index) => library(`f${index}`, 'b'))],
  });
  assert.deepEqual(starts({ world: full }), ['busy of b would pass 70 %']);
  assert.deepEqual(starts({ world: { ...lopsided(), clusters: [] } }), ['cluster b is gone']);
});

test('every move of a plan begins once those before it are done, in a world that has not changed', () => {
  fc.assert(
    fc.property(anyProblem, (problem) => {
      const planned = { ...problem, keepsSource: false };
      let world = planned;
      for (const move of makePlan(planned, { now: NOW, effort: 5000 }).moves) {
        assert.deepEqual(refusedStart({ move, running: [], world, planned, maxConcurrent: 1 }), []);
        const libraries = world.libraries.map((one) =>
          one.name === move.library ? { ...one, cluster: move.to } : one,
        );
        world = { ...world, libraries };
      }
    }),
    { numRuns: 40 },
  );
});
