import assert from 'node:assert/strict';
import { LIBRARIES } from '../../sandbox/run/wait.ts';
import { PODS } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { QUICK_LEASE } from '../stage/operator-settings.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';
import { atEachStep } from '../stage/steps.ts';

const scenario = await scenarios({ needs: ['pod-faults'], operator: QUICK_LEASE });

async function libraryOnDesk(stage: Stage): Promise<void> {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.createLibrary('docs', 'desk', { shards: { number: 1 } });
  await stage.libraryReady('docs');
}

/** Kills the copy's process where it stands; its Job starts it again. */
async function killWorker({ ground, admin, namespace }: Stage): Promise<void> {
  const pods = await admin.listAll(PODS, { namespace, labelSelector: 'batch.kubernetes.io/job-name' });
  for (const { metadata, status } of pods) {
    if (status?.phase === 'Running') await ground.kill({ namespace, name: metadata.name });
  }
}

scenario(
  'a new generation is built although operator and worker are killed at its steps, under load',
  async (stage, context) => {
    await libraryOnDesk(stage);
    const load = await stage.load('docs');
    await eventually('there is something to copy', () => load.report.written > 100);

    const leader = await stage.operator.leader();
    const steps = atEachStep(
      {
        client: stage.admin,
        type: LIBRARIES,
        namespace: stage.namespace,
        name: 'docs',
        stepOf: ({ status }) => status?.change?.step,
      },
      async (step) => {
        await stage.ground.kill({ namespace: stage.ground.operator.namespace, name: leader });
        if (step === 'Copying' || step === 'Converging') await killWorker(stage);
      },
    );
    stage.defer(steps);
    await stage.changeLibrary('docs', { spec: { shards: { number: 2 } } });
    const library = await stage.libraryReady('docs', 2);
    const killedAt = await steps();
    context.diagnostic(`operator killed at ${killedAt.join(', ')}`);

    assert.deepEqual(killedAt, ['Building', 'Copying', 'Converging', 'Fenced', 'Verified', 'Switched']);
    await load.nothingLost();
    assert.deepEqual(load.report.failedReads, []);
    const [old, active] = [1, 2].map((wanted) => library.status?.generations?.find(({ number }) => number === wanted));
    assert.equal(old?.state, 'Retired');
    assert.equal(active?.state, 'Active');
    const qdrant = await stage.qdrant('desk');
    assert.equal(await qdrant.collectionExists('docs--g1'), true, 'the old generation is kept');
    assert.equal((await qdrant.collection('docs')).config.params.shard_number, 2);
  },
);

scenario(
  'a spec that changes again in the middle of a build has the build given up for the newer one',
  async (stage) => {
    await libraryOnDesk(stage);
    const load = await stage.load('docs');
    await stage.changeLibrary('docs', { spec: { shards: { number: 2 } } });
    await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Copying', 'copying');
    await stage.changeLibrary('docs', { spec: { shards: { number: 3 } } });
    await stage.eventSays('docs', 'GenerationAbandoned');
    const library = await stage.libraryReady('docs', 3);

    await load.nothingLost();
    const qdrant = await stage.qdrant('desk');
    assert.equal((await qdrant.collection('docs')).config.params.shard_number, 3);
    assert.equal(library.status?.change, undefined);
    await eventually('what was given up is dropped', async () => !(await qdrant.collectionExists('docs--g2')));
    assert.equal(await qdrant.collectionExists('docs--g1'), true, 'the generation that served is kept');
  },
);
