import { isQdrantError, type QdrantErrorCode } from '../qdrant/index.ts';
import { chooseEngine, type EngineChoice, type EngineWish } from './engine-choice.ts';
import { type EngineSide, engineFacts } from './engine-facts.ts';
import type { BaseProgress } from './progress.ts';
import type { ShardRun } from './shard-run.ts';
import { runningOn } from './shard-settle.ts';
import { copyShards, dropCarriedIndexes } from './shard-snapshots.ts';
import { sweepAll } from './shard-sweep.ts';

export type SnapshotRun = Omit<ShardRun, 'source' | 'target'>;

/** Bringing the bulk of the data over as shard snapshots, or saying why not. */
export type SnapshotBase = {
  /** By the facts as they are now. `resumed`: the target holds what this change has put there. */
  readonly choose: (
    resumed: boolean,
    signal: AbortSignal,
  ) => Promise<EngineChoice & { readonly indexes: readonly string[] }>;
  readonly copy: (run: SnapshotRun) => Promise<void>;
  /** Undoes what shards have brought along and deletes our files. */
  readonly giveUp: (run: SnapshotRun) => Promise<void>;
  /** Deletes what was asked for and is not needed; shards that are not finished are copied from their beginning. */
  readonly sweep: (run: SnapshotRun) => Promise<void>;
  /** Why the target can't be written to point by point; undefined: it can. */
  readonly broken: (signal: AbortSignal) => Promise<string | undefined>;
  /** Snapshots that are being put in place on the target, whoever ordered it. */
  readonly recoveries: (signal: AbortSignal) => Promise<number>;
  /** Whether nothing else will do. */
  readonly required: boolean;
};

export type SnapshotBaseOptions = {
  readonly source: EngineSide;
  readonly target: EngineSide;
  /** `<uid>/<generation>`. */
  readonly change: string;
  readonly wish: EngineWish;
  /** Why it was wished, or why the room on the target's disks is not known. */
  readonly reason?: string | undefined;
  readonly room?: string | undefined;
};

export function snapshotBase({ source, target, change, wish, reason, room }: SnapshotBaseOptions): SnapshotBase {
  const { client, collection } = target;
  return {
    choose: async (resumed, signal) => {
      if (wish === 'Scroll') return { kind: 'chosen', engine: wish, reason: reason ?? 'it is asked for', indexes: [] };
      const { targetIndexes: indexes, ...facts } = await engineFacts({ source, target, change }, signal);
      return { ...chooseEngine({ ...facts, ...(resumed ? { used: undefined } : {}), room, wish }), indexes };
    },
    copy: (run) => copyShards({ ...run, source, target }),
    giveUp: async (run) => {
      const shards = { ...run, source, target };
      if (Object.keys(run.progress().shards).length > 0) await dropCarriedIndexes(shards);
      await sweepAll(shards);
    },
    sweep: (run) => sweepAll({ ...run, source, target }),
    broken: async (signal) => {
      for (const peer of client.peers) {
        try {
          await peer.collection(collection, { attempts: 1, signal });
        } catch (error) {
          signal.throwIfAborted();
          return error instanceof Error ? error.message : 'unknown failure';
        }
      }
      return undefined;
    },
    recoveries: (signal) => runningOn(client.peers, collection, { what: 'running_snapshot_recovery', signal }),
    required: wish === 'ShardSnapshot',
  };
}

/** Asked for by name, and not possible as both ends are. */
export class EngineRefused extends Error {
  override readonly name = 'EngineRefused';
}

/** So many attempts in a row come to nothing before the points are sent one by one. */
const FAILURES = 4;
/** What no repeat cures: a key that may not make or recover snapshots, a server that has them switched off. */
const FINAL: ReadonlySet<QdrantErrorCode> = new Set<QdrantErrorCode>([
  'Forbidden',
  'BadRequest',
  'InsufficientStorage',
]);
/** Whatever the engine: it goes on with the Job that has the new key. */
const OF_THE_KEY: QdrantErrorCode = 'Unauthorized';

/** Whether shard snapshots are given up for good after this. */
export function givesUp(error: unknown, failures: number): boolean {
  if (isQdrantError(error, OF_THE_KEY)) return false;
  return failures >= FAILURES || (isQdrantError(error) && FINAL.has(error.code));
}

export const newBase = (engine: BaseProgress['engine'], reason: string, indexes: readonly string[]): BaseProgress => ({
  engine,
  reason: reason.slice(0, 1000),
  bytes: 0,
  bytesTotal: 0,
  failures: 0,
  indexes: [...indexes],
  shards: {},
  shardsTotal: 0,
});
