import {
  type ClusterClient,
  type CollectionView,
  collectionView,
  isQdrantError,
  READABLE,
  type ShardKey,
} from '../qdrant/index.ts';

/** One shard of a collection and where its Active replicas are, by the names of their peers. */
export type PlacedShard = {
  readonly shard: number;
  readonly key?: ShardKey;
  readonly peerIds: readonly number[];
  /** Peers that answer and call their own replica Active. */
  readonly active: readonly string[];
  /** All peers that have a replica and answer. */
  readonly owners: readonly string[];
  /** What each of these counts in its own replica; approximate while writes go on. */
  readonly points?: Readonly<Record<string, number>>;
};

export type ShardLayout = {
  readonly shards: readonly PlacedShard[];
  /** Why not all of the collection can be read now; undefined: it can. */
  readonly problem: string | undefined;
  /** Whether every replica is Active in every view, every peer answers, and nothing is on its way. */
  readonly settled: boolean;
};

type PeerAnswer = { readonly name: string; readonly view: CollectionView; readonly peerId: number };

/** Where the shards of a collection are, as all peers that answer see it. */
export async function layoutOf(client: Pick<ClusterClient, 'peers'>, collection: string): Promise<ShardLayout> {
  const answers: PeerAnswer[] = [];
  const silent: string[] = [];
  await Promise.all(
    client.peers.map(async (peer) => {
      try {
        const info = await peer.collectionCluster(collection, { attempts: 1 });
        answers.push({ name: peer.name, view: collectionView(collection, info), peerId: info.peer_id });
      } catch (error) {
        silent.push(isQdrantError(error, 'NotFound') ? `${peer.name} doesn't know it` : `${peer.name} doesn't answer`);
      }
    }),
  );
  const names = new Map(answers.map(({ name, peerId }) => [peerId, name]));
  const all = new Map<number, PlacedShard>();
  for (const { view } of answers) {
    for (const { id, key, replicas } of view.shards) {
      if (all.has(id)) continue;
      const peerIds = replicas.map(({ peerId }) => peerId);
      const holding = (peerId: number): string[] => [names.get(peerId) ?? []].flat();
      const own = (peerId: number) =>
        answers.find((answer) => answer.peerId === peerId)?.view.shards.find((shard) => shard.id === id);
      const active = peerIds.filter((peerId) =>
        own(peerId)?.replicas.some((replica) => replica.peerId === peerId && replica.state === 'Active'),
      );
      const counts = peerIds.flatMap((peerId) => {
        const points = own(peerId)?.replicas.find((replica) => replica.peerId === peerId)?.points;
        return points === undefined ? [] : holding(peerId).map((name): [string, number] => [name, points]);
      });
      const placed = {
        shard: id,
        peerIds,
        active: active.flatMap(holding),
        owners: peerIds.flatMap(holding),
        points: Object.fromEntries(counts),
      };
      all.set(id, key === undefined ? placed : { ...placed, key });
    }
  }
  const shards = [...all.values()].toSorted((a, b) => a.shard - b.shard);
  return { shards, problem: problemOf(answers, shards, silent), settled: silent.length === 0 && isSettled(answers) };
}

function problemOf(
  answers: readonly PeerAnswer[],
  shards: readonly PlacedShard[],
  silent: readonly string[],
): string | undefined {
  if (answers.length === 0) return silent.join('; ');
  const lost = answers.find(({ view }) => view.shardCount > view.shards.length);
  if (lost !== undefined) return `${lost.name} counts more shards than it lists: one has lost its last replica`;
  const unreadable = shards.filter(({ active }) => active.length === 0).map(({ shard }) => shard);
  const partial = answers.flatMap(({ view }) =>
    view.shards.filter(({ replicas }) => !replicas.some(({ state }) => READABLE.has(state))).map(({ id }) => id),
  );
  const bad = [...new Set([...unreadable, ...partial])];
  if (bad.length === 0) return undefined;
  const why = silent.length === 0 ? '' : `; ${silent.join('; ')}`;
  return `shards ${bad.join(', ')} have no Active replica on a peer that answers${why}`;
}

const isSettled = (answers: readonly PeerAnswer[]): boolean =>
  answers.every(
    ({ view }) =>
      view.transfers.length === 0 &&
      view.shards.every(({ replicas }) => replicas.length > 0 && replicas.every(({ state }) => state === 'Active')),
  );
