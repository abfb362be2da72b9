import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '../../src/cluster/decide.ts';
import type { World } from '../../src/cluster/world.ts';
import { calm, clusterObject, pod, viewOf } from './builders.ts';

/** Of three peers that have been settled for ten seconds. */
function evictable(change: Partial<World> = {}): boolean {
  const { world, topology } = calm(change);
  return decide(world, topology).evictable;
}

const JUST_SETTLED = 98_000;

test('pods of a settled cluster may be evicted', () => {
  assert.equal(evictable(), true);
});

test('no pod may be evicted while something is unsettled, though the budget was open and all pods are Ready', () => {
  assert.equal(evictable({ settledSince: undefined, budgetOpen: true }), false);
});

test('no pod may be evicted while another is on its way out or not Ready, though all peers answer', () => {
  for (const change of [{ terminating: true }, { ready: false }]) {
    assert.equal(evictable({ pods: [pod(0), pod(1, change), pod(2)] }), false);
  }
});

test('a budget that was closed opens after the settling time, one that was not there, too (S4)', () => {
  for (const budgetOpen of [false, undefined]) {
    assert.equal(evictable({ settledSince: JUST_SETTLED, budgetOpen }), false);
    assert.equal(evictable({ settledSince: 95_000, budgetOpen }), true);
  }
});

test('an open budget stays open between looks that lie far apart, and when the operator begins anew', () => {
  assert.equal(evictable({ settledSince: JUST_SETTLED, budgetOpen: true }), true);
});

test('a cluster of one peer is never closed: its node could not be drained', () => {
  const one = { cluster: clusterObject({ spec: { size: 1 } }), view: viewOf({ peers: [1] }), pods: [pod(0)] };
  assert.equal(evictable({ ...one, settledSince: undefined }), true);
});

test('who switches the predicate `settled` off may drain at any time', () => {
  for (const name of ['settled', '*']) {
    assert.equal(evictable({ settledSince: undefined, disabled: new Set([name]) }), true);
  }
});
