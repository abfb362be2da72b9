import { hashOfPoint } from '../qdrant/wire-point.ts';
import type { Logger } from '../telemetry/index.ts';
import { type Comparison, compare, type RangeDigests } from './compare.ts';
import { Ledger, type LedgerOptions, type Sides } from './ledger.ts';
import { keyOfPoint } from './listed.ts';
import type { Leak } from './progress.ts';
import { project } from './projection.ts';
import { RangeQueue } from './range-queue.ts';
import { positionOf, rangeOf } from './ranges.ts';
import { VerifiedPoints } from './verified-points.ts';

export type Compared = Pick<Comparison, 'compared' | 'differences'>;
/** Digests of both sides, and of the points that they are made of. */
export type Read = { readonly ranges: ReadonlyMap<number, RangeDigests>; readonly points: VerifiedPoints };

const MAX_ROUNDS = 5;

/**
 * Reading both sides and making the target equal: in full, and after that only what may have changed. With `Full` there
 * is never a ledger, so that a pass takes as long as the proof will: by it the freeze is foretold.
 */
export class Contents {
  readonly #sides: Sides;
  readonly #log: Logger;
  readonly #keepsLedger: boolean;
  #ledger: Ledger | undefined;
  /** Begun before the bulk of the data travelled, and not completed yet. */
  #begun: Ledger | undefined;
  /** Nobody has settled what the ledger doubts since its points were listed. */
  #listed = false;
  /** Of the source, before its shards travelled. */
  #lineage: string | undefined;

  constructor(sides: Sides, log: Logger, verify: 'Changed' | 'Full' = 'Changed') {
    this.#sides = sides;
    this.#log = log;
    this.#keepsLedger = verify === 'Changed';
  }

  /** Before shards travel as they are. */
  async beforeShards(): Promise<void> {
    if (this.#keepsLedger) this.#lineage = await this.#sides.source.lineage?.();
  }

  /** Every shard of the target is one of the source's, and nothing was written to it since. */
  async afterShards(options: LedgerOptions): Promise<void> {
    const lineage = this.#lineage;
    this.#begun = undefined;
    this.#ledger = lineage === undefined ? undefined : await Ledger.ofShards(this.#sides, lineage, options);
    this.#listed = this.#ledger !== undefined;
    const doubtful = this.#ledger?.doubtful;
    if (doubtful !== undefined) this.#log.info({ doubtful }, 'shards were compared by the versions of their points');
  }

  /** Before points are copied one by one: what is read for that need not be read again. */
  async beforeCopy(options: LedgerOptions, fresh: boolean): Promise<Pick<LedgerOptions, 'onRead'>> {
    const begun = this.#begun ?? (fresh && this.#keepsLedger ? await Ledger.begin(this.#sides, options) : undefined);
    this.#begun = begun;
    if (begun === undefined) return {};
    return { onRead: (point) => begun.record(rangeOf(positionOf(point.id)), keyOfPoint(point), hashOfPoint(point)) };
  }

  /** One pass while writes go on. */
  async converge(options: LedgerOptions): Promise<Compared> {
    return (await this.#changed(options)) ?? (await this.#readBack(options)) ?? this.#all(options);
  }

  /**
   * After the switch: brings over what reached the source since the proof, where the target's point is still as it was
   * then. Undefined: nobody can tell what did.
   */
  async closeLeak(options: LedgerOptions): Promise<Leak | undefined> {
    const leaked = await this.#ledger?.leaked(this.#sides, options);
    if (leaked === undefined) return undefined;
    const { source, target } = this.#sides;
    const applied = leaked.untouched.length;
    const points = applied === 0 ? [] : ((await source.retrieve?.(leaked.untouched)) ?? []);
    const there = new Set(points.map(keyOfPoint));
    const upserts = points.map((point) => project(point, options.projection).write);
    if (upserts.length > 0) await options.write(() => target.upsert(upserts));
    for (const { id, shardKey } of leaked.untouched.filter((point) => !there.has(keyOfPoint(point))))
      await options.write(() => target.remove([id], shardKey));
    return { checked: true, found: leaked.all.length, applied, kept: leaked.all.length - applied };
  }

  /** Whether what was proved last is, but for what changed, that both sides have the same versions. */
  get isByVersion(): boolean {
    return this.#ledger?.isByVersion === true;
  }

  /** The first pass, when the source was read while it was copied. */
  async #readBack(options: LedgerOptions): Promise<Compared | undefined> {
    const ledger = this.#begun;
    this.#begun = undefined;
    if (ledger === undefined || !(await ledger.readBack(this.#sides, options))) return undefined;
    const { differences } = await ledger.settle(this.#sides, options);
    this.#ledger = ledger;
    return { compared: ledger.points, differences };
  }

  /** Under the fence: what was read before holds where nothing can have changed since; the rest is read now. */
  async prove(options: LedgerOptions): Promise<Read> {
    const { rememberPoints } = options;
    this.#listed = false;
    const compared = await this.#changed(options);
    const ledger = this.#ledger;
    const holds = compared !== undefined && ledger?.isSettled === true && (await ledger.stillHolds(this.#sides));
    if (!holds || ledger === undefined) return this.#provenAnew(options);
    if (ledger.isByVersion && !(await ledger.spotCheck(this.#sides, options))) {
      this.#log.warn('points of one version differ, everything is read again');
      this.#ledger = undefined;
      return this.#provenAnew(options);
    }
    this.#log.info(compared, 'what has changed was compared');
    const points = new VerifiedPoints(rememberPoints);
    for (const [range, hash] of ledger.hashes()) points.add(range, hash);
    return { ranges: ledger.digests(), points };
  }

  /** Undefined: nobody can tell what has changed. */
  async #changed(options: LedgerOptions): Promise<Compared | undefined> {
    const ledger = this.#ledger;
    if (ledger === undefined) return undefined;
    const listed = this.#listed;
    this.#listed = false;
    if (!listed && !(await ledger.refresh(this.#sides, options))) {
      this.#log.info('what was read before can not be told to hold, everything is read again');
      this.#ledger = undefined;
      return undefined;
    }
    const { differences } = await ledger.settle(this.#sides, options);
    return { compared: ledger.points, differences };
  }

  async #all(options: LedgerOptions): Promise<Compared> {
    const { source, target } = this.#sides;
    const ledger = this.#keepsLedger ? await Ledger.open(this.#sides, options) : undefined;
    const result = await compare(source, target, new RangeQueue(), {
      ...options,
      remember: (range, hash, key) => ledger?.record(range, key, hash),
      onDifference: (point) => ledger?.doubt(point),
    });
    this.#ledger = ledger;
    return result;
  }

  /** Reads everything, and again the ranges in which something differed. */
  async #provenAnew(options: LedgerOptions): Promise<Read> {
    const { source, target } = this.#sides;
    const points = new VerifiedPoints(options.rememberPoints);
    const remember = (range: number, hash: bigint): void => points.add(range, hash);
    const ranges = new Map<number, RangeDigests>();
    let wanted: readonly number[] | undefined;
    for (let round = 0; round < MAX_ROUNDS && (wanted === undefined || wanted.length > 0); round += 1) {
      for (const range of wanted ?? []) {
        points.forget(range);
        ranges.delete(range);
      }
      const result = await compare(source, target, new RangeQueue(undefined, wanted), { ...options, remember });
      for (const [range, digests] of result.ranges) ranges.set(range, digests);
      wanted = result.dirty;
    }
    return { ranges, points };
  }
}
