import type {
  ClusterView,
  CollectionView,
  PeerView,
  ReachablePeer,
  ReplicaState,
  ShardView,
} from '../../../src/qdrant/index.ts';

const members = [1, 2, 3].map((peerId) => ({ peerId, uri: `http://docs-${peerId - 1}:6335/` }));

export const shard = (id: number, replicas: Readonly<Record<number, ReplicaState>>): ShardView => ({
  id,
  replicas: Object.entries(replicas).map(([peerId, state]) => ({ peerId: Number(peerId), state })),
});

export const collection = (change: Partial<CollectionView> = {}): CollectionView => ({
  name: 'docs',
  shardCount: 2,
  shards: [shard(0, { 1: 'Active', 2: 'Active' }), shard(1, { 2: 'Active', 3: 'Active' })],
  transfers: [],
  ...change,
});

export const peer = (peerId: number, change: Partial<ReachablePeer> = {}): ReachablePeer => ({
  name: `docs-${peerId - 1}`,
  reachable: true,
  distributed: true,
  peerId,
  version: '1.18.3',
  uri: `http://docs-${peerId - 1}:6335/`,
  members,
  raft: {
    term: 1,
    commit: 10,
    pendingOperations: 0,
    leader: 1,
    role: peerId === 1 ? 'Leader' : 'Follower',
    isVoter: true,
  },
  consensus: 'working',
  sendFailures: [],
  collections: [collection()],
  aliases: [],
  ...change,
});

export const silent = (peerId: number): PeerView => ({
  name: `docs-${peerId - 1}`,
  reachable: false,
  error: 'ECONNREFUSED',
});

/** Three peers at rest, two shards with two replicas each: a test changes what it is about. */
export const calm = (...peers: PeerView[]): ClusterView => ({
  at: 0,
  peers: [1, 2, 3].map((id) => peers.find(({ name }) => name === `docs-${id - 1}`) ?? peer(id)),
});
