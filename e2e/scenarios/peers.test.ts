import assert from 'node:assert/strict';
import type { QdrantCluster } from '../../src/api/index.ts';
import type { ClusterClient } from '../../src/qdrant/index.ts';
import { eventually } from '../stage/eventually.ts';
import { ReadyPeers } from '../stage/ready-peers.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['pod-faults', 'volume-faults'] });

/** Three peers, a library with two replicas of each shard, and an application at work. */
async function stacks(stage: Stage) {
  await stage.createCluster('stacks', { size: 3 });
  await stage.clusterReady('stacks', 3);
  await stage.createLibrary('docs', 'stacks', { shards: { number: 3, replicationFactor: 2 } });
  await stage.libraryReady('docs');
  const load = await stage.load('docs');
  await eventually('the application is at work', () => load.report.written > 40);
  return load;
}

const idsOf = ({ status }: QdrantCluster): number[] =>
  (status?.peers ?? []).flatMap(({ peerId }) => peerId ?? []).toSorted((a, b) => a - b);

const notReady = (object: QdrantCluster): boolean =>
  object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False') === true;

/** Every peer that answers belongs to one and the same cluster, and every shard has all its replicas, Active. */
async function oneClusterInFullNumber(qdrant: ClusterClient, collection: string): Promise<void> {
  const members = await Promise.all(
    qdrant.peers.map(async (peer) => Object.keys((await peer.cluster()).peers ?? {}).toSorted()),
  );
  assert.equal(new Set(members.map((ids) => ids.join())).size, 1, `one cluster: ${JSON.stringify(members)}`);
  assert.equal(members[0]?.length, 3);
  await eventually(`every shard of ${collection} has two Active replicas in every view`, async () => {
    const views = await Promise.all(qdrant.peers.map((peer) => peer.collectionCluster(collection)));
    return views.every(({ local_shards: local, remote_shards: remote }) => {
      const active = [...local, ...remote].filter(({ state }) => state === 'Active');
      return active.length === 6 && active.length === local.length + remote.length;
    });
  });
}

scenario('a peer that is killed under load heals, and nobody notices', async (stage) => {
  const load = await stacks(stage);
  const before = idsOf(await stage.cluster('stacks'));
  const peers = await ReadyPeers.follow(stage.admin, { namespace: stage.namespace, cluster: 'stacks' });
  stage.ground.kill(stage.key('stacks-1'));
  await stage.untilCluster('stacks', notReady, 'noticed as not Ready');
  const after = await stage.clusterReady('stacks', 3);

  await load.nothingLostAndNothingFailed();
  assert.ok((await peers.fewest()) >= 2, 'never more than one peer was away');
  assert.deepEqual(idsOf(after), before, 'the peer came back as the one it was');
  await oneClusterInFullNumber(await stage.qdrant('stacks'), 'docs--g1');
});

scenario('a peer that is paused is left alone, and is in step again when it goes on', async (stage) => {
  const load = await stacks(stage);
  const before = idsOf(await stage.cluster('stacks'));
  stage.ground.pause(stage.key('stacks-2'));
  await stage.clusterSays('stacks', 'Ready', { status: 'False' });
  const written = load.report.written;
  await eventually('writes go on without the paused peer', () => load.report.written > written + 20);
  assert.deepEqual(idsOf(await stage.cluster('stacks')), before, 'nobody was given up');
  stage.ground.resume(stage.key('stacks-2'));
  await stage.clusterReady('stacks', 3);

  await load.nothingLost();
  await oneClusterInFullNumber(await stage.qdrant('stacks'), 'docs--g1');
});

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
