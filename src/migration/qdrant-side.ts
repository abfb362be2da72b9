import {
  type ClusterClient,
  collectionView,
  inactiveReplicas,
  isQdrantError,
  type PeerClient,
  READABLE,
} from '../qdrant/index.ts';
import { parseMark } from './fence.ts';
import { lineageOf, stampOf } from './lineage.ts';
import { pointReader } from './point-reader.ts';
import { probeWrites } from './probe.ts';
import type { NearestQuery, Neighbour, PeerState, Side, SideState } from './side.ts';

export type QdrantSideOptions = {
  readonly client: ClusterClient;
  readonly collection: string;
  /** For one write; below half of the lease, so that no write of a worker given up for dead is under way. */
  readonly writeMilliseconds: number;
};

/** A collection in a real cluster. Writes are sent once: who repeats them asks first whether it still may. */
export function qdrantSide({ client, collection, writeMilliseconds }: QdrantSideOptions): Side {
  const once = { attempts: 1, timeout: writeMilliseconds };
  const read = pointReader(client, collection);
  return {
    collection,
    page: read.page,
    inventory: read.inventory,
    retrieve: read.retrieve,
    lineage: () => lineageOf(client, collection),
    stamp: () => stampOf(client, collection),
    upsert: (points) => client.upsert(collection, points, once),
    remove: (ids, shardKey) =>
      client.deletePoints(collection, { ids }, { ...once, ...(shardKey === undefined ? {} : { shardKey }) }),
    count: () => client.count(collection, { exact: true }),
    state: () => {
      read.forget();
      return sideState(client, collection);
    },
    nearest: (query) => nearest(client, collection, query),
    probeWrites: (signal) => probeWrites(client, collection, signal),
  };
}

/** Refused by strict mode: exact searches, or so many points. */
const REFUSED: readonly string[] = ['BadRequest', 'Forbidden', 'RateLimited'];

async function nearest(
  client: ClusterClient,
  collection: string,
  { vector, using, limit }: NearestQuery,
): Promise<readonly Neighbour[] | undefined> {
  const query = { query: [...vector], limit, params: { exact: true }, ...(using === undefined ? {} : { using }) };
  try {
    return await client.query(collection, query, { attempts: 2 });
  } catch (error) {
    if (isQdrantError(error) && REFUSED.includes(error.code)) return undefined;
    throw error;
  }
}

/** What each peer shows of a collection. A peer that fails is listed as silent. @throws QdrantError `Aborted` */
export async function sideState(client: Pick<ClusterClient, 'peers'>, collection: string): Promise<SideState> {
  const answers = await Promise.all(
    client.peers.map(async (peer) => {
      try {
        return { state: await peerState(peer, collection) };
      } catch (error) {
        // Who was not waited for is not silent.
        if (isQdrantError(error, 'Aborted')) throw error;
        return { silent: { peer: peer.name, error: error instanceof Error ? error.message : 'unknown failure' } };
      }
    }),
  );
  return {
    peers: answers.flatMap(({ state }) => (state === undefined ? [] : [state])),
    silent: answers.flatMap(({ silent }) => (silent === undefined ? [] : [silent])),
  };
}

async function peerState(peer: PeerClient, collection: string): Promise<PeerState> {
  try {
    const [info, cluster, aliases] = await Promise.all([
      peer.collection(collection, { attempts: 1 }),
      peer.collectionCluster(collection, { attempts: 1 }),
      peer.collectionAliases(collection, { attempts: 1 }),
    ]);
    const view = collectionView(collection, cluster);
    const partial = view.shards.filter(({ replicas }) => !replicas.some(({ state }) => READABLE.has(state)));
    // A shard whose last replica was dropped is not listed any more, only counted (S3).
    const lost = Array.from({ length: Math.max(0, view.shardCount - view.shards.length) }, () => -1);
    return {
      peer: peer.name,
      exists: true,
      unreadableShards: [...partial.map(({ id }) => id), ...lost],
      inactive: inactiveReplicas(view),
      transfers: view.transfers.length,
      fence: parseMark(info.config.metadata)?.fence?.nonce,
      updateQueue: typeof info.update_queue?.length === 'number' ? info.update_queue.length : undefined,
      aliases: aliases.map(({ alias }) => alias),
    };
  } catch (error) {
    if (!isQdrantError(error, 'NotFound')) throw error;
    const nothing = { unreadableShards: [], inactive: [], transfers: 0, aliases: [] };
    return { peer: peer.name, exists: false, fence: undefined, updateQueue: undefined, ...nothing };
  }
}
