import assert from 'node:assert/strict';
import { LEASES, type Permission, PODS, permissionsOf, permissionText } from '../../src/kube/index.ts';
import { permissionsOfRole, ROLES, type RoleName } from '../../src/roles.ts';
import { AccountRoles, missingFor } from '../access/account-roles.ts';
import { OperatorSays } from '../access/operator-says.ts';
import { rehearsal } from '../access/rehearsal.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

/** As in production: that the operator does not end is what is looked at, so a busy machine must not end it. */
const LEASE = {
  QDRANT_LIBRARIAN_LEASE_SECONDS: '15',
  QDRANT_LIBRARIAN_RENEW_SECONDS: '10',
  QDRANT_LIBRARIAN_RETRY_SECONDS: '1',
};

const scenario = await scenarios({ operator: LEASE });

const accountOf = ({ ground: { operator } }: Stage) => {
  const [, , namespace = '', name = ''] = operator.user.split(':');
  return { namespace, name };
};

/** The roles of the operator; whole again at the end, whatever happens. */
async function rolesOf(stage: Stage): Promise<AccountRoles> {
  const roles = await AccountRoles.of(stage.admin, accountOf(stage));
  stage.defer(() => roles.giveBack());
  return roles;
}

const are =
  (...texts: readonly string[]) =>
  (held: Permission): boolean =>
    texts.includes(permissionText(held));

async function libraryOnDesk(stage: Stage): Promise<void> {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.createLibrary('docs', 'desk', { shards: { number: 1 } });
  await stage.libraryReady('docs', 1);
}

scenario(
  'permissions are taken away from the running operator: it names them, loses nothing, and goes on once they are granted',
  async (stage) => {
    await libraryOnDesk(stage);
    const load = await stage.load('docs');
    const says = new OperatorSays(stage.ground);
    const before = await says.restarts();
    const roles = await rolesOf(stage);
    const lost = ['patch statefulsets.apps', 'create jobs.batch'];
    await roles.takeAway(are(...lost));
    await stage.scale('desk', 2);
    await stage.changeLibrary('docs', { spec: { shards: { number: 2 } } });

    for (const text of lost) await says.missing(text);
    await stage.clusterSays('desk', 'Ready', { status: 'False' });
    assert.equal((await stage.library('docs')).status?.generation, 1, 'the old generation serves');
    const { written } = load.report;
    await eventually('the application goes on', () => load.report.written > written + 20);

    await roles.giveBack();
    await stage.clusterReady('desk', 2);
    await stage.libraryReady('docs', 2);
    await says.nothingMissing();
    await load.nothingLostAndNothingFailed();
    assert.equal(await says.restarts(), before, 'the operator did not end');
  },
);

scenario(
  'an operator starts without the permission to read: it waits without ending, says for what, and begins once it may',
  async (stage) => {
    const says = new OperatorSays(stage.ground);
    const roles = await rolesOf(stage);
    await roles.takeAway(are('list secrets', 'watch secrets'));
    for (const { metadata } of await stage.operator.pods()) {
      await stage.admin.delete(PODS, { namespace: stage.ground.operator.namespace, name: metadata.name });
    }
    await says.missing('list secrets');
    await says.missing('watch secrets');
    await stage.createCluster('desk', { size: 1 });
    await eventually('the new operator does not count as ready', async () => {
      const pods = await stage.operator.pods();
      return pods.length > 0 && pods.every(({ status }) => status?.conditions?.some(isNotReady) === true);
    });
    assert.equal((await stage.cluster('desk')).status, undefined, 'nothing was begun');

    await roles.giveBack();
    await stage.clusterReady('desk', 1);
    await says.nothingMissing();
    assert.equal(await says.restarts(), 0);

    await stage.admin.delete(LEASES, { namespace: stage.ground.operator.namespace, name: 'qdrant-librarian' });
    await stage.operator.leader();
  },
);

const isNotReady = ({ type, status }: { type: string; status: string }): boolean =>
  type === 'Ready' && status !== 'True';

scenario(
  'whichever rule is taken from an account with these roles, the check names all of it and nothing else',
  async (stage) => {
    const places = { namespace: stage.namespace, watchNamespace: undefined };
    const { roles, client } = await rehearsal(stage);
    const all = (Object.keys(ROLES) as RoleName[]).flatMap((role) => permissionsOfRole(role, places));
    const missing = () => missingFor(client, all);
    await eventually('all is granted', async () => (await missing()).length === 0);
    for (const role of Object.values(ROLES)) {
      for (const rule of role.rules) {
        const lost = permissionsOf([rule], '').map(anywhere);
        await roles.takeAway((held) => lost.includes(anywhere(held)));
        const named = [...new Set(all.filter((one) => lost.includes(anywhere(one))).map(permissionText))];
        await eventually(`missing: ${named.join(', ')}`, async () => {
          assert.deepEqual((await missing()).toSorted(), named.toSorted());
          return true;
        });
        await roles.giveBack();
      }
    }
  },
);

const anywhere = (permission: Permission): string => permissionText({ ...permission, namespace: '' });
