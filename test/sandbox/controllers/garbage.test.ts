import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decide,
  FOREGROUND,
  ORPHAN,
  type Owner,
  type OwnerState,
} from '../../../sandbox/controllers/garbage/decide.ts';
import { OwnerGraph } from '../../../sandbox/controllers/garbage/graph.ts';
import { CONFIG_MAPS, type KubeObject, type OwnerReference } from '../../../src/kube/index.ts';

const reference = (uid: string, blockOwnerDeletion = true): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
  blockOwnerDeletion,
});
const objectOf = (uid: string, owners: readonly OwnerReference[] = [], finalizers: string[] = []): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: uid, namespace: 'team-a', uid, ownerReferences: [...owners], finalizers },
});
const deleting = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
});
const ownersOf = (...states: OwnerState[]): Owner[] =>
  states.map((state, index) => ({ reference: reference(`o${index}`), state }));
const object = objectOf('x');

test('an object whose owners are all gone is deleted', () => {
  const step = decide({ object, owners: ownersOf('gone', 'gone'), dependents: [] });
  assert.deepEqual(step, { kind: 'delete', propagationPolicy: 'Background' });
});

test('owners that are gone are taken out where others live', () => {
  const step = decide({ object, owners: ownersOf('living', 'gone'), dependents: [] });
  assert.deepEqual(step, { kind: 'setOwners', owners: [reference('o0')] });
});

test('an object that never had an owner stays', () => {
  assert.equal(decide({ object, owners: [], dependents: [objectOf('y', [reference('x')])] }), undefined);
});

test('a waiting owner takes its dependants along, those with dependants in the foreground too', () => {
  const alone = decide({ object, owners: ownersOf('waiting'), dependents: [] });
  assert.deepEqual(alone, { kind: 'delete', propagationPolicy: 'Background' });
  const parent = decide({ object, owners: ownersOf('waiting'), dependents: [objectOf('y', [reference('x')])] });
  assert.deepEqual(parent, { kind: 'delete', propagationPolicy: 'Foreground' });
});

test('foreground deletion ends when no dependant blocks it any more', () => {
  const owner = deleting(objectOf('x', [], [FOREGROUND]));
  assert.equal(decide({ object: owner, owners: [], dependents: [objectOf('y', [reference('x')])] }), undefined);
  const free = [objectOf('y', [reference('x', false)])];
  assert.deepEqual(decide({ object: owner, owners: [], dependents: free }), {
    kind: 'removeFinalizer',
    finalizer: FOREGROUND,
  });
});

test('orphans are let go before their owner', () => {
  const owner = deleting(objectOf('x', [], [ORPHAN]));
  const dependents = [objectOf('y', [reference('x')])];
  assert.equal(decide({ object: owner, owners: [], dependents })?.kind, 'orphanDependents');
  assert.deepEqual(decide({ object: owner, owners: [], dependents: [] }), {
    kind: 'removeFinalizer',
    finalizer: ORPHAN,
  });
});

test('an object with an owner that lives, or of which nothing sure is known, is never deleted', () => {
  const states = fc.array(fc.constantFrom<OwnerState>('living', 'waiting', 'gone', 'unknown'), { maxLength: 5 });
  fc.assert(
    fc.property(states, fc.boolean(), fc.boolean(), (list, isDeleting, hasDependents) => {
      const subject = isDeleting ? deleting(object) : object;
      const dependents = hasDependents ? [objectOf('y', [reference('x')])] : [];
      const step = decide({ object: subject, owners: ownersOf(...list), dependents });
      const kept = list.length === 0 || list.includes('living') || list.includes('unknown');
      if (kept) assert.notEqual(step?.kind, 'delete');
      else if (!isDeleting) assert.equal(step?.kind, 'delete');
    }),
  );
});

test('the graph knows dependants of owners it never saw, and forgets links that were taken out', () => {
  const graph = new OwnerGraph();
  graph.put(CONFIG_MAPS, objectOf('y', [reference('x')]));
  assert.deepEqual(
    graph.dependentsOf('x').map((node) => node.object.metadata.uid),
    ['y'],
  );
  graph.put(CONFIG_MAPS, objectOf('y'));
  assert.deepEqual(graph.dependentsOf('x'), []);
  graph.put(CONFIG_MAPS, objectOf('y', [reference('x')]));
  graph.remove('y');
  assert.deepEqual(graph.dependentsOf('x'), []);
});
