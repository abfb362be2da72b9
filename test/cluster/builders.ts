import type { QdrantCluster, QdrantClusterSpec, QdrantClusterStatus } from '../../src/api/index.ts';
import { type AnsweringPeer, type Topology, topologyOf } from '../../src/cluster/topology.ts';
import type { ClaimFacts, PodFacts, World } from '../../src/cluster/world.ts';
import type { ClusterView, CollectionView, PeerView, ReplicaState } from '../../src/qdrant/index.ts';

type Change = {
  readonly spec?: Partial<QdrantClusterSpec>;
  readonly status?: QdrantClusterStatus;
  readonly metadata?: Partial<QdrantCluster['metadata']>;
};

/** A managed cluster `docs` of three peers in `team-a`; a test changes what it is about. */
export function clusterObject({ spec, status, metadata }: Change = {}): QdrantCluster {
  return {
    apiVersion: 'qdrant-librarian.io/v1alpha1',
    kind: 'QdrantCluster',
    metadata: {
      name: 'docs',
      namespace: 'team-a',
      uid: 'uid-docs',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { version: '1.18.3', size: 3, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

type ViewOptions = {
  /** Peer ids by ordinal; null: doesn't answer. */
  readonly peers: readonly (number | null)[];
  /** Ids that all list as members; those of `peers` when not given. */
  readonly members?: ReadonlyMap<number, number>;
  readonly collections?: readonly CollectionView[];
};

/** Views of peers that agree: id `ordinal + 1` on pod `docs-<ordinal>`. */
export function viewOf({ peers, members, collections = [] }: ViewOptions): ClusterView {
  const listed = members ?? new Map(peers.map((id, ordinal) => [id ?? ordinal + 1, ordinal]));
  const leader = peers.find((id) => id !== null) ?? 1;
  return {
    at: 100_000,
    peers: peers.map((id, ordinal): PeerView => {
      const name = `docs-${ordinal}`;
      if (id === null) return { name, reachable: false, error: `${name}: connection refused` };
      return answering(ordinal, { peerId: id, members: listed, collections, leader });
    }),
  };
}

export function answering(
  ordinal: number,
  {
    peerId,
    members,
    collections = [],
    leader = 1,
  }: { peerId: number; members: ReadonlyMap<number, number>; collections?: readonly CollectionView[]; leader?: number },
): AnsweringPeer {
  const uri = (of: number) => `http://docs-${of}.docs-headless.team-a.svc:6335/`;
  return {
    name: `docs-${ordinal}`,
    reachable: true,
    distributed: true,
    peerId,
    version: '1.18.3',
    uri: uri(ordinal),
    members: [...members].map(([id, of]) => ({ peerId: id, uri: uri(of) })),
    raft: { term: 1, commit: 10, pendingOperations: 0, isVoter: true, leader },
    consensus: 'working',
    sendFailures: [],
    collections,
    aliases: [],
  };
}

/** One collection with a shard for each list of replicas, `[peer, state]`. */
export function collectionOf(name: string, ...shards: readonly (readonly [number, ReplicaState])[][]): CollectionView {
  return {
    name,
    shardCount: shards.length,
    shards: shards.map((replicas, id) => ({
      id,
      replicas: replicas.map(([peerId, state]) => ({ peerId, state, points: 100 })),
    })),
    transfers: [],
  };
}

export const pod = (ordinal: number, change: Partial<PodFacts> = {}): PodFacts => ({
  name: `docs-${ordinal}`,
  ordinal,
  uid: `pod-${ordinal}`,
  template: 'one',
  ready: true,
  terminating: false,
  running: true,
  restarts: 0,
  lastExit: undefined,
  serving: true,
  withdrawnAt: undefined,
  ...change,
});

export const claim = (ordinal: number, change: Partial<ClaimFacts> = {}): ClaimFacts => ({
  name: `qdrant-storage-docs-${ordinal}`,
  ordinal,
  volume: 'qdrant-storage',
  uid: `claim-${ordinal}`,
  createdAt: Date.parse('2026-01-01T00:01:00Z'),
  terminating: false,
  peer: String(ordinal + 1),
  removedPeer: undefined,
  ...change,
});

const FOUNDED = { at: '2026-01-01T00:00:10Z', peerId: 1 };

/** Three peers at rest for ten seconds, one shard on two of them: a test changes what it is about. */
export function calm(change: Partial<World> = {}): { world: World; topology: Topology } {
  const world: World = {
    now: 100_000,
    settleSeconds: 5,
    cluster: clusterObject({ status: { founded: FOUNDED } }),
    disabled: new Set(),
    statefulSet: {
      replicas: 3,
      image: 'qdrant/qdrant:v1.18.3',
      claims: [{ name: 'qdrant-storage', size: '10Gi', storageClassName: undefined }],
    },
    pods: [0, 1, 2].map((ordinal) => pod(ordinal)),
    claims: [0, 1, 2].map((ordinal) => claim(ordinal)),
    announced: {
      founder: undefined,
      members: [0, 1, 2].map((ordinal) => `http://docs-${ordinal}.docs-headless.team-a.svc:6335/`),
    },
    template: 'one',
    view: viewOf({
      peers: [1, 2, 3],
      collections: [
        collectionOf('c', [
          [1, 'Active'],
          [2, 'Active'],
        ]),
      ],
    }),
    replicationFactors: new Map([['c', 2]]),
    budgetOpen: true,
    settledSince: 90_000,
    transfersSince: new Map(),
    problem: undefined,
    libraries: [],
    taken: [],
    ...change,
  };
  return { world, topology: topologyOf(world) };
}
