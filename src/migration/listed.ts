import type { PointId, ShardKey } from '../qdrant/types.ts';

/** A point as an inventory shows it. `version` is undefined where nobody tells: then it may have changed any time. */
export type Listed = {
  readonly id: PointId;
  readonly shardKey?: ShardKey;
  readonly version: number | bigint | undefined;
};

/** What names a point within a collection: under several shard keys an id names several points. */
export type PointKey = PointId;
export const keyOfPoint = ({ id, shardKey }: { readonly id: PointId; readonly shardKey?: ShardKey }): PointKey =>
  shardKey === undefined ? id : `${typeof shardKey} ${shardKey} ${typeof id} ${id}`;
