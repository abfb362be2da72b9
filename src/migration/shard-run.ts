import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../telemetry/index.ts';
import type { EngineSide } from './engine-facts.ts';
import type { BaseProgress, ShardProgress } from './progress.ts';

export type ShardRun = {
  readonly source: EngineSide;
  readonly target: EngineSide;
  readonly progress: () => BaseProgress;
  /** Changes the progress; it is written soon. */
  readonly update: (change: Partial<BaseProgress>) => void;
  /** Returns when the progress is written. */
  readonly save: () => Promise<void>;
  /** Throws when this worker may not write any more. */
  readonly mayWrite: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Logger;
};

/** Something is on its way, or not Active, on one of both ends; waiting may help. */
export class Unsettled extends Error {
  override readonly name = 'Unsettled';
}

export function putShard(run: ShardRun, shard: number, progress: ShardProgress): void {
  run.update({ shards: { ...run.progress().shards, [shard]: progress } });
}

/** It is copied from its beginning. */
export function forgetShard(run: ShardRun, shard: number): void {
  const { [shard]: _forgotten, ...shards } = run.progress().shards;
  run.update({ shards });
}

export function recordShard(
  run: ShardRun,
  shard: number,
  change: (was: ShardProgress) => Partial<ShardProgress>,
): void {
  const was = run.progress().shards[shard];
  if (was !== undefined) putShard(run, shard, { ...was, ...change(was) });
}

export const pause = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
  await delay(milliseconds, undefined, { signal });
};
