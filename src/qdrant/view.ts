import type { ClusterClient, PeerClient } from './client.ts';
import type { ClusterReport } from './cluster-report.ts';
import { isQdrantError } from './errors.ts';
import type { CallOptions, Schemas, ShardKey } from './types.ts';

/** Source: Qdrant `replica_set_state.rs`, v1.19.0. A later state that is not listed here is read as none of these. */
export type ReplicaState =
  | 'Active'
  | 'Dead'
  | 'Partial'
  | 'Initializing'
  | 'Listener'
  | 'PartialSnapshot'
  | 'Recovery'
  | 'Resharding'
  | 'ReshardingScaleDown'
  | 'ActiveRead'
  | 'ManualRecovery';

export type ReplicaView = {
  readonly peerId: number;
  readonly state: ReplicaState;
  /** Only a peer's own replicas; approximate while writes go on. */
  readonly points?: number;
};
export type ShardView = { readonly id: number; readonly key?: ShardKey; readonly replicas: readonly ReplicaView[] };
export type TransferView = {
  readonly shardId: number;
  readonly toShardId?: number;
  readonly from: number;
  readonly to: number;
  readonly sync: boolean;
  readonly method?: string;
  /** Progress in words; only on the source and the target. */
  readonly comment?: string;
};
export type CollectionView = {
  readonly name: string;
  /** As Qdrant says it, which may be more than it lists (S3). */
  readonly shardCount: number;
  readonly shards: readonly ShardView[];
  readonly transfers: readonly TransferView[];
};
export type Member = { readonly peerId: number; readonly uri: string };
export type RaftView = {
  readonly term: number;
  readonly commit: number;
  readonly pendingOperations: number;
  readonly leader?: number;
  readonly role?: string;
  readonly isVoter: boolean;
};
export type ReachablePeer = {
  readonly name: string;
  readonly reachable: true;
  /** False for a Qdrant without cluster mode: then there are no members, and raft is all zero. */
  readonly distributed: boolean;
  readonly peerId: number;
  readonly version: string;
  readonly uri: string;
  readonly members: readonly Member[];
  readonly raft: RaftView;
  readonly consensus: 'working' | 'stopped' | 'stopped_with_err';
  readonly consensusError?: string;
  /** URIs that this peer failed to send consensus messages to. Only peers that send know. */
  readonly sendFailures: readonly string[];
  readonly collections: readonly CollectionView[];
  readonly aliases: readonly { readonly alias: string; readonly collection: string }[];
};
export type UnreachablePeer = {
  readonly name: string;
  readonly reachable: false;
  readonly error: string;
  /** HTTP status where there was an answer, e.g. 401. */
  readonly status?: number;
};
export type PeerView = ReachablePeer | UnreachablePeer;

/** One cluster as each of its peers sees it, read at `at` (milliseconds since the epoch). */
export type ClusterView = {
  readonly at: number;
  readonly peers: readonly PeerView[];
  /** Only where not every member can be asked for its own view, and the one that can tells about all. */
  readonly report?: ClusterReport;
};

export type ObserveOptions = { readonly signal?: AbortSignal; readonly now: () => number };

/** How many collections of one peer are asked at a time. */
const CONCURRENCY = 8;

/**
 * Asks every peer for its own view, once, all at a time. Never throws for a peer that fails: that is part of the view.
 *
 * @throws the signal's reason when it fires
 */
export async function observeCluster(client: ClusterClient, { signal, now }: ObserveOptions): Promise<ClusterView> {
  const at = now();
  const options: CallOptions = { attempts: 1, ...(signal === undefined ? {} : { signal }) };
  const peers = await Promise.all(client.peers.map((peer) => observePeer(peer, options)));
  signal?.throwIfAborted();
  return { at, peers };
}

async function observePeer(peer: PeerClient, options: CallOptions): Promise<PeerView> {
  try {
    // First alone, for its short time limit: a peer that is away costs 2 s, not 10.
    const version = await peer.version(options);
    const [status, names, aliases] = await Promise.all([
      peer.cluster(options),
      peer.collections(options),
      peer.aliases(options),
    ]);
    const collections = await inTurns(names, (name) => observeCollection(peer, name, options));
    return {
      name: peer.name,
      reachable: true,
      version,
      ...membership(status, peer),
      collections: collections.filter((collection) => collection !== undefined),
      aliases,
    };
  } catch (error) {
    if (!isQdrantError(error))
      return { name: peer.name, reachable: false, error: "its answer has not the form of Qdrant's" };
    return {
      name: peer.name,
      reachable: false,
      error: error.message,
      ...(error.status === 0 ? {} : { status: error.status }),
    };
  }
}

/** Undefined when the collection was dropped since it was listed. */
async function observeCollection(
  peer: PeerClient,
  name: string,
  options: CallOptions,
): Promise<CollectionView | undefined> {
  try {
    return collectionView(name, await peer.collectionCluster(name, options));
  } catch (error) {
    if (isQdrantError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Qdrant's answer about one collection, by shards. */
export function collectionView(name: string, info: Schemas['CollectionClusterInfo']): CollectionView {
  const shards = new Map<number, { id: number; key?: ShardKey; replicas: ReplicaView[] }>();
  const add = (id: number, key: unknown, replica: ReplicaView): void => {
    const shard = shards.get(id) ?? {
      id,
      ...(typeof key === 'string' || typeof key === 'number' ? { key } : {}),
      replicas: [],
    };
    shard.replicas.push(replica);
    shards.set(id, shard);
  };
  for (const { shard_id: id, shard_key: key, state, points_count: points } of info.local_shards) {
    add(id, key, { peerId: info.peer_id, state: state as ReplicaState, points });
  }
  for (const { shard_id: id, shard_key: key, state, peer_id: peerId } of info.remote_shards) {
    add(id, key, { peerId, state: state as ReplicaState });
  }
  const byPeer = (a: ReplicaView, b: ReplicaView): number => a.peerId - b.peerId;
  return {
    name,
    shardCount: info.shard_count,
    shards: [...shards.values()]
      .map((shard) => ({ ...shard, replicas: shard.replicas.toSorted(byPeer) }))
      .sort((a, b) => a.id - b.id),
    transfers: info.shard_transfers.map(transferView),
  };
}

function transferView(transfer: Schemas['ShardTransferInfo']): TransferView {
  const { shard_id: shardId, to_shard_id: toShardId, from, to, sync, method, comment } = transfer;
  return {
    shardId,
    from,
    to,
    sync,
    ...(typeof toShardId === 'number' ? { toShardId } : {}),
    ...(typeof method === 'string' ? { method } : {}),
    ...(typeof comment === 'string' ? { comment } : {}),
  };
}

type Membership = Pick<
  ReachablePeer,
  'distributed' | 'peerId' | 'uri' | 'members' | 'raft' | 'consensus' | 'consensusError' | 'sendFailures'
>;

function membership(status: Schemas['ClusterStatus'], peer: PeerClient): Membership {
  if (status.status === 'disabled') {
    const raft = { term: 0, commit: 0, pendingOperations: 0, isVoter: true };
    return {
      distributed: false,
      peerId: 0,
      uri: peer.address.rest,
      members: [],
      raft,
      consensus: 'working',
      sendFailures: [],
    };
  }
  const {
    peer_id: peerId,
    peers,
    raft_info: raft,
    consensus_thread_status: thread,
    message_send_failures: failures,
  } = status;
  const members = Object.entries(peers).map(([id, info]) => ({ peerId: Number(id), uri: info?.uri ?? '' }));
  return {
    distributed: true,
    peerId,
    uri: members.find((member) => member.peerId === peerId)?.uri ?? '',
    members: members.sort((a, b) => a.peerId - b.peerId),
    raft: {
      term: raft.term,
      commit: raft.commit,
      pendingOperations: raft.pending_operations,
      isVoter: raft.is_voter,
      ...(typeof raft.leader === 'number' ? { leader: raft.leader } : {}),
      ...(typeof raft.role === 'string' ? { role: raft.role } : {}),
    },
    consensus: thread.consensus_thread_status,
    ...(thread.consensus_thread_status === 'stopped_with_err' ? { consensusError: thread.err } : {}),
    sendFailures: Object.keys(failures),
  };
}

async function inTurns<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (let start = 0; start < items.length; start += CONCURRENCY) {
    results.push(...(await Promise.all(items.slice(start, start + CONCURRENCY).map(work))));
  }
  return results;
}
