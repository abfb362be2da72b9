import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RebalancePolicy } from '../src/api/index.ts';
import { unbuiltStatus } from '../src/unbuilt-kinds.ts';

const policy: RebalancePolicy = {
  apiVersion: 'qdrant-librarian.io/v1alpha1',
  kind: 'RebalancePolicy',
  metadata: { name: 'even', namespace: 'team-a', generation: 3 },
  spec: {},
};

test('an object of a kind that nothing acts on is Stalled and not Ready, and names its kind', () => {
  const status = unbuiltStatus(policy, '2026-01-02T03:04:05.000Z');
  assert.deepEqual(
    status.conditions?.map(({ type, status: value, reason }) => [type, value, reason]),
    [
      ['Ready', 'False', 'NotBuilt'],
      ['Stalled', 'True', 'NotBuilt'],
    ],
  );
  assert.match(status.conditions?.[0]?.message ?? '', /RebalancePolicy/);
  assert.equal(status.observedGeneration, 3);
});

test('a second pass says the same, with the same transition times', () => {
  const first = unbuiltStatus(policy, '2026-01-02T03:04:05.000Z');
  assert.deepEqual(unbuiltStatus({ ...policy, status: first }, '2026-01-02T04:00:00.000Z'), first);
});
