import type { Alarm } from './trigger.ts';

/** A move that was carried out: by it libraries rest, and the next moves are timed. */
export type PastMove = {
  readonly from: string;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
  readonly seconds: number;
  readonly bytes: number;
};

/** What a policy must not forget with its process, besides load and plan. Times in milliseconds since the epoch. */
export type Kept = {
  readonly alarms: readonly Alarm[];
  /** The last move of each library. */
  readonly moved: Readonly<Record<string, PastMove>>;
  /** Plans that were called for one after another and came to nothing. */
  readonly refusals: number;
  /** Until then no other plan is looked for. */
  readonly quietUntil: number;
  /** Somebody asks for a plan now, whether or not thresholds have been exceeded for long enough. */
  readonly asked: boolean;
  /** Why the last plan that was looked for came to nothing; told until another one is looked for. */
  readonly told?: string;
};

export const NOTHING_KEPT: Kept = { alarms: [], moved: {}, refusals: 0, quietUntil: 0, asked: false };

export type MoveState = 'Running' | 'Done' | 'Failed' | 'Stopped';

/** What became of one move of the plan. */
export type MoveRecord = {
  /** Place in the plan. */
  readonly index: number;
  readonly library: string;
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  readonly state: MoveState;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Its library was seen at work on it. */
  readonly begun?: boolean;
  /** The order was taken back; the move ends by the rules of its library. */
  readonly withdrawn?: boolean;
  /** Since when it is refused. */
  readonly blockedSince?: number;
  readonly message?: string;
};

export type Execution = {
  /** Of the plan. */
  readonly digest: string;
  readonly startedAt: number;
  readonly moves: readonly MoveRecord[];
};

/** @returns undefined for a text that is no JSON object */
export function parseRecord<T extends object>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

/** A library rests for an hour and does not go back for a day; what is older tells nothing. */
const REMEMBERED_MILLISECONDS = 2 * 24 * 3_600_000;

export const withoutOldMoves = ({ moved, ...kept }: Kept, now: number): Kept => ({
  ...kept,
  moved: Object.fromEntries(
    Object.entries(moved).filter(
      ([, { endedAt, seconds }]) => now - endedAt < REMEMBERED_MILLISECONDS + seconds * 3000,
    ),
  ),
});
