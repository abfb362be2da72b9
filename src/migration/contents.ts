import type { Logger } from '../telemetry/index.ts';
import { type Comparison, compare, type RangeDigests } from './compare.ts';
import { Ledger, type LedgerOptions, type Sides } from './ledger.ts';
import { RangeQueue } from './range-queue.ts';
import { VerifiedPoints } from './verified-points.ts';

export type Compared = Pick<Comparison, 'compared' | 'differences'>;
/** Digests of both sides, and of the points that they are made of. */
export type Read = { readonly ranges: ReadonlyMap<number, RangeDigests>; readonly points: VerifiedPoints };

const MAX_ROUNDS = 5;

/** Reading both sides and making the target equal: in full, and after that only what may have changed. */
export class Contents {
  readonly #sides: Sides;
  readonly #log: Logger;
  #ledger: Ledger | undefined;

  constructor(sides: Sides, log: Logger) {
    this.#sides = sides;
    this.#log = log;
  }

  /** One pass while writes go on. */
  async converge(options: LedgerOptions): Promise<Compared> {
    return (await this.#changed(options)) ?? this.#all(options);
  }

  /** Under the fence: what was read before holds where nothing can have changed since; the rest is read now. */
  async prove(options: LedgerOptions): Promise<Read> {
    const { rememberPoints } = options;
    const compared = await this.#changed(options);
    const ledger = this.#ledger;
    const holds = compared !== undefined && ledger?.isSettled === true && (await ledger.stillHolds(this.#sides));
    if (!holds || ledger === undefined) return this.#provenAnew(options);
    this.#log.info(compared, 'what has changed was compared');
    const points = new VerifiedPoints(rememberPoints);
    for (const [range, hash] of ledger.hashes()) points.add(range, hash);
    return { ranges: ledger.digests(), points };
  }

  /** Undefined: nobody can tell what has changed. */
  async #changed(options: LedgerOptions): Promise<Compared | undefined> {
    const ledger = this.#ledger;
    if (ledger === undefined) return undefined;
    if (!(await ledger.refresh(this.#sides, options))) {
      this.#log.info('what was read before can not be told to hold, everything is read again');
      this.#ledger = undefined;
      return undefined;
    }
    const { differences } = await ledger.settle(this.#sides, options);
    return { compared: ledger.points, differences };
  }

  async #all(options: LedgerOptions): Promise<Compared> {
    const { source, target } = this.#sides;
    const ledger = await Ledger.open(this.#sides, options);
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
