import { type ClusterClient, collectionView, type PeerClient } from '../qdrant/index.ts';

const TELEMETRY_OF_SHARDS = 3;
/** Calls by which a shard gets other contents than by writes. */
const REPLACING = /^(?:PUT|POST) .*\/snapshots?\/.*(?:recover|upload)/;

/**
 * What must not change while versions of points are compared: numbers of a shard's log are given anew when it is put
 * together from another one, and may be given twice when a server comes back after it has lost the end of its log.
 *
 * So: each shard has one replica, which is Active and nobody moves; no server was started again; no snapshot was put in
 * place on any of them. Undefined where that is not so, or can't be told.
 */
export async function lineageOf(client: Pick<ClusterClient, 'peers'>, collection: string): Promise<string | undefined> {
  const peers = await Promise.all(client.peers.map((peer) => peerLineage(peer, collection)));
  return peers.every((peer) => peer !== undefined) ? JSON.stringify(peers) : undefined;
}

/**
 * How many writes the shards have taken, whether they changed anything or not (measured): within a lineage the same as
 * before means that nothing was written. Undefined where writes are still queued, or nobody tells.
 */
export async function stampOf(client: Pick<ClusterClient, 'peers'>, collection: string): Promise<number | undefined> {
  const queues = await Promise.all(
    client.peers.map(async (peer) => {
      const { collections } = await peer.telemetry(TELEMETRY_OF_SHARDS, { attempts: 1 });
      const { collections: all } = (collections ?? {}) as { collections?: readonly Shards[] | null };
      const shards = all?.find(({ id }) => id === collection)?.shards;
      return shards?.flatMap(({ local }) => ((local ?? null) === null ? [] : [local?.update_queue ?? {}]));
    }),
  );
  let sum = 0;
  for (const queue of queues.flatMap((shards) => shards ?? [{}])) {
    if (queue.length !== 0 || typeof queue.op_num !== 'number') return undefined;
    sum += queue.op_num;
  }
  return sum;
}

type Queue = { readonly length?: number; readonly op_num?: number | null };
type Shards = {
  readonly id?: string;
  readonly shards?: readonly { readonly id: number; readonly local?: { readonly update_queue?: Queue } | null }[];
};

async function peerLineage(peer: PeerClient, collection: string): Promise<unknown> {
  const [{ app, requests, collections }, cluster] = await Promise.all([
    peer.telemetry(TELEMETRY_OF_SHARDS, { attempts: 1 }),
    peer.collectionCluster(collection, { attempts: 1 }),
  ]);
  const view = collectionView(collection, cluster);
  const single = view.shards.every(
    ({ replicas }) => replicas.length === 1 && replicas.every(({ state }) => state === 'Active'),
  );
  const startup = (app as { startup?: unknown } | null | undefined)?.startup;
  const responses = (requests as Told | null | undefined)?.rest?.responses;
  if (!single || view.transfers.length > 0 || view.shards.length < view.shardCount) return undefined;
  if (typeof startup !== 'string' || responses === undefined) return undefined;
  if (recoveries(collections, collection) > 0) return undefined;
  return {
    peer: peer.name,
    startup,
    replaced: replacedBy(responses),
    shards: view.shards
      .map(({ id, replicas }) => `${id} ${replicas.map(({ peerId }) => String(peerId)).join(' ')}`)
      .toSorted(),
  };
}

type Told = { readonly rest?: { readonly responses?: Responses } };
type Responses = Readonly<Record<string, Readonly<Record<string, { readonly count?: number }>>>>;

function replacedBy(responses: Responses): number {
  let count = 0;
  for (const [call, answers] of Object.entries(responses)) {
    if (!REPLACING.test(call)) continue;
    for (const answer of Object.values(answers)) count += answer.count ?? 0;
  }
  return count;
}

function recoveries(collections: unknown, collection: string): number {
  const { snapshots } = (collections ?? {}) as {
    snapshots?: readonly { readonly id: string; readonly running_snapshot_recovery?: number }[] | null;
  };
  return snapshots?.find(({ id }) => id === collection)?.running_snapshot_recovery ?? 0;
}
