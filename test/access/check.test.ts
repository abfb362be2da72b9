import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gives, missingFor } from '../../e2e/access/account-roles.ts';
import {
  AccessCheck,
  type AccessCheckOptions,
  CONFIG_MAPS,
  distinct,
  type KubeClient,
  type Permission,
  permissionsOf,
  permissionText,
  workerRules,
} from '../../src/kube/index.ts';
import { LIBRARY_RULES } from '../../src/library/index.ts';
import { neededPermissions, permissionsOfRole } from '../../src/roles.ts';
import { NAMESPACE, startWorld, USER, type World } from './world.ts';

const NEEDED = distinct(neededPermissions({ namespace: NAMESPACE, watchNamespace: undefined }));

let world: World;
let client: KubeClient;
before(async () => {
  world = await startWorld();
  client = world.client();
});
after(() => world.stop());
beforeEach(async () => {
  world.server.faults.clear();
  await world.roles.giveBack();
});

const look = (permissions: readonly Permission[] = NEEDED): Promise<string[]> => missingFor(client, permissions);

const takeAway = (wanted: Permission): Promise<void> => world.roles.takeAway((held) => gives(held, wanted));

const needed = (text: string): Permission =>
  NEEDED.find((permission) => permissionText(permission) === text) ?? assert.fail(text);

function check(options: Partial<AccessCheckOptions> = {}) {
  const own = world.client({ onForbidden: (error) => access.doubt(error) });
  const access = new AccessCheck({ client: own, permissions: NEEDED, retrySeconds: 0.02, ...options });
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = access.run(signal);
  return {
    access,
    client: own,
    signal,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await running;
    },
  };
}

test('the published roles grant all that is needed', async () => {
  assert.deepEqual(await look(), []);
});

test('whichever verb of whichever rule is taken away, the check names exactly that', async (context) => {
  for (const permission of NEEDED) {
    await takeAway(permission);
    assert.deepEqual(await look(), NEEDED.filter((other) => gives(other, permission)).map(permissionText));
    await world.roles.giveBack();
  }
  context.diagnostic(`${NEEDED.length} permissions, each taken away once`);
});

test('what two roles grant is missing when neither does', async () => {
  const secrets = NEEDED.filter(({ resource }) => resource === 'secrets').map(permissionText);
  assert.deepEqual(secrets, ['list secrets', 'watch secrets', 'create secrets', 'patch secrets']);
});

test('everywhere is more than one namespace: who watches all needs ClusterRoles', async () => {
  const watched = permissionsOfRole('library', { namespace: NAMESPACE, watchNamespace: 'team' });
  assert.deepEqual(await look(watched), [], 'ClusterRoles hold in each namespace');
  const elsewhere = NEEDED.filter(({ namespace }) => namespace === NAMESPACE).map((permission) => ({
    ...permission,
    namespace: 'team',
  }));
  assert.equal((await look(elsewhere)).includes('create leases.coordination.k8s.io in namespace team'), true);
});

test('the operator holds all that it hands on to workers: it could not grant more', () => {
  const held = permissionsOf(LIBRARY_RULES, '').map(permissionText);
  const handedOn = permissionsOf(workerRules('progress'), '').map((permission) =>
    permissionText({ ...permission, name: '' }),
  );
  assert.deepEqual(
    handedOn.filter((text) => !held.includes(text)),
    [],
  );
});

test('it goes on by itself once granted, and whoever waited for that permission goes on', async () => {
  await takeAway(needed('watch pods'));
  const changes: string[][] = [];
  await using running = check({ onChange: (missing) => changes.push(missing.map(permissionText)) });
  const { access, signal } = running;
  await access.whenGranted(({ resource }) => resource === 'secrets', signal);
  let waited = true;
  const granted = access
    .whenGranted(({ resource }) => resource === 'pods', signal)
    .then(() => {
      waited = false;
    });
  assert.equal(waited, true);
  await world.roles.giveBack();
  await granted;
  assert.deepEqual(changes, [['watch pods'], []]);
});

test('while nothing is missing nothing is asked; a refused request is reason to look again', async () => {
  const changes: string[][] = [];
  await using running = check({ onChange: (missing) => changes.push(missing.map(permissionText)) });
  const { access, client: own, signal } = running;
  await access.whenGranted(() => true, signal);
  await takeAway(needed('patch configmaps'));
  const key = { namespace: NAMESPACE, name: 'any' };
  await assert.rejects(own.patch(CONFIG_MAPS, key, {}, { type: 'merge' }), { status: 403 });
  while (access.missing?.length === 0) await sleep(5);
  assert.deepEqual(changes, [[], ['patch configmaps']]);
});

test('a server that does not answer is asked again, and nothing is said about permissions until it does', async () => {
  const ended = world.server.faults.fail({ user: USER, status: 500 });
  await using running = check();
  const { access, signal } = running;
  await access.whenGranted(() => false, AbortSignal.timeout(50));
  assert.equal(access.missing, undefined);
  ended();
  await access.whenGranted(() => true, signal);
  assert.deepEqual(access.missing, []);
});

test('what was answered is not asked again: a server that fails now and then does not keep the check from its end', async () => {
  world.server.faults.fail({ user: USER, status: 500, share: 0.3 });
  await using running = check();
  await running.access.whenGranted(() => true, running.signal);
  assert.deepEqual(running.access.missing, []);
});

test('where asking is not allowed, nothing is held back, and nothing is called granted', async () => {
  const ended = world.server.faults.fail({ user: USER, status: 403 });
  const changes: unknown[] = [];
  await using running = check({ onChange: (missing) => changes.push(missing) });
  await running.access.whenGranted(() => true, running.signal);
  assert.deepEqual(running.access.missing, []);
  assert.deepEqual(changes, []);
  ended();
});
