import assert from 'node:assert/strict';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['api-faults'] });

scenario(
  'the API server is away for a minute: leadership is lost and regained, applications notice nothing',
  async (stage) => {
    await stage.createCluster('desk', { size: 1 });
    await stage.clusterReady('desk', 1);
    await stage.createLibrary('docs', 'desk');
    await stage.libraryReady('docs');
    const load = await stage.load('docs');
    const before = await stage.operator.holder();
    const restarts = await restartsOf(stage);
    stage.ground.faults.outage(60_000);
    // Asked while nobody can hear it.
    await eventually('the API server is back', async () => {
      await stage.changeLibrary('docs', { spec: { hnsw: { m: 24 } } });
      return true;
    });
    await eventually('another process leads', async () => ![before, ''].includes(await stage.operator.holder()));
    await stage.libraryReady('docs', 1);

    await load.nothingLostAndNothingFailed();
    assert.ok((await restartsOf(stage)) > restarts, 'the process that lost the Lease ended');
    assert.equal((await (await stage.qdrant('desk')).collection('docs')).config.hnsw_config.m, 24);
    await stage.clusterReady('desk', 1);
    await stage.operator.atRest(4);
  },
);

async function restartsOf(stage: Stage): Promise<number> {
  const pods = await stage.operator.pods();
  return pods.reduce((sum, { status }) => sum + (status?.containerStatuses?.[0]?.restartCount ?? 0), 0);
}
