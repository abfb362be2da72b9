import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide, type StatefulSetStep, statusOf } from '../../../sandbox/controllers/statefulset/decide.ts';
import {
  claimObjects,
  claimOwners,
  podObject,
  revisionName,
} from '../../../sandbox/controllers/statefulset/objects.ts';
import { ordinalOf, wantedOrdinals } from '../../../sandbox/controllers/statefulset/ordinals.ts';
import type { Pod, StatefulSet } from '../../../src/kube/index.ts';
import { now, podOf, setOf } from './objects.ts';

const stepsOf = (set: StatefulSet, pods: Pod[], updateRevision = 'r1'): string[] =>
  decide({ set, pods, currentRevision: 'r1', updateRevision, now }).map(textOf);
const textOf = (step: StatefulSetStep): string =>
  step.kind === 'createPod' ? `create ${step.ordinal} ${step.revision}` : `delete ${step.pod.metadata.name}`;

const web = (ordinal: number, change: Partial<Parameters<typeof podOf>[0]> = {}): Pod =>
  podOf({ name: `web-${ordinal}`, ...change });
const parallel = { podManagementPolicy: 'Parallel' };
const onDelete = { updateStrategy: { type: 'OnDelete' } };

test('a parallel set creates everything at once', () => {
  assert.deepEqual(stepsOf(setOf(parallel), []), ['create 0 r1', 'create 1 r1', 'create 2 r1']);
});

test('an ordered set creates the lowest missing ordinal, after those below are ready', () => {
  assert.deepEqual(stepsOf(setOf(), []), ['create 0 r1']);
  assert.deepEqual(stepsOf(setOf(), [web(0, { ready: false })]), []);
  assert.deepEqual(stepsOf(setOf(), [web(0), web(2)]), ['create 1 r1']);
});

test('the highest ordinals go first, one at a time where order matters', () => {
  const pods = [0, 1, 2].map((ordinal) => web(ordinal));
  assert.deepEqual(stepsOf(setOf({ replicas: 1, ...parallel }), pods), ['delete web-2', 'delete web-1']);
  assert.deepEqual(stepsOf(setOf({ replicas: 1 }), pods), ['delete web-2']);
  assert.deepEqual(stepsOf(setOf({ replicas: 1 }), [web(0), web(1), web(2, { terminating: true })]), []);
});

test('a pod that ended is replaced', () => {
  assert.deepEqual(stepsOf(setOf(parallel), [web(0), web(1, { phase: 'Failed' }), web(2)]), ['delete web-1']);
});

test('an ordinal whose pod is being deleted waits for its name', () => {
  assert.deepEqual(stepsOf(setOf(parallel), [web(0), web(1, { terminating: true }), web(2)]), []);
});

test('a rolling update goes from the highest ordinal down, one unready pod at most', () => {
  const old = [0, 1, 2].map((ordinal) => web(ordinal));
  assert.deepEqual(stepsOf(setOf(), old, 'r2'), ['delete web-2']);
  assert.deepEqual(stepsOf(setOf(), [web(0), web(1), web(2, { revision: 'r2', ready: false })], 'r2'), []);
  assert.deepEqual(stepsOf(setOf(), [web(0), web(1), web(2, { revision: 'r2' })], 'r2'), ['delete web-1']);
});

test('a rolling update stops at its partition, below which pods keep the old revision', () => {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } };
  const pods = [web(0), web(1), web(2, { revision: 'r2' })];
  assert.deepEqual(stepsOf(setOf({ updateStrategy }), pods, 'r2'), []);
  assert.deepEqual(stepsOf(setOf({ updateStrategy, ...parallel }), [], 'r2'), [
    'create 0 r1',
    'create 1 r1',
    'create 2 r2',
  ]);
});

test('an OnDelete set never deletes for an update, and gives new pods the new revision', () => {
  const set = setOf({ ...parallel, ...onDelete });
  assert.deepEqual(stepsOf(set, [web(0), web(1), web(2)], 'r2'), []);
  assert.deepEqual(stepsOf(set, [web(0), web(2)], 'r2'), ['create 1 r2']);
});

test('a set that is being deleted does nothing', () => {
  const set = setOf();
  set.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  assert.deepEqual(stepsOf(set, []), []);
});

test('ordinals begin where the set says', () => {
  assert.deepEqual(stepsOf(setOf({ ...parallel, replicas: 2, ordinals: { start: 5 } }), []), [
    'create 5 r1',
    'create 6 r1',
  ]);
});

test('a name with another prefix or with leading zeros is none of the set', () => {
  assert.equal(ordinalOf('web', 'web-12'), 12);
  assert.equal(ordinalOf('web', 'web-01'), undefined);
  assert.equal(ordinalOf('web', 'web-x-1'), undefined);
});

const pods = fc.uniqueArray(
  fc.record({
    ordinal: fc.nat({ max: 6 }),
    ready: fc.boolean(),
    terminating: fc.boolean(),
    phase: fc.constantFrom('Pending', 'Running', 'Failed'),
    revision: fc.constantFrom('r1', 'r2'),
  }),
  { selector: ({ ordinal }) => ordinal, maxLength: 7 },
);
const sets = fc.record({
  replicas: fc.nat({ max: 6 }),
  podManagementPolicy: fc.constantFrom('Parallel', 'OrderedReady'),
  updateStrategy: fc.constantFrom({ type: 'OnDelete' }, { type: 'RollingUpdate', rollingUpdate: { partition: 1 } }),
});

test('never two pods of one ordinal, never a pod the set does not want, never one deleted twice', () => {
  fc.assert(
    fc.property(sets, pods, (spec, members) => {
      const set = setOf(spec);
      const existing = members.map(({ ordinal, ...change }) => web(ordinal, change));
      const steps = decide({ set, pods: existing, currentRevision: 'r1', updateRevision: 'r2', now });
      const names = new Set(existing.map(({ metadata }) => metadata.name));
      const created = steps.flatMap((step) => (step.kind === 'createPod' ? [step.ordinal] : []));
      const deleted = steps.flatMap((step) => (step.kind === 'deletePod' ? [step.pod] : []));
      assert.equal(new Set(created).size, created.length);
      for (const ordinal of created) {
        assert.ok(!names.has(`web-${ordinal}`));
        assert.ok(wantedOrdinals(set).includes(ordinal));
      }
      assert.equal(new Set(deleted).size, deleted.length);
      for (const { metadata } of deleted) assert.equal(metadata.deletionTimestamp, undefined);
    }),
  );
});

test('what is scaled away goes from the highest ordinal down', () => {
  fc.assert(
    fc.property(sets, pods, (spec, members) => {
      const set = setOf(spec);
      const existing = members.map(({ ordinal, ...change }) => web(ordinal, change));
      const steps = decide({ set, pods: existing, currentRevision: 'r1', updateRevision: 'r2', now });
      const gone = steps.flatMap((step) =>
        step.kind === 'deletePod' && step.reason === 'scaled down'
          ? [ordinalOf('web', step.pod.metadata.name) ?? -1]
          : [],
      );
      assert.deepEqual(
        gone,
        gone.toSorted((one, other) => other - one),
      );
      const kept = members.filter(({ ordinal, terminating }) => !terminating && !gone.includes(ordinal));
      const surplus = kept.filter(({ ordinal }) => ordinal >= spec.replicas).map(({ ordinal }) => ordinal);
      for (const ordinal of gone) for (const left of surplus) assert.ok(ordinal > left);
    }),
  );
});

test('an ordered set takes at most one step at a time', () => {
  fc.assert(
    fc.property(sets, pods, (spec, members) => {
      const set = setOf({ ...spec, podManagementPolicy: 'OrderedReady' });
      const existing = members.map(({ ordinal, ...change }) => web(ordinal, change));
      const steps = decide({ set, pods: existing, currentRevision: 'r1', updateRevision: 'r2', now });
      assert.ok(steps.length <= 1);
    }),
  );
});

test('the status counts pods, and the new revision becomes current when all run it', () => {
  const view = { currentRevision: 'r1', updateRevision: 'r2', now };
  const half = statusOf({ ...view, set: setOf(), pods: [web(0), web(1, { revision: 'r2', ready: false })] });
  assert.deepEqual(
    [half.replicas, half.readyReplicas, half.updatedReplicas, half.currentReplicas, half.currentRevision],
    [2, 1, 1, 1, 'r1'],
  );
  const all = [0, 1, 2].map((ordinal) => web(ordinal, { revision: 'r2' }));
  assert.equal(statusOf({ ...view, set: setOf(), pods: all }).currentRevision, 'r2');
  assert.equal(statusOf({ ...view, set: setOf(onDelete), pods: all }).currentRevision, 'r1');
});

test('a pod counts as available after minReadySeconds', () => {
  const view = { currentRevision: 'r1', updateRevision: 'r1', now };
  const fresh = web(1, { readySince: '2026-01-01T00:00:55Z' });
  assert.equal(statusOf({ ...view, set: setOf({ minReadySeconds: 10 }), pods: [web(0), fresh] }).availableReplicas, 1);
});

const claimed = (policy?: { whenDeleted?: string; whenScaled?: string }): StatefulSet =>
  setOf({
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { resources: { requests: { storage: '1Gi' } } } }],
    ...(policy === undefined ? {} : { persistentVolumeClaimRetentionPolicy: policy }),
  });

test('a pod has its name as host name, its labels, and the claims of its ordinal', () => {
  const set = claimed();
  const pod = podObject(set, { ordinal: 1, revision: 'r1', template: set.spec?.template ?? {} });
  assert.deepEqual([pod.metadata.name, pod.spec?.hostname, pod.spec?.subdomain], ['web-1', 'web-1', 'web-headless']);
  assert.equal(pod.metadata.labels?.['statefulset.kubernetes.io/pod-name'], 'web-1');
  assert.deepEqual(pod.spec?.volumes, [{ name: 'data', persistentVolumeClaim: { claimName: 'data-web-1' } }]);
  assert.deepEqual(
    claimObjects(set, 1).map(({ metadata }) => metadata.name),
    ['data-web-1'],
  );
});

test('claims belong to the set, to the pod that is scaled away, or to nobody, by the retention policy', () => {
  const ownerOf = (
    policy: { whenDeleted?: string; whenScaled?: string } | undefined,
    condemned?: Pod,
  ): string | undefined => claimOwners(claimed(policy), condemned)[0]?.uid;
  const pod = web(2);
  assert.equal(ownerOf(undefined, pod), undefined);
  assert.equal(ownerOf({ whenDeleted: 'Delete' }), 'uid-set');
  assert.equal(ownerOf({ whenDeleted: 'Delete' }, pod), 'uid-set');
  assert.equal(ownerOf({ whenScaled: 'Delete' }), undefined);
  assert.equal(ownerOf({ whenScaled: 'Delete' }, pod), 'uid-web-2');
  assert.equal(ownerOf({ whenDeleted: 'Delete', whenScaled: 'Delete' }, pod), 'uid-web-2');
});

test('equal templates have equal revisions, whatever the order of their fields', () => {
  const one = setOf({ template: { metadata: { labels: { a: '1', b: '2' } } } });
  const other = setOf({ template: { metadata: { labels: { b: '2', a: '1' } } } });
  assert.equal(revisionName(one), revisionName(other));
  assert.notEqual(revisionName(one), revisionName(setOf()));
});
