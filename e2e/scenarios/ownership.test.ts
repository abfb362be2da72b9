import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLUSTERS, LIBRARIES } from '../../sandbox/run/wait.ts';
import {
  CONFIG_MAPS,
  controllerOf,
  type KubeObject,
  NETWORK_POLICIES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type ResourceType,
  SECRETS,
  SERVICES,
  STATEFUL_SETS,
} from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios();

const LONGER_THAN_A_RESYNC = 3000;

const MADE = [STATEFUL_SETS, SERVICES, CONFIG_MAPS, SECRETS, POD_DISRUPTION_BUDGETS, NETWORK_POLICIES];

/** Everything in the namespace that the operator made: what Kubernetes puts into each namespace aside. */
async function made({ admin, namespace }: Stage): Promise<KubeObject[]> {
  const types = MADE as readonly unknown[] as readonly ResourceType<KubeObject>[];
  const lists = await Promise.all(types.map((type) => admin.listAll(type, { namespace })));
  return lists.flat().filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
}

async function deskAndDocs(stage: Stage): Promise<void> {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.createLibrary('docs', 'desk');
  await stage.libraryReady('docs', 1);
}

scenario('everything that is made has one owner, and goes with it', async (stage) => {
  await deskAndDocs(stage);
  const objects = await made(stage);
  assert.ok(objects.length >= MADE.length, 'one of each at least');
  const owners = objects.map((object) => {
    const owner = controllerOf(object);
    return `${object.kind} ${object.metadata.name}: ${owner?.kind} ${owner?.name}`;
  });
  const strays = owners.filter((text) => !/: (QdrantCluster desk|DomainLibrary docs)$/.test(text));
  assert.deepEqual(strays, []);

  await stage.admin.delete(LIBRARIES, stage.key('docs'));
  await stage.gone('library', 'docs');
  await stage.admin.delete(CLUSTERS, stage.key('desk'));
  await stage.gone('cluster', 'desk');
  await eventually('nothing is left', async () => (await made(stage)).length === 0);
  await eventually('nor a pod', async () => {
    return (await stage.admin.listAll(PODS, { namespace: stage.namespace })).length === 0;
  });
});

scenario('a cluster that is deleted in the foreground goes after everything it owns', async (stage) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.admin.delete(CLUSTERS, stage.key('desk'), { propagationPolicy: 'Foreground' });
  await stage.gone('cluster', 'desk');
  const left = await made(stage);
  assert.deepEqual(
    left.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [],
  );
});

scenario(
  "somebody else's finalizer holds an object; the operator lets go of its own, and that is all",
  async (stage) => {
    await deskAndDocs(stage);
    const own = (await stage.library('docs')).metadata.finalizers ?? [];
    const held = { metadata: { finalizers: [...own, 'example.com/held'] } };
    await stage.changeLibrary('docs', held);
    await stage.admin.delete(LIBRARIES, stage.key('docs'));
    await eventually('only theirs is left', async () => {
      return (await stage.library('docs')).metadata.finalizers?.join() === 'example.com/held';
    });
    await sleep(LONGER_THAN_A_RESYNC);
    assert.deepEqual((await stage.library('docs')).metadata.finalizers, ['example.com/held']);
    await stage.changeLibrary('docs', { metadata: { finalizers: null } });
    await stage.gone('library', 'docs');
  },
);
