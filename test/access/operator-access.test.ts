import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gives } from '../../e2e/access/account-roles.ts';
import { OperatorAccess } from '../../src/access.ts';
import { distinct, EVENTS, type KubeEvent, type Permission, permissionText } from '../../src/kube/index.ts';
import { neededPermissions } from '../../src/roles.ts';
import { createLogger, createRegistry } from '../../src/telemetry/index.ts';
import { NAMESPACE, startWorld, type World } from './world.ts';

const SETTINGS = {
  namespace: NAMESPACE,
  watchNamespace: undefined,
  identity: 'operator-0',
  pod: { name: 'operator-0', uid: 'uid-of-operator-0' },
};

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.stop());
beforeEach(() => world.roles.giveBack());

type Line = { readonly level: string; readonly msg: string; readonly missing?: string[]; readonly roles?: string[] };

async function operator(settings: typeof SETTINGS = SETTINGS) {
  const lines: Line[] = [];
  const log = createLogger('info', { write: (text: string) => void lines.push(JSON.parse(text) as Line) });
  const metrics = createRegistry('0');
  const access = new OperatorAccess({ client: world.client(), settings, log, metrics, retrySeconds: 0.02 });
  const stopping = new AbortController();
  const running = access.run(stopping.signal);
  while (access.problem() === 'not asked yet') await sleep(2);
  return {
    access,
    signal: stopping.signal,
    said: (msg: RegExp) => lines.filter((line) => msg.test(line.msg)),
    metric: async () =>
      (await metrics.metrics()).split('\n').filter((line) => line.startsWith('qdrant_librarian_permission_missing')),
    events: async (): Promise<KubeEvent[]> => (await world.admin.listAll(EVENTS)).filter(({ note }) => note !== ''),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await running;
    },
  };
}

const needed = (text: string): Permission =>
  distinct(neededPermissions(SETTINGS)).find((permission) => permissionText(permission) === text) ?? assert.fail(text);
const takeAway = (...texts: string[]): Promise<void> =>
  world.roles.takeAway((held) => texts.some((text) => gives(held, needed(text))));
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(2);
};

test('all granted: ready, one line in the log, no metric, no event', async () => {
  await using process = await operator();
  assert.equal(process.access.problem(), undefined);
  assert.equal(process.said(/all permissions are granted/).length, 1);
  assert.deepEqual(await process.metric(), []);
  assert.deepEqual(await process.events(), []);
});

test('what is missing is named in the log with its roles, at /readyz, in the metric, and on the own pod', async () => {
  await takeAway('patch statefulsets.apps', 'watch secrets');
  await using process = await operator();
  const missing = ['patch statefulsets.apps', 'watch secrets'];
  assert.equal(process.access.problem(), `missing: ${missing.join(', ')}`);
  const [line] = process.said(/permissions are missing/);
  assert.deepEqual(
    [line?.level, line?.missing, line?.roles],
    ['error', missing, ['cluster', 'library', 'rebalance', 'vectorize']],
  );
  assert.deepEqual(await process.metric(), [
    'qdrant_librarian_permission_missing{verb="patch",namespace="",resource="apps/statefulsets"} 1',
    'qdrant_librarian_permission_missing{verb="watch",namespace="",resource="secrets"} 1',
  ]);
  await until(async () => (await process.events()).length > 0);
  const [event] = await process.events();
  assert.deepEqual([event?.reason, event?.type, event?.note], ['PermissionsMissing', 'Warning', missing.join(', ')]);
  const { kind, name, namespace, uid } = event?.regarding ?? {};
  assert.deepEqual([kind, name, namespace, uid], ['Pod', 'operator-0', NAMESPACE, 'uid-of-operator-0']);

  let granted = 0;
  process.access.onGranted(() => {
    granted += 1;
  });
  await world.roles.giveBack();
  await until(() => process.access.problem() === undefined);
  // Two roles are given back one after the other, and a look may fall between.
  assert.ok(granted === 1 || granted === 2, `told of the grant ${granted} times`);
  assert.deepEqual(await process.metric(), []);
  await until(async () => (await process.events()).some(({ reason }) => reason === 'PermissionsGranted'));
});

test('a controller waits for what it reads, and for nothing else', async () => {
  await takeAway('list jobs.batch', 'create events.events.k8s.io');
  await using process = await operator();
  await process.access.whenReadable('cluster', process.signal);
  let readable = false;
  const waiting = process.access.whenReadable('library', process.signal).then(() => {
    readable = true;
  });
  await sleep(50);
  assert.equal(readable, false);
  await world.roles.giveBack();
  await waiting;
});

test('without permission to write events the log and the metric still tell', async () => {
  await takeAway('create events.events.k8s.io in namespace qdrant-librarian-system');
  await using process = await operator();
  const all = ['create events.events.k8s.io', 'create events.events.k8s.io in namespace qdrant-librarian-system'];
  assert.deepEqual(process.said(/permissions are missing/)[0]?.missing, all);
  await until(() => process.said(/event not written/).length > 0);
});
