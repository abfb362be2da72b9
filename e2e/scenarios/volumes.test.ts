import assert from 'node:assert/strict';
import type { QdrantCluster } from '../../src/api/index.ts';
import { scenarios } from '../stage/scenario.ts';
import { idsOf, oneClusterInFullNumber, stacks } from '../stage/stacks.ts';

const scenario = await scenarios({ needs: ['volume-faults'] });

scenario('a peer that lost its volume is replaced, and every shard gets its replicas back', async (stage) => {
  const load = await stacks(stage);
  const before = idsOf(await stage.cluster('stacks'));
  await stage.ground.loseVolume(stage.key('qdrant-storage-stacks-2'));
  const replaced = (object: QdrantCluster): boolean => idsOf(object).some((id) => !before.includes(id));
  await stage.untilCluster('stacks', replaced, 'joined by a new peer');
  await stage.clusterReady('stacks', 3);

  await load.nothingLost();
  await oneClusterInFullNumber(await stage.qdrant('stacks'), 'docs--g1');
});

scenario('peer 0 that lost its volume joins the others and founds no second cluster', async (stage) => {
  const load = await stacks(stage);
  const before = await stage.cluster('stacks');
  const [lost] = (before.status?.peers ?? []).filter(({ ordinal }) => ordinal === 0).map(({ peerId }) => peerId);
  await stage.ground.loseVolume(stage.key('qdrant-storage-stacks-0'));
  const replaced = (object: QdrantCluster): boolean => lost !== undefined && !idsOf(object).includes(lost);
  await stage.untilCluster('stacks', replaced, 'without the lost peer');
  const after = await stage.clusterReady('stacks', 3);

  await load.nothingLost();
  assert.deepEqual(after.status?.founded, before.status?.founded, 'founded once');
  await oneClusterInFullNumber(await stage.qdrant('stacks'), 'docs--g1');
});

scenario(
  'a cluster of one peer that lost its volume stays down and says why, until it is told to found anew',
  async (stage) => {
    await stage.createCluster('desk', { size: 1 });
    const before = await stage.clusterReady('desk', 1);
    await stage.ground.loseVolume(stage.key('qdrant-storage-desk-0'));
    await stage.clusterSays('desk', 'Ready', { status: 'False', reason: 'Unreachable' });
    const down = await stage.cluster('desk');
    assert.deepEqual(down.status?.founded, before.status?.founded, 'nothing is founded in silence');

    await stage.changeCluster('desk', { metadata: { annotations: { 'qdrant-librarian.io/found-again': 'once' } } });
    const after = await stage.untilCluster(
      'desk',
      ({ status }) => status?.founded?.peerId !== undefined && status.founded.peerId !== before.status?.founded?.peerId,
      'founded anew',
    );
    assert.equal(after.status?.lastHandled?.['found-again'], 'once');
    await stage.clusterReady('desk', 1);
  },
);
