import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Drift, projection } from '../../src/cluster/drift.ts';
import type { KubeObject } from '../../src/kube/index.ts';

type Thing = KubeObject & { spec: Record<string, unknown> };
const thing = (spec: Record<string, unknown>, digest = 'd1'): Thing => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a', uid: 'u', annotations: { 'qdrant-librarian.io/desired-digest': digest } },
  spec,
});

test('defaults that the server filled in are no drift', () => {
  const wanted = thing({ ports: [{ port: 1 }] });
  const live = thing({ ports: [{ port: 1, protocol: 'TCP' }], type: 'ClusterIP' });
  assert.equal(new Drift().mustApply(wanted, live), false);
});

test('a value that somebody changed, a list that grew, a field that went: drift', () => {
  const wanted = thing({ replicas: 3, ports: [{ port: 1 }] });
  for (const spec of [
    { replicas: 2, ports: [{ port: 1 }] },
    { replicas: 3, ports: [{ port: 1 }, { port: 2 }] },
    { ports: [{ port: 1 }] },
  ]) {
    assert.equal(new Drift().mustApply(wanted, thing(spec)), true, JSON.stringify(spec));
  }
});

test('what is not there, and what was wanted otherwise before, is applied', () => {
  assert.equal(new Drift().mustApply(thing({}), undefined), true);
  assert.equal(new Drift().mustApply(thing({ a: 1 }, 'd2'), thing({ a: 1, b: 2 }, 'd1')), true);
});

test('a value that the server writes in another form is applied once, and repaired when it changes again', () => {
  const drift = new Drift();
  const wanted = thing({ cpu: '1000m' });
  const answer = thing({ cpu: '1' });
  assert.equal(drift.mustApply(wanted, answer), true);
  drift.applied(wanted, answer);
  assert.equal(drift.mustApply(wanted, answer), false);
  assert.equal(drift.mustApply(wanted, thing({ cpu: '2' })), true);
});

test('only what was set is looked at', () => {
  assert.deepEqual(projection({ a: 1, b: { c: 2, d: 3 } }, { b: { c: 9 } }), { b: { c: 2 } });
});
