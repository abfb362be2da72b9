import assert from 'node:assert/strict';
import { EVENTS, JOBS, type KubeEvent } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { QUICK_LEASE } from '../stage/operator-settings.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['pod-faults'], operator: QUICK_LEASE });

async function libraryOnDesk(stage: Stage): Promise<void> {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.createLibrary('docs', 'desk');
  await stage.libraryReady('docs');
}

/** The kubelet says of containers, too, that they were created. */
const isOurs = ({ regarding }: KubeEvent): boolean =>
  regarding?.kind === 'QdrantCluster' || regarding?.kind === 'DomainLibrary';

/** How often something was announced; a second process that acted, too, would announce it again. */
async function announced(stage: Stage, reason: string): Promise<number> {
  const events = await stage.admin.listAll(EVENTS, { namespace: stage.namespace });
  return events
    .filter((event) => event.reason === reason && isOurs(event))
    .reduce((sum, { series }) => sum + (series?.count ?? 1), 0);
}

scenario(
  'the leader is killed in the middle of a change: the other operator carries it on, nothing is done twice',
  async (stage) => {
    await stage.operator.scale(2);
    await libraryOnDesk(stage);
    const load = await stage.load('docs');
    const leader = await stage.operator.leader();
    await stage.changeLibrary('docs', { spec: { shards: { number: 2 } } });
    await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Copying', 'copying');
    const jobs = new Set<string>();
    await stage.ground.kill({ namespace: stage.ground.operator.namespace, name: leader });
    await eventually('the other operator leads', async () => {
      for (const { metadata } of await stage.admin.listAll(JOBS, { namespace: stage.namespace }))
        jobs.add(metadata.name);
      return ![leader, ''].includes((await stage.operator.holder()).split('_')[0] ?? '');
    });
    await stage.libraryReady('docs', 2);

    await load.nothingLost();
    assert.equal(jobs.size, 1, `one worker copied: ${[...jobs].join(', ')}`);
    for (const reason of ['Created', 'GenerationStarted', 'Switched', 'GenerationChanged']) {
      assert.ok((await announced(stage, reason)) <= 1, `${reason} was announced once`);
    }
    await stage.operator.scale(1);
  },
);
