import { inSpan, type Logger, tracerOf } from '../telemetry/index.ts';
import { formatDigest } from '../vectors/index.ts';
import { Contents } from './contents.ts';
import type { CopyEngine } from './copy.ts';
import { continued, Keeper, type ProgressStore, type Timing } from './keeper.ts';
import { closeLeak } from './leak.ts';
import type { LedgerOptions } from './ledger.ts';
import { neighboursAgree } from './neighbours.ts';
import { type GivenUp, type Leak, newProgress, type Progress } from './progress.ts';
import type { Projection } from './projection.ts';
import { RangeQueue } from './range-queue.ts';
import { copyAsShards, requireQuiet, type ShardPhase } from './shard-phase.ts';
import {
  aliasedEverywhere,
  aliasedSomewhere,
  commonFence,
  restless,
  type Side,
  type SideState,
  unreadable,
} from './side.ts';
import type { SnapshotBase } from './snapshot-base.ts';
import { leakOf, tighten } from './tighten.ts';
import type { VerifiedPoints } from './verified-points.ts';
import { type Evidence, objections, parseRanges, rangesText, totals } from './verify.ts';

export type CopySettings = {
  readonly lanes: number;
  readonly pageSize: number;
  /** Points listed at a time, of which only ids and versions are asked for. */
  readonly listSize?: number | undefined;
  readonly projection: Projection;
  /** The public name: when every peer shows it on the target, the switch has happened. */
  readonly alias: string;
  /** How long after the fence is seen everywhere a write may still be on its way. */
  readonly settleMilliseconds: number;
  /** The same where Qdrant doesn't tell the length of its update queue. */
  readonly blindSettleMilliseconds: number;
  readonly pollMilliseconds: number;
  /** For using up the tokens of the fence's limiters. */
  readonly drainMilliseconds: number;
  /** Between two comparisons without a fence: at least this, at most `maxPauseMilliseconds`. */
  readonly minPauseMilliseconds: number;
  readonly maxPauseMilliseconds: number;
  /** Full: all of both sides is read under the fence, whatever is known from before; Changed when not given. */
  readonly verify?: 'Changed' | 'Full' | undefined;
  /** A verification that takes longer is given up: the operator lifts the fence. */
  readonly maxFreezeMilliseconds: number;
  readonly leaseMilliseconds: number;
  /** Points whose hashes are kept after the verification, to tell what leaked from what was written since. */
  readonly rememberPoints: number;
};

export type CopyTask = {
  /** `<uid>/<generation>`. */
  readonly change: string;
  readonly source: Side;
  readonly target: Side;
  readonly engine: CopyEngine;
  /** Tried before the engine; undefined: it never is. */
  readonly snapshots?: SnapshotBase | undefined;
  readonly store: ProgressStore<Progress>;
  readonly identity: { readonly id: string; readonly pod: string };
  readonly settings: CopySettings;
  readonly timing: Timing;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Whether repeating may help. */
  readonly isTransient: (error: unknown) => boolean;
};

const tracer = tracerOf('qdrant-librarian.copy');

const MAX_FAILURES = 10;
const MAX_BACKOFF = 30_000;

/**
 * Copies a generation, keeps the copy in step, proves both equal under the fence, and looks for late writes after the
 * switch. Ends when that is done. May be killed anywhere: the next one goes on from the progress.
 *
 * @throws the signal's reason; ProgressConflict when another worker has taken over; what failed ten times in a row
 */
export async function runCopy(task: CopyTask): Promise<void> {
  const { store, change, identity, timing, log, signal, settings } = task;
  const keeper = await Keeper.takeOver({
    store,
    begin: continued(change, newProgress),
    identity,
    timing,
    log,
    signal,
    leaseMilliseconds: settings.leaseMilliseconds,
  });
  try {
    await new CopyRun(task, keeper).toTheEnd();
  } finally {
    await keeper.release().catch((error: unknown) => log.warn({ err: error }, 'progress can not be released'));
  }
}

/** A lane for so many pages: more would only read each other's pages. */
const PAGES_OF_A_LANE = 8;

const lanesFor = (points: number, { lanes, pageSize }: CopySettings): number =>
  Math.max(1, Math.min(lanes, Math.floor(points / (pageSize * PAGES_OF_A_LANE))));

class CopyRun {
  readonly #task: CopyTask;
  readonly #keeper: Keeper<Progress>;
  readonly #signal: AbortSignal;
  #failures = 0;
  #nextPassAt = 0;
  #points: VerifiedPoints | undefined;
  readonly #contents: Contents;

  constructor(task: CopyTask, keeper: Keeper<Progress>) {
    this.#task = task;
    this.#keeper = keeper;
    this.#contents = new Contents(task, task.log, task.settings.verify);
    this.#signal = AbortSignal.any([task.signal, keeper.lost]);
  }

  async toTheEnd(): Promise<void> {
    while (this.#keeper.progress.phase !== 'Done') {
      this.#signal.throwIfAborted();
      try {
        await this.#tracedStep();
        this.#failures = 0;
      } catch (error) {
        await this.#afterFailure(error);
      }
    }
  }

  async #afterFailure(error: unknown): Promise<void> {
    this.#signal.throwIfAborted();
    const { isTransient, log, timing } = this.#task;
    this.#failures += 1;
    const message = error instanceof Error ? error.message : 'unknown failure';
    if (!isTransient(error) || this.#failures >= MAX_FAILURES) {
      this.#keeper.update({ failure: { reason: reasonOf(error), message: message.slice(0, 1000) } });
      throw error;
    }
    log.warn({ err: error, failures: this.#failures }, 'copying is interrupted');
    // A peer that is just being started again is nobody's concern.
    if (this.#failures > 1) this.#meets(error);
    await timing.sleep(Math.min(MAX_BACKOFF, 250 * 2 ** this.#failures), this.#signal);
  }

  /** Whoever waits for the copy is told what it meets again and again. */
  #meets(error: unknown): void {
    this.#keeper.update({ note: (error instanceof Error ? error.message : 'unknown failure').slice(0, 1000) });
    this.#keeper.touch();
  }

  #tracedStep(): Promise<void> {
    const { phase } = this.#keeper.progress;
    const attributes = { 'copy.change': this.#task.change };
    return inSpan(tracer, { name: `copy ${phase}`, root: true, attributes }, () => this.#step());
  }

  async #step(): Promise<void> {
    const { source, target, settings, timing } = this.#task;
    const { phase, verified, gaveUp } = this.#keeper.progress;
    if (phase === 'Copying' || phase === 'Failed') return this.#copy();
    const state = await source.state();
    if (verified !== undefined && aliasedEverywhere(await target.state(), settings.alias)) {
      // Of a move the target bears the name a moment before the source has lost it, and the switch may still be undone.
      if (!aliasedSomewhere(state, settings.alias)) return this.#finish();
    }
    const fence = commonFence(state);
    if (verified !== undefined && lifted(state, verified.nonce)) return this.#unverify(state);
    if (fence !== undefined && verified === undefined && fence !== gaveUp?.nonce) return this.#prove(fence);
    const calm = state.peers.every((peer) => peer.fence === undefined);
    if (calm && timing.now() >= this.#nextPassAt) return this.#converge();
    this.#keeper.touch();
    await timing.sleep(settings.pollMilliseconds, this.#signal);
  }

  /** The bulk of the data. */
  async #copy(): Promise<void> {
    const { source, target, engine, log } = this.#task;
    await this.#requireReadable(source, 'source');
    await this.#requireUnused();
    const keeper = this.#keeper;
    const total = await source.count();
    keeper.update({ total, phase: 'Copying', failure: undefined });
    // What an earlier worker has begun was not seen by this one.
    const fresh = keeper.progress.copied === 0 && keeper.progress.base === undefined;
    if (fresh) await this.#contents.beforeShards();
    if (await copyAsShards(this.#shardPhase())) {
      if (fresh) await this.#contents.afterShards(this.#passOptions(this.#signal));
      keeper.update({ copied: total, phase: 'Converging', ranges: undefined, note: undefined });
      return keeper.save();
    }
    const unread = keeper.progress.copied === 0 && engine.name === 'Scroll';
    const reading = await this.#contents.beforeCopy(this.#passOptions(this.#signal), unread);
    const queue = new RangeQueue(keeper.progress.ranges);
    let copied = keeper.progress.copied;
    const save = (points: number): void => {
      copied += points;
      keeper.update({ copied, ranges: queue.progress(), note: undefined });
      keeper.touch();
    };
    try {
      await engine.base(source, target, queue, { ...this.#passOptions(this.#signal), ...reading, onProgress: save });
    } finally {
      keeper.update({ copied, ranges: queue.progress() });
    }
    log.info({ copied }, 'base copy is done');
    keeper.update({ phase: 'Converging', ranges: undefined, note: undefined });
    await keeper.save();
  }

  /** One comparison of everything; given up as soon as a fence shows, for then a better one is due. */
  async #converge(): Promise<void> {
    const { source, target, settings, timing, log } = this.#task;
    await this.#requireReadable(source, 'source');
    await this.#requireReadable(target, 'target');
    await this.#requireUnused();
    await requireQuiet(this.#shardPhase());
    const begun = timing.now();
    const fenced = new AbortController();
    const signal = AbortSignal.any([this.#signal, fenced.signal]);
    const watching = this.#watch(signal, (state) => {
      if (state.peers.some((peer) => peer.fence !== undefined)) fenced.abort(new Error('a fence shows'));
    });
    try {
      const result = await this.#contents.converge(this.#passOptions(signal));
      const milliseconds = Math.round(timing.now() - begun);
      const { passes } = this.#keeper.progress;
      const lastPass = { milliseconds, compared: result.compared, differences: result.differences };
      log.info({ pass: passes + 1, ...lastPass }, 'comparison is done');
      this.#keeper.update({
        passes: passes + 1,
        lastPass,
        total: result.compared,
        note: undefined,
        failure: undefined,
      });
      await this.#keeper.save();
      const { minPauseMilliseconds: least, maxPauseMilliseconds: most } = settings;
      this.#nextPassAt = timing.now() + Math.min(most, Math.max(least, milliseconds));
    } catch (error) {
      if (!fenced.signal.aborted) throw error;
    } finally {
      fenced.abort(new Error('the pass is over'));
      await watching;
    }
  }

  /** Under the fence: makes the target equal, reads both sides in full, and says so only if everything agrees. */
  async #prove(nonce: string): Promise<void> {
    const { source, target, timing, settings, log } = this.#task;
    const seenAt = timing.now();
    await this.#requireUnused();
    await requireQuiet(this.#shardPhase());
    const passed = await this.#tighten(nonce);
    if (passed === undefined) return;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#signal, over.signal]);
    const watching = this.#watch(signal, (state) => {
      const unrest = restless(state);
      if (unrest !== undefined) over.abort(new GaveUp('FenceLeaks', unrest));
      else if (commonFence(state) !== nonce) over.abort(new GaveUp('FenceLeaks', 'the fence was lifted'));
      else if (timing.now() - seenAt > settings.maxFreezeMilliseconds)
        over.abort(new GaveUp('FreezeTooLong', 'the freeze took too long'));
    });
    try {
      const evidence = await this.#evidence({ ...this.#passOptions(signal), idleWrites: passed });
      const against = objections(evidence);
      if (against.length > 0) throw new GaveUp('SidesDiffer', against.join('; '));
      const { projection } = settings;
      const neighbours = await neighboursAgree(source, target, { ranges: [...evidence.ranges.keys()], projection });
      signal.throwIfAborted();
      if (neighbours.against !== undefined) throw new GaveUp('SidesDiffer', neighbours.against);
      await this.#requireTight();
      await requireQuiet(this.#shardPhase());
      if (commonFence(await source.state()) !== nonce) return;
      const { source: whole, target: copy } = totals(evidence.ranges);
      const freezeMilliseconds = Math.round(timing.now() - seenAt);
      log.info({ points: whole.count, freezeMilliseconds }, 'both sides are equal');
      this.#keeper.update({
        phase: 'Verified',
        note: undefined,
        gaveUp: undefined,
        verified: {
          nonce,
          at: Date.now(),
          source: formatDigest(whole),
          target: formatDigest(copy),
          sourceCount: evidence.counts.source,
          targetCount: evidence.counts.target,
          freezeMilliseconds,
          ...(this.#contents.isByVersion ? { byVersion: true } : {}),
          neighbours: neighbours.compared,
          ranges: rangesText(evidence.ranges),
        },
      });
      await this.#keeper.save();
    } catch (error) {
      const cause: unknown = over.signal.aborted ? over.signal.reason : error;
      if (!(cause instanceof GaveUp)) throw error;
      await this.#giveUp(nonce, cause);
    } finally {
      over.abort(new Error('the proof is over'));
      await watching;
    }
  }

  /** How many of our writes passed on the way; undefined when the fence is gone meanwhile, or was given up. */
  async #tighten(nonce: string): Promise<number | undefined> {
    const { source, timing, settings, log } = this.#task;
    const result = await tighten({
      side: source,
      nonce,
      timing,
      signal: this.#signal,
      pollMilliseconds: settings.pollMilliseconds,
      drainMilliseconds: settings.drainMilliseconds,
      limitMilliseconds: settings.maxFreezeMilliseconds,
      settleMilliseconds: settings.settleMilliseconds,
      blindSettleMilliseconds: settings.blindSettleMilliseconds,
      touch: () => this.#keeper.touch(),
    });
    switch (result.kind) {
      case 'tight':
        log.info({ rounds: result.rounds, drainMilliseconds: result.drainMilliseconds }, 'the fence is tight');
        return result.passed;
      case 'lifted':
        return undefined;
      case 'leaky':
        await this.#giveUp(nonce, new GaveUp('FenceLeaks', result.reason));
        return undefined;
      case 'queued':
        await this.#giveUp(nonce, new GaveUp('WritesQueued', result.reason));
        return undefined;
    }
  }

  /** A peer that was started again while both sides were read has a full limiter, and looks as before. */
  async #requireTight(): Promise<void> {
    const { source } = this.#task;
    const leak = leakOf(await source.probeWrites(this.#signal)) ?? restless(await source.state());
    if (leak !== undefined) throw new GaveUp('FenceLeaks', `after both sides were read: ${leak}`);
  }

  async #evidence(options: LedgerOptions): Promise<Evidence> {
    const { source, target } = this.#task;
    const before = await this.#states();
    const { ranges, points } = await this.#contents.prove(options);
    const counts = { source: await source.count(), target: await target.count() };
    this.#points = points.isComplete ? points : undefined;
    return { ranges, counts, states: [...before, ...(await this.#states())] };
  }

  async #states(): Promise<Evidence['states']> {
    const { source, target } = this.#task;
    const [a, b] = await Promise.all([source.state(), target.state()]);
    return [
      { side: 'source', state: a },
      { side: 'target', state: b },
    ];
  }

  /** After the switch: nothing that reached the old collection late may stay behind. */
  async #finish(): Promise<void> {
    const { source, target, log } = this.#task;
    const { verified } = this.#keeper.progress;
    const byContents = (): Promise<Leak> =>
      verified === undefined || verified.byVersion === true
        ? Promise.resolve(UNCHECKED)
        : closeLeak(source, target, { ...options, verified: parseRanges(verified.ranges), points: this.#points });
    const state = await source.state();
    const gone = state.silent.length === 0 && state.peers.every(({ exists }) => !exists);
    const options = this.#passOptions(this.#signal);
    const leak =
      verified === undefined || gone ? UNCHECKED : ((await this.#contents.closeLeak(options)) ?? (await byContents()));
    log.info(leak, 'looked for late writes');
    this.#keeper.update({ phase: 'Done', leak, note: undefined });
    await this.#keeper.save();
  }

  async #unverify(state: SideState): Promise<void> {
    const { target, settings } = this.#task;
    const moved = !aliasedSomewhere(state, settings.alias);
    if (moved && aliasedEverywhere(await target.state(), settings.alias)) return;
    this.#task.log.info('the fence was lifted without a switch');
    this.#keeper.update({ phase: 'Converging', verified: undefined });
    await this.#keeper.save();
  }

  /** Says at once that nothing more is tried under this fence: the operator lifts it. */
  async #giveUp(nonce: string, { reason, message }: GaveUp): Promise<void> {
    this.#task.log.warn({ reason, note: message }, 'both sides could not be proved equal');
    const note = message.slice(0, 1000);
    this.#keeper.update({ note, gaveUp: { nonce, reason, message: note } });
    await this.#keeper.save();
  }

  async #requireReadable(side: Side, name: string): Promise<void> {
    const reason = unreadable(await side.state());
    if (reason !== undefined) throw new Unreadable(`the ${name} can't be read in full: ${reason}`);
  }

  /** Clients may have written to a target that bears a name: copying into it would put old points over theirs. */
  async #requireUnused(): Promise<void> {
    const { target } = this.#task;
    const alias = (await target.state()).peers.flatMap(({ aliases }) => aliases)[0];
    if (alias !== undefined) throw new TargetInUse(`alias ${alias} leads to the target ${target.collection}`);
  }

  async #watch(signal: AbortSignal, look: (state: SideState) => void): Promise<void> {
    const { source, timing, settings } = this.#task;
    while (!signal.aborted) {
      try {
        await timing.sleep(settings.pollMilliseconds, signal);
        this.#keeper.touch();
        look(await source.state());
      } catch {
        // Whatever keeps the state from being read keeps the pass from ending well, too.
      }
    }
  }

  #shardPhase(): ShardPhase {
    const { snapshots, timing, log } = this.#task;
    return { snapshots, keeper: this.#keeper, timing, log, signal: this.#signal };
  }

  #passOptions(signal: AbortSignal): LedgerOptions {
    const { pageSize, listSize, projection, rememberPoints } = this.#task.settings;
    const { total } = this.#keeper.progress;
    const lanes = lanesFor(total, this.#task.settings);
    const write = (action: () => Promise<void>): Promise<void> => this.#write(action, signal);
    return { lanes, pageSize, listSize, projection, rememberPoints, signal, write };
  }

  async #write(action: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { isTransient, timing } = this.#task;
    for (let attempt = 1; ; attempt += 1) {
      await this.#keeper.mayWrite();
      signal.throwIfAborted();
      try {
        return await action();
      } catch (error) {
        if (!isTransient(error) || attempt >= MAX_FAILURES) throw error;
        if (attempt > 1) this.#meets(error);
        await timing.sleep(Math.min(MAX_BACKOFF, 100 * 2 ** attempt), signal);
      }
    }
  }
}

const UNCHECKED: Leak = { checked: false, found: 0, applied: 0, kept: 0 };

/** Nothing is proved under this fence. */
class GaveUp extends Error {
  override readonly name = 'GaveUp';
  readonly reason: GivenUp;

  constructor(reason: GivenUp, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The target is in use; repeating can't help. */
export class TargetInUse extends Error {
  override readonly name = 'TargetInUse';
}

/** Somewhere the collection still is, and nowhere under this fence: so it is not replaced, but in use again. */
const lifted = ({ silent, peers }: SideState, nonce: string): boolean =>
  silent.length === 0 && peers.some(({ exists }) => exists) && !peers.some(({ fence }) => fence === nonce);

/** Not all shards can be read now: reading on would take what is missing for deleted. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

const reasonOf = (error: unknown): string => {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'Unknown';
};
