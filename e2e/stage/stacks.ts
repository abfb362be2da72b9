import assert from 'node:assert/strict';
import type { QdrantCluster } from '../../src/api/index.ts';
import type { ClusterClient } from '../../src/qdrant/index.ts';
import { eventually } from './eventually.ts';
import type { Load } from './load.ts';
import type { Stage } from './stage.ts';

/** Three peers, a library with two replicas of each shard, and an application at work. */
export async function stacks(stage: Stage): Promise<Load> {
  await stage.createCluster('stacks', { size: 3 });
  await stage.clusterReady('stacks', 3);
  await stage.createLibrary('docs', 'stacks', { shards: { number: 3, replicationFactor: 2 } });
  await stage.libraryReady('docs');
  const load = await stage.load('docs');
  await eventually('the application is at work', () => load.report.written > 40);
  return load;
}

/** Ids of the peers that the status lists. */
export const idsOf = ({ status }: QdrantCluster): number[] =>
  (status?.peers ?? []).flatMap(({ peerId }) => peerId ?? []).toSorted((a, b) => a - b);

/** Every peer that answers belongs to one and the same cluster, and every shard has all its replicas, Active. */
export async function oneClusterInFullNumber(qdrant: ClusterClient, collection: string): Promise<void> {
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
