import type { Engine } from '../engine.ts';
import type { CollectionState, Transfer } from '../state/types.ts';

export const transferName = (
  collection: CollectionState,
  transfer: Pick<Transfer, 'shardId' | 'from' | 'to'>,
): string => `${collection.uuid}/${transfer.shardId}/${transfer.from}/${transfer.to}`;

/** GET /collections/{c}/cluster: this peer's view. */
export function collectionCluster(engine: Engine, collection: CollectionState): unknown {
  const known = collection.shards.filter(({ replicas }) => Object.keys(replicas).length > 0);
  const local = known.filter(({ replicas }) => replicas[engine.peerId] !== undefined);
  return {
    peer_id: engine.peerId,
    // A shard that lost its last replica still counts (S3).
    shard_count: collection.shards.length,
    local_shards: local.map(({ id, key, replicas }) => ({
      shard_id: id,
      ...(key === undefined ? {} : { shard_key: key }),
      points_count: engine.shards.get(collection.uuid, id)?.points.size ?? 0,
      state: replicas[engine.peerId],
    })),
    remote_shards: known.flatMap(({ id, key, replicas }) =>
      Object.entries(replicas)
        .filter(([peer]) => Number(peer) !== engine.peerId)
        .map(([peer, state]) => ({
          shard_id: id,
          ...(key === undefined ? {} : { shard_key: key }),
          peer_id: Number(peer),
          state,
        })),
    ),
    shard_transfers: transfersView(engine, collection),
  };
}

export function transfersView(engine: Engine, collection: CollectionState): object[] {
  return collection.transfers.map((transfer) => {
    const comment = engine.transferComments.get(transferName(collection, transfer));
    return {
      shard_id: transfer.shardId,
      from: transfer.from,
      to: transfer.to,
      sync: transfer.sync,
      method: transfer.method,
      ...(comment === undefined ? {} : { comment }),
    };
  });
}
