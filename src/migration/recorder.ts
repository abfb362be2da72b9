import type { Point, PointId, ShardKey } from '../qdrant/types.ts';
import type { Side } from './side.ts';

export type Removal = { readonly id: PointId; readonly shardKey: ShardKey | undefined };
export type RemovalBatch = { readonly ids: readonly PointId[]; readonly shardKey: ShardKey | undefined };

const BATCH = 256;

/** A side that is read as it is, whose points to be written are handed on or counted, and whose removals wait. */
export class Recorder {
  readonly side: Side;
  readonly #removals: Removal[] = [];
  #upserts = 0;

  /** @param write undefined: nothing is written */
  constructor(side: Side, write: ((points: readonly Point[]) => Promise<void>) | undefined) {
    this.side = {
      ...side,
      upsert: async (points) => {
        this.#upserts += points.length;
        await write?.(points);
      },
      remove: async (ids, shardKey) => {
        for (const id of ids) this.#removals.push({ id, shardKey });
      },
    };
  }

  get upserts(): number {
    return this.#upserts;
  }

  get removals(): readonly Removal[] {
    return this.#removals;
  }

  *batches(): Generator<RemovalBatch> {
    for (const [shardKey, group] of Map.groupBy(this.#removals, (removal) => removal.shardKey)) {
      for (let at = 0; at < group.length; at += BATCH) {
        yield { ids: group.slice(at, at + BATCH).map(({ id }) => id), shardKey };
      }
    }
  }
}
