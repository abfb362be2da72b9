import type { Logger } from '../telemetry/index.ts';
import type { Keeper, Timing } from './keeper.ts';
import type { BaseProgress, Progress } from './progress.ts';
import { Unsettled } from './shard-run.ts';
import { EngineRefused, givesUp, newBase, type SnapshotBase, type SnapshotRun } from './snapshot-base.ts';

export type ShardPhase = {
  /** Undefined: points are always sent one by one. */
  readonly snapshots: SnapshotBase | undefined;
  readonly keeper: Keeper<Progress>;
  readonly timing: Timing;
  readonly log: Logger;
  readonly signal: AbortSignal;
};
type Phase = ShardPhase & { readonly snapshots: SnapshotBase };

/**
 * The bulk of the data as shard snapshots, where both ends allow it. Nothing is switched yet: where it comes to nothing
 * in the end, points are sent one by one, and the progress says why.
 *
 * @returns false: points are to be sent one by one
 * @throws EngineRefused; what may pass when it is tried again
 */
export async function copyAsShards({ snapshots, ...rest }: ShardPhase): Promise<boolean> {
  if (snapshots === undefined) return false;
  const phase = { ...rest, snapshots };
  const { timing, log, signal } = phase;
  const begun = timing.now();
  const base = await chosen(phase);
  if (base.engine !== 'ShardSnapshot') return false;
  const run = runOf(phase);
  try {
    await snapshots.copy(run);
  } catch (error) {
    if (signal.aborted) await tidy(phase);
    signal.throwIfAborted();
    return instead(phase, base.failures + 1, error);
  }
  const milliseconds = Math.round(timing.now() - begun);
  run.update({ milliseconds, failures: 0 });
  log.info({ milliseconds, bytes: run.progress().bytes }, 'every shard is copied');
  return true;
}

/** Of the time that a pod has to end. */
const TIDY_MILLISECONDS = 5000;

/** A worker that is told to stop may be the last one of a move that was given up. One that lost its lease touches nothing. */
async function tidy(phase: Phase): Promise<void> {
  const { snapshots, keeper, log } = phase;
  if (keeper.lost.aborted) return;
  const signal = AbortSignal.timeout(TIDY_MILLISECONDS);
  const mayWrite = (): Promise<void> => Promise.resolve();
  await snapshots.sweep({ ...runOf(phase), mayWrite, signal }).catch((error: unknown) => {
    log.warn({ err: error }, 'snapshots of shards may be left on the source');
  });
}

/** After a failure: `false` when shard snapshots are given up for good, else it is thrown again. */
async function instead(phase: Phase, failures: number, error: unknown): Promise<false> {
  const { snapshots, log, signal } = phase;
  const run = runOf(phase);
  run.update({ failures });
  if (snapshots.required || !givesUp(error, failures)) throw error;
  // To a shard whose recovery was cut off nothing can be written but another snapshot.
  if ((await snapshots.broken(signal)) !== undefined) throw error;
  await snapshots.giveUp(run);
  log.warn({ err: error }, 'shard snapshots are given up, points are sent one by one');
  const why = error instanceof Error ? error.message : 'unknown failure';
  run.update({ engine: 'Scroll', reason: `shard snapshots were given up: ${why}`.slice(0, MAX_REASON) });
  await run.save();
  return false;
}

const MAX_REASON = 1000;

async function chosen(phase: Phase): Promise<BaseProgress> {
  const { snapshots, keeper, signal, log } = phase;
  const { base } = keeper.progress;
  if (base?.engine === 'Scroll') return base;
  // Asked again after an interruption: versions and configurations may have changed.
  const choice = await snapshots.choose(base !== undefined, signal);
  if (choice.kind === 'refused') throw new EngineRefused(choice.reason);
  const { engine, reason, indexes } = choice;
  if (base !== undefined && engine === base.engine) return base;
  if (base !== undefined) await snapshots.giveUp(runOf(phase));
  const shards = keeper.progress.base ?? newBase(engine, reason, indexes);
  log.info({ engine, reason }, 'engine is chosen');
  keeper.update({ base: { ...shards, engine, reason: reason.slice(0, MAX_REASON) } });
  await keeper.save();
  return { ...shards, engine };
}

function runOf({ keeper, signal, log }: Phase): SnapshotRun {
  const progress = (): BaseProgress => keeper.progress.base ?? newBase('ShardSnapshot', '', []);
  return {
    progress,
    update: (change) => keeper.update({ base: { ...progress(), ...change } }),
    save: () => keeper.save(),
    mayWrite: () => keeper.mayWrite(),
    signal,
    log,
  };
}

/**
 * Qdrant goes on with a recovery when nobody listens any more (measured): it would put old points over newer ones.
 *
 * @throws Unsettled
 */
export async function requireQuiet({ snapshots, keeper, signal }: ShardPhase): Promise<void> {
  const shards = Object.keys(keeper.progress.base?.shards ?? {});
  if (snapshots === undefined || shards.length === 0) return;
  const running = await snapshots.recoveries(signal);
  if (running > 0) throw new Unsettled(`${running} shard snapshots are still being put in place on the target`);
}
