import type { ShardKey } from './types.ts';
import type {
  ClusterView,
  CollectionView,
  ReachablePeer,
  ReplicaState,
  TransferView,
  UnreachablePeer,
} from './view.ts';

/** Replica states that serve reads. Source: Qdrant `replica_set_state.rs`. */
export const READABLE: ReadonlySet<ReplicaState> = new Set<ReplicaState>([
  'Active',
  'ReshardingScaleDown',
  'ActiveRead',
]);

/** A replica as all views together show it: where they differ, the worse state counts. */
export type MergedReplica = { readonly peerId: number; readonly state: ReplicaState };
/** A shard that any peer knows of. */
export type MergedShard = {
  readonly collection: string;
  readonly id: number;
  readonly key?: ShardKey;
  readonly replicas: readonly MergedReplica[];
};
/** A shard that can't be read; `id` is undefined where Qdrant counts shards that it doesn't list (S3). */
export type LostShard = { readonly collection: string; readonly id: number | undefined; readonly reason: string };

export const reachablePeers = (view: ClusterView): ReachablePeer[] => view.peers.filter((peer) => peer.reachable);
export const unreachablePeers = (view: ClusterView): UnreachablePeer[] => view.peers.filter((peer) => !peer.reachable);
export const peerById = (view: ClusterView, peerId: number): ReachablePeer | undefined =>
  reachablePeers(view).find((peer) => peer.peerId === peerId);

/** Names of all collections that any peer lists. */
export const collectionNames = (view: ClusterView): string[] =>
  [...new Set(reachablePeers(view).flatMap((peer) => peer.collections.map(({ name }) => name)))].sort();

/** All shards that any peer lists, each replica in the worst state that any peer gives it. */
export function mergedShards(view: ClusterView, collection?: string): MergedShard[] {
  const shards = new Map<
    string,
    { collection: string; id: number; key?: ShardKey; replicas: Map<number, ReplicaState> }
  >();
  for (const { name, shards: listed } of reachablePeers(view).flatMap((peer) => peer.collections)) {
    if (collection !== undefined && name !== collection) continue;
    for (const { id, key, replicas } of listed) {
      const mark = `${id} ${name}`;
      const shard = shards.get(mark) ?? {
        collection: name,
        id,
        ...(key === undefined ? {} : { key }),
        replicas: new Map(),
      };
      shards.set(mark, shard);
      for (const { peerId, state } of replicas) shard.replicas.set(peerId, worse(shard.replicas.get(peerId), state));
    }
  }
  return [...shards.values()]
    .map(({ replicas, ...shard }) => ({
      ...shard,
      replicas: [...replicas].map(([peerId, state]) => ({ peerId, state })),
    }))
    .sort((a, b) => a.collection.localeCompare(b.collection) || a.id - b.id);
}

const worse = (known: ReplicaState | undefined, next: ReplicaState): ReplicaState => {
  if (known === undefined || known === 'Active') return next;
  return READABLE.has(known) && next !== 'Active' ? next : known;
};

/** Shards that are counted but not listed, by collection: their last replica was dropped by force (S3). */
export function missingShards(view: ClusterView): { collection: string; missing: number }[] {
  return collectionNames(view).flatMap((collection) => {
    const views = collectionViews(view, collection);
    const missing = Math.max(...views.map(({ shardCount, shards }) => shardCount - shards.length));
    return missing > 0 ? [{ collection, missing }] : [];
  });
}

/**
 * Shards that a read would leave out without a word (S2): those with no readable replica on a peer that answers, and
 * those that are missing. A silent peer's replicas stay Active in the others' views, so they count for nothing here.
 */
export function unreadableShards(view: ClusterView, collection?: string): LostShard[] {
  const answering = new Set(reachablePeers(view).map((peer) => peer.peerId));
  const unreadable = mergedShards(view, collection)
    .filter(({ replicas }) => !replicas.some(({ peerId, state }) => answering.has(peerId) && READABLE.has(state)))
    .map(({ collection: name, id, replicas }) => ({ collection: name, id, reason: describe(replicas, answering) }));
  const missing = missingShards(view)
    .filter((entry) => collection === undefined || entry.collection === collection)
    .map((entry) => ({
      collection: entry.collection,
      id: undefined,
      reason: `${entry.missing} shards have no replica at all`,
    }));
  return [...unreadable, ...missing];
}

const describe = (replicas: readonly MergedReplica[], answering: ReadonlySet<number>): string => {
  const states = replicas.map(
    ({ peerId, state }) => `${answering.has(peerId) ? state : 'on a silent peer'} (${peerId})`,
  );
  return states.length === 0 ? 'no replica' : states.join(', ');
};

/** Whether a count, a scroll or a query sees all points. With no peer that answers nothing is readable. */
export const everyShardReadable = (view: ClusterView, collection?: string): boolean =>
  reachablePeers(view).length > 0 && unreadableShards(view, collection).length === 0;

/** Shards that could not be read any more without this peer; ask before stopping or removing it (S3). */
export function onlyReadableOn(view: ClusterView, peerId: number): MergedShard[] {
  const others = new Set(reachablePeers(view).map((peer) => peer.peerId));
  others.delete(peerId);
  return mergedShards(view)
    .filter((shard) => shard.replicas.some((replica) => replica.peerId === peerId))
    .filter(({ replicas }) => !replicas.some((replica) => others.has(replica.peerId) && READABLE.has(replica.state)));
}

/** Shards of which any peer believes that this peer holds a replica. */
export const shardsOn = (view: ClusterView, peerId: number): MergedShard[] =>
  mergedShards(view).filter(({ replicas }) => replicas.some((replica) => replica.peerId === peerId));

/** Shard replicas by peer id, all collections together; members without any are there with 0. */
export function placement(view: ClusterView): Map<number, number> {
  const members = reachablePeers(view).flatMap((peer) => [peer.peerId, ...peer.members.map(({ peerId }) => peerId)]);
  const counts = new Map(members.map((peerId) => [peerId, 0]));
  for (const { peerId } of mergedShards(view).flatMap(({ replicas }) => replicas))
    counts.set(peerId, (counts.get(peerId) ?? 0) + 1);
  return counts;
}

/** Transfers that any peer knows of, each once. */
export function transfers(view: ClusterView): (TransferView & { readonly collection: string })[] {
  const all = reachablePeers(view).flatMap((peer) =>
    peer.collections.flatMap(({ name, transfers: list }) =>
      list.map((transfer) => ({ ...transfer, collection: name })),
    ),
  );
  const byMark = new Map<string, (typeof all)[number]>();
  for (const transfer of all) {
    const mark = `${transfer.shardId} ${transfer.from} ${transfer.to} ${transfer.collection}`;
    // The progress is told by the source and the target only.
    if (byMark.get(mark)?.comment === undefined) byMark.set(mark, transfer);
  }
  return [...byMark.values()];
}

/** Every peer's own view of one collection. */
export const collectionViews = (view: ClusterView, collection: string): CollectionView[] =>
  reachablePeers(view).flatMap((peer) => peer.collections.filter(({ name }) => name === collection));

/** Replicas that a peer sees in another state than Active: `shard <id> on <peer id> is <state>`. */
export const inactiveReplicas = ({ shards }: CollectionView): string[] =>
  shards.flatMap(({ id, replicas }) =>
    replicas
      .filter(({ state }) => state !== 'Active')
      .map(({ peerId, state }) => `shard ${id} on ${peerId} is ${state}`),
  );
