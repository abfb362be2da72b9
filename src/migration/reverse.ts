import type { Logger } from '../telemetry/index.ts';
import { combineDigests, EMPTY_DIGEST, formatDigest, sameDigest } from '../vectors/index.ts';
import { compare } from './compare.ts';
import type { PassOptions } from './copy.ts';
import { continued, Keeper, type ProgressStore, type Timing } from './keeper.ts';
import type { Projection } from './projection.ts';
import { RangeQueue } from './range-queue.ts';
import { Recorder } from './recorder.ts';
import { newReverseProgress, type ReverseProgress, type ReverseResult } from './reverse-progress.ts';
import { aliasedEverywhere, type Side, unreadable } from './side.ts';

/** Opens what was left for the worker's own writes, and closes it again. */
export type Gate = { readonly open: () => Promise<void>; readonly close: () => Promise<void> };

export type ReverseSettings = {
  readonly lanes: number;
  readonly pageSize: number;
  readonly projection: Projection;
  /** The public name: it must lead to what serves, and to nothing that was left. */
  readonly alias: string;
  /** False: both sides are only compared. */
  readonly write: boolean;
  /** Most points, in percent of what was left, that one run takes out of it. */
  readonly removalPercent: number;
  readonly leaseMilliseconds: number;
};

export type ReverseTask = {
  /** `<uid>/<run>`. */
  readonly change: string;
  /** What serves. */
  readonly source: Side;
  /** What a move has left. */
  readonly target: Side;
  readonly gate: Gate;
  readonly store: ProgressStore<ReverseProgress>;
  readonly identity: { readonly id: string; readonly pod: string };
  readonly settings: ReverseSettings;
  readonly timing: Timing;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Whether repeating a write may help. */
  readonly isTransient: (error: unknown) => boolean;
};

/** Clients write on while both sides are read: a pass that finds nothing more may never come. */
const MAX_PASSES = 3;
const MAX_ATTEMPTS = 8;

/**
 * Compares what serves with what a move has left and, where that is wanted, brings what was left in step. A bounded
 * run: the next one begins anew. May be killed anywhere: what is written by then is what serves has, too.
 *
 * What serves may have lost points instead of having them deleted by clients, and nobody can tell these apart. So
 * points are taken out of what was left only when a whole pass is over, both sides were readable in full before and
 * after it, and not too many are to go.
 *
 * @throws the signal's reason; ProgressConflict when another worker has taken over; NotInStep when a name or a shard is
 * not as it must be
 */
export async function runReverse(task: ReverseTask): Promise<void> {
  const { store, change, identity, timing, log, signal, settings } = task;
  const { leaseMilliseconds } = settings;
  const keeper = await Keeper.takeOver({
    store,
    begin: continued(change, newReverseProgress),
    identity,
    timing,
    log,
    signal,
    leaseMilliseconds,
  });
  try {
    if (keeper.progress.phase === 'Done') return;
    const result = await inPasses(task, keeper);
    log.info({ ...result }, 'both sides were compared');
    keeper.update({ phase: 'Done', result, failure: undefined });
    await keeper.save();
  } catch (error) {
    await tellFailure(task, keeper, error);
    throw error;
  } finally {
    await keeper.release().catch((error: unknown) => log.warn({ err: error }, 'progress can not be released'));
  }
}

async function inPasses(task: ReverseTask, keeper: Keeper<ReverseProgress>): Promise<ReverseResult> {
  let written = 0;
  let removed = 0;
  for (let pass = 1; ; pass += 1) {
    const seen = await onePass(task, keeper);
    written += seen.written;
    removed += seen.removed;
    const result = { ...seen, written, removed };
    if (!task.settings.write || seen.equal || seen.lacking > 0 || pass >= MAX_PASSES) return result;
  }
}

async function onePass(task: ReverseTask, keeper: Keeper<ReverseProgress>): Promise<ReverseResult> {
  const { source, target, settings, timing, clock } = task;
  const begunAt = clock();
  const started = timing.now();
  await requireInOrder(task);
  const signal = AbortSignal.any([task.signal, keeper.lost]);
  const writing = new Writing(task, keeper, signal);
  const recorder = new Recorder(target, settings.write ? (points) => writing.upsert(points) : undefined);
  const options: PassOptions = {
    lanes: settings.lanes,
    pageSize: settings.pageSize,
    projection: settings.projection,
    signal,
    write: (action) => action(),
    onProgress: () => keeper.touch(),
  };
  try {
    const { ranges } = await compare(source, recorder.side, new RangeQueue(), options);
    await requireInOrder(task);
    let served = EMPTY_DIGEST;
    let left = EMPTY_DIGEST;
    for (const range of ranges.values()) {
      served = combineDigests(served, range.source);
      left = combineDigests(left, range.target);
    }
    const extra = recorder.removals.length;
    const most = Math.floor((left.count * settings.removalPercent) / 100);
    const removing = settings.write && extra <= most;
    if (removing) for (const { ids, shardKey } of recorder.batches()) await writing.remove(ids, shardKey);
    return {
      begunAt,
      milliseconds: Math.round(timing.now() - started),
      points: served.count,
      written: settings.write ? recorder.upserts : 0,
      removed: removing ? extra : 0,
      lacking: removing ? 0 : extra,
      served: formatDigest(served),
      left: formatDigest(left),
      equal: sameDigest(served, left),
    };
  } finally {
    await writing.end();
  }
}

/** Whatever was left keeps its fence, but for the moments in which the worker writes. */
class Writing {
  readonly #task: ReverseTask;
  readonly #keeper: Keeper<ReverseProgress>;
  readonly #signal: AbortSignal;
  #opening: Promise<void> | undefined;

  constructor(task: ReverseTask, keeper: Keeper<ReverseProgress>, signal: AbortSignal) {
    this.#task = task;
    this.#keeper = keeper;
    this.#signal = signal;
  }

  upsert = async (points: Parameters<Side['upsert']>[0]): Promise<void> => {
    await this.#open();
    await this.#repeat(() => this.#task.target.upsert(points));
  };

  remove = async (...removal: Parameters<Side['remove']>): Promise<void> => {
    await this.#open();
    await this.#repeat(() => this.#task.target.remove(...removal));
  };

  async end(): Promise<void> {
    if (this.#opening === undefined) return;
    await this.#opening.catch(() => {});
    const { gate, log } = this.#task;
    // The operator closes what a worker that was killed has left open.
    await gate.close().catch((error: unknown) => log.warn({ err: error }, 'what was left can not be closed'));
  }

  #open(): Promise<void> {
    this.#opening ??= this.#repeat(() => this.#task.gate.open());
    return this.#opening;
  }

  async #repeat(action: () => Promise<void>): Promise<void> {
    const { isTransient, timing } = this.#task;
    for (let attempt = 1; ; attempt += 1) {
      await this.#keeper.mayWrite();
      this.#signal.throwIfAborted();
      try {
        return await action();
      } catch (error) {
        if (!isTransient(error) || attempt >= MAX_ATTEMPTS) throw error;
        await timing.sleep(100 * 2 ** attempt, this.#signal);
      }
    }
  }
}

/** A name, or a shard, is not as it must be for one side to be told from the other. */
export class NotInStep extends Error {
  override readonly name = 'NotInStep';
}

async function requireInOrder({ source, target, settings }: ReverseTask): Promise<void> {
  const [serving, left] = await Promise.all([source.state(), target.state()]);
  // Qdrant answers 200 without the points of a shard that can't be read (S2): they would be taken for deleted.
  const partial = unreadable(serving) ?? unreadable(left);
  if (partial !== undefined) throw new NotInStep(`a side can't be read in full: ${partial}`);
  if (!aliasedEverywhere(serving, settings.alias))
    throw new NotInStep(`${settings.alias} does not lead to ${source.collection} on every peer`);
  const alias = left.peers.flatMap(({ aliases }) => aliases)[0];
  if (alias !== undefined) throw new NotInStep(`alias ${alias} leads to ${target.collection}: clients may write there`);
}

async function tellFailure(
  { log, signal }: ReverseTask,
  keeper: Keeper<ReverseProgress>,
  error: unknown,
): Promise<void> {
  if (keeper.lost.aborted || signal.aborted) return;
  const message = (error instanceof Error ? error.message : 'unknown failure').slice(0, 1000);
  const reason =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : nameOf(error);
  keeper.update({ failure: { reason, message } });
  await keeper.save().catch((failure: unknown) => log.warn({ err: failure }, 'progress can not be saved'));
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'Unknown');
