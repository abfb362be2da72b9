import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unusedRules } from '../../e2e/access/compare.ts';
import { UseRecorder } from '../../e2e/access/uses.ts';
import { permissionText } from '../../src/kube/index.ts';
import { neededPermissions } from '../../src/roles.ts';
import { NAMESPACE, USER } from './world.ts';

const PLACES = { namespace: NAMESPACE, watchNamespace: undefined };

type Request = Parameters<UseRecorder['take']>[0];

/** What a recorder makes of requests of the operator in namespace `team`, each changed in what it is about. */
function uses(...requests: Partial<Request>[]) {
  const recorder = new UseRecorder(USER, neededPermissions(PLACES));
  const usual = { user: USER, verb: 'patch', resource: '/pods', namespace: 'team', name: 'desk-0', code: 200 };
  for (const request of requests) recorder.take({ ...usual, ...request });
  return recorder.seen;
}

test('a request uses the permission that covers it, wherever that is granted', () => {
  assert.deepEqual(uses({}), { used: ['patch pods'], unlisted: [] });
  const status = 'qdrant-librarian.io/qdrantclusters/status';
  assert.deepEqual(uses({ resource: status }).used, ['patch qdrantclusters.qdrant-librarian.io/status']);
});

test('an apply that made its object used create, too', () => {
  assert.deepEqual(uses({ resource: 'apps/statefulsets', code: 201 }).used, [
    'create statefulsets.apps',
    'patch statefulsets.apps',
  ]);
});

test('what no rule lists is told, also when another role allowed it', () => {
  assert.deepEqual(uses({ verb: 'get' }, { resource: '/nodes', namespace: '', verb: 'list', code: 403 }).unlisted, [
    'get pods in namespace team',
    'list nodes',
  ]);
});

test('a Lease of another name or namespace is not the one that is granted', () => {
  const lease = { resource: 'coordination.k8s.io/leases', verb: 'update', namespace: NAMESPACE };
  const text = `update leases.coordination.k8s.io qdrant-librarian in namespace ${NAMESPACE}`;
  assert.deepEqual(uses({ ...lease, name: 'qdrant-librarian' }), { used: [text], unlisted: [] });
  assert.equal(uses({ ...lease, name: 'other' }).used.length, 0);
  assert.equal(uses({ ...lease, name: 'qdrant-librarian', namespace: 'team' }).used.length, 0);
});

test('other users, paths that are no resource, and questions about permissions do not count', () => {
  const review = { resource: 'authorization.k8s.io/selfsubjectaccessreviews', verb: 'create', namespace: '' };
  assert.deepEqual(uses({ user: 'system:admin' }, { resource: '' }, review), { used: [], unlisted: [] });
});

test('sums without namespace and name count for each permission that may be meant', () => {
  const recorder = new UseRecorder(USER, neededPermissions(PLACES));
  recorder.take({ user: USER, verb: 'create', resource: 'coordination.k8s.io/leases', code: 201 });
  assert.deepEqual(recorder.seen.used, [`create leases.coordination.k8s.io in namespace ${NAMESPACE}`]);
});

test('every rule must be used unless the table says why not', () => {
  const all = neededPermissions(PLACES).map(permissionText);
  assert.deepEqual(unusedRules(all, PLACES), []);
  const without = all.filter(
    (text) => !/^(?:delete jobs|update domainlibraries.*finalizers|get configmaps)/.test(text),
  );
  assert.ok(without.length < all.length);
  assert.deepEqual(unusedRules(without, PLACES), ['library: delete jobs.batch', 'vectorize: delete jobs.batch']);
  assert.ok(unusedRules([], PLACES).includes('cluster: delete persistentvolumeclaims'));
});
