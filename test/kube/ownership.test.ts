import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addFinalizer,
  CONFIG_MAPS,
  type ConfigMap,
  controllerOf,
  hasFinalizer,
  isControlledBy,
  ownerReference,
  removeFinalizer,
  resourceType,
  specChanged,
  toController,
} from '../../src/kube/index.ts';
import { answer, failure, scriptedServer } from './scripted-server.ts';

const configMap = (metadata: Partial<ConfigMap['metadata']> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'ns', name: 'a', uid: 'u', resourceVersion: '7', ...metadata },
});
const target = (object: ConfigMap) => ({ type: CONFIG_MAPS, object });
const MINE = 'example.com/finalizer';

test('a first finalizer is added only to the version that was read', async () => {
  await using server = await scriptedServer((_request, response) => answer(response, 200, configMap()));
  await addFinalizer(server.client(), target(configMap()), MINE);
  assert.deepEqual(JSON.parse(server.requests[0]?.body ?? ''), [
    { op: 'test', path: '/metadata/resourceVersion', value: '7' },
    { op: 'add', path: '/metadata/finalizers', value: [MINE] },
  ]);
});

test('a further one is added only to the list that was read', async () => {
  await using server = await scriptedServer((_request, response) => answer(response, 200, configMap()));
  await addFinalizer(server.client(), target(configMap({ finalizers: ['other'] })), MINE);
  assert.deepEqual(JSON.parse(server.requests[0]?.body ?? ''), [
    { op: 'test', path: '/metadata/finalizers', value: ['other'] },
    { op: 'add', path: '/metadata/finalizers/-', value: MINE },
  ]);
});

test("removing takes away no one else's finalizer", async () => {
  await using server = await scriptedServer((_request, response) => answer(response, 200, configMap()));
  await removeFinalizer(server.client(), target(configMap({ finalizers: ['other', MINE] })), MINE);
  assert.deepEqual(JSON.parse(server.requests[0]?.body ?? ''), [
    { op: 'test', path: '/metadata/uid', value: 'u' },
    { op: 'test', path: '/metadata/finalizers/1', value: MINE },
    { op: 'remove', path: '/metadata/finalizers/1' },
  ]);
});

test('what is as wanted already is not written', async () => {
  await using server = await scriptedServer((_request, response) => answer(response, 200, configMap()));
  const object = configMap({ finalizers: [MINE] });
  assert.equal(hasFinalizer(object, MINE), true);
  assert.equal(await addFinalizer(server.client(), target(object), MINE), object);
  await removeFinalizer(server.client(), target(configMap()), MINE);
  assert.equal(server.requests.length, 0);
});

test('a lost race is a conflict, an object that is gone a success', async () => {
  let code = 422;
  await using server = await scriptedServer((_request, response) => answer(response, code, failure(code, 'Invalid')));
  const client = server.client({ maxRetries: 0 });
  const object = configMap({ finalizers: [MINE] });
  await assert.rejects(removeFinalizer(client, target(object), MINE), { status: 409, reason: 'Conflict' });
  code = 404;
  await removeFinalizer(client, target(object), MINE);
  code = 403;
  await assert.rejects(removeFinalizer(client, target(object), MINE), { status: 403 });
});

test('an owner is known by its uid, not by its name', () => {
  const owner = configMap({ name: 'owner', uid: 'o' });
  const child = configMap({ ownerReferences: [ownerReference(owner)] });
  assert.equal(controllerOf(child)?.name, 'owner');
  assert.equal(isControlledBy(child, owner), true);
  assert.equal(isControlledBy(child, configMap({ name: 'owner', uid: 'successor' })), false);
  assert.equal(isControlledBy(configMap(), owner), false);
});

test('an object that the server has not seen can own nothing', () => {
  const { uid: _, ...metadata } = configMap().metadata;
  assert.throws(() => ownerReference({ ...configMap(), metadata }), TypeError);
});

test('a child leads to its controller of the wanted kind, in any version of its group', () => {
  const widgets = resourceType({ group: 'example.com', version: 'v2', kind: 'Widget', plural: 'widgets' });
  const child = (apiVersion: string, kind: string) =>
    configMap({ ownerReferences: [{ apiVersion, kind, name: 'w', uid: 'x', controller: true }] });
  assert.deepEqual(toController(widgets)(child('example.com/v1', 'Widget')), [{ namespace: 'ns', name: 'w' }]);
  assert.deepEqual(toController(widgets)(child('other.com/v1', 'Widget')), []);
  assert.deepEqual(toController(widgets)(child('example.com/v1', 'Gadget')), []);
  assert.deepEqual(toController(widgets)(configMap()), []);
});

test('a change of the status alone does not count as a change of the spec', () => {
  const changed = (metadata: Partial<ConfigMap['metadata']>) =>
    specChanged({
      type: 'updated',
      initial: false,
      old: configMap({ generation: 1, labels: { a: 'b' } }),
      object: configMap({ generation: 1, labels: { a: 'b' }, resourceVersion: '8', ...metadata }),
    });
  assert.equal(changed({}), false);
  assert.equal(changed({ generation: 2 }), true);
  assert.equal(changed({ labels: { a: 'c' } }), true);
  assert.equal(changed({ annotations: { verb: '1' } }), true);
  assert.equal(changed({ deletionTimestamp: '2026-01-01T00:00:00Z' }), true);
  assert.equal(changed({ finalizers: ['x'] }), true);
  assert.equal(specChanged({ type: 'deleted', initial: false, object: configMap() }), true);
  const update = { type: 'updated', initial: false, old: configMap(), object: configMap() } as const;
  assert.equal(specChanged(update), true, 'kinds without a generation');
});
