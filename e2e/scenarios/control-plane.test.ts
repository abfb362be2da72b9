import assert from 'node:assert/strict';
import { CLUSTERS } from '../../sandbox/run/wait.ts';
import { JOBS } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

/** As in production, or longer: the process shall live through it, so that its caches have to catch up. */
const LEASE = {
  QDRANT_LIBRARIAN_LEASE_SECONDS: '40',
  QDRANT_LIBRARIAN_RENEW_SECONDS: '30',
  QDRANT_LIBRARIAN_RETRY_SECONDS: '1',
};

const scenario = await scenarios({ needs: ['control-plane-faults'], operator: LEASE });

async function deskAndDocs(stage: Stage): Promise<void> {
  await stage.createCluster('desk', { size: 2 });
  await stage.clusterReady('desk', 2);
  await stage.createLibrary('docs', 'desk', { shards: { number: 2, replicationFactor: 2 } });
  await stage.libraryReady('docs', 1);
}

scenario(
  'the API server is restarted while a cluster grows and a generation is built: both are finished, nothing is lost',
  async (stage) => {
    await deskAndDocs(stage);
    const load = await stage.load('docs');
    await eventually('the application is at work', () => load.report.written > 40);
    await stage.scale('desk', 3);
    await stage.untilCluster('desk', ({ status }) => status?.operation?.name === 'ScaleOut', 'scaling out');
    await stage.ground.controlPlane.restart({ awayMilliseconds: 2000 });
    await stage.clusterReady('desk', 3);

    await stage.changeLibrary('docs', { spec: { shards: { number: 3 } } });
    await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Copying', 'copying');
    await stage.ground.controlPlane.restart({ awayMilliseconds: 2000 });
    await stage.libraryReady('docs', 2);

    await load.nothingLost();
    assert.deepEqual(load.report.failedReads, []);
    const jobs = await stage.admin.listAll(JOBS, { namespace: stage.namespace });
    assert.ok(jobs.length <= 1, `one worker copied: ${jobs.map(({ metadata }) => metadata.name).join(', ')}`);
    assert.equal((await (await stage.qdrant('desk')).collection('docs')).config.params.shard_number, 3);
    await stage.clusterReady('desk', 3);
  },
);

scenario(
  'what happened while nobody watched is compacted away: caches list anew, nothing is missed, nothing is written twice',
  async (stage) => {
    await deskAndDocs(stage);
    const holder = await stage.operator.holder();
    const leader = { namespace: stage.ground.operator.namespace, name: await stage.operator.leader() };
    await stage.ground.pause(leader);
    stage.defer(() => stage.ground.resume(leader));
    await stage.changeLibrary('docs', { spec: { hnsw: { m: 24 } } });
    await stage.scale('desk', 3);
    for (let number = 0; number < 20; number += 1) {
      const body = { metadata: { annotations: { number: String(number) } } };
      await stage.admin.patch(CLUSTERS, stage.key('desk'), body, { type: 'merge' });
    }
    await stage.ground.controlPlane.compact();
    // Else a server that has the changes in memory could still tell them.
    await stage.ground.controlPlane.restart({ awayMilliseconds: 500 });
    await stage.ground.resume(leader);

    await stage.clusterReady('desk', 3);
    await stage.libraryReady('docs', 1);
    assert.equal((await (await stage.qdrant('desk')).collection('docs')).config.hnsw_config.m, 24);
    assert.equal(await stage.operator.holder(), holder, 'the same process went on');
  },
  ['pod-faults'],
);
