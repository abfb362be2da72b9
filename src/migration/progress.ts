import { type Static, Type } from 'typebox';
import type { EngineName } from './engine-choice.ts';
import { parseKept } from './worker-json.ts';

/** Key of the ConfigMap under which the progress stands as JSON. */
export const PROGRESS_KEY = 'progress.json';

const PHASES = ['Copying', 'Converging', 'Verified', 'Done', 'Failed'] as const;
export type Phase = (typeof PHASES)[number];

const text = Type.String({ maxLength: 4096 });
const count = Type.Integer({ minimum: 0 });
const digest = Type.String({ pattern: '^\\d{1,16}-[0-9a-f]{32}$' });

const verification = Type.Object({
  /** The fence that held while both sides were read. */
  nonce: text,
  /** Milliseconds since the epoch, the worker's clock. */
  at: count,
  source: digest,
  target: digest,
  sourceCount: count,
  targetCount: count,
  /** From the moment every peer showed the fence. */
  freezeMilliseconds: count,
  /** Digests are of the versions that shards carried over, and of the contents of what has changed since. */
  byVersion: Type.Optional(Type.Boolean()),
  /** Searches whose nearest points were compared, beside all that is stored. */
  neighbours: Type.Optional(count),
  /** `<range>:<digest>` of each range that holds points, by spaces. */
  ranges: Type.String({ maxLength: 400_000 }),
});
export type Verification = Static<typeof verification>;

const GIVEN_UP = ['FenceLeaks', 'WritesQueued', 'SidesDiffer', 'FreezeTooLong'] as const;
export type GivenUp = (typeof GIVEN_UP)[number];

const leak = Type.Object({
  /** False when the old collection could not be read any more. */
  checked: Type.Boolean(),
  /** Points of the old generation that changed after the verification. */
  found: count,
  /** Of these: brought over, because the new generation's was untouched. */
  applied: count,
  /** Of these: not brought over; the new generation has a later write, or this worker didn't see the verification. */
  kept: count,
});
export type Leak = Static<typeof leak>;

const shard = Type.Object({
  /** Peer of the source that was asked for its snapshot. */
  peer: text,
  /** Names of snapshots that lay there before: they are not ours. */
  before: Type.Array(text),
  /** The snapshot, while it lies there. */
  file: Type.Optional(Type.Object({ name: text, bytes: count, sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) })),
  /** Peers of the target whose replica was recovered from it. */
  recovered: Type.Array(text),
  done: Type.Boolean(),
});
export type ShardProgress = Static<typeof shard>;

const left = Type.Object({ peer: text, shard: count, before: shard.properties.before, file: shard.properties.file });
/** A snapshot on the source that could not be deleted. */
export type LeftFile = Static<typeof left>;

const base = Type.Object({
  engine: Type.Unsafe<EngineName>({ enum: ['Scroll', 'ShardSnapshot'] }),
  /** Why this engine; where shard snapshots were given up, why. */
  reason: text,
  /** Sent to the target so far, of what is known to be sent. */
  bytes: count,
  bytesTotal: count,
  /** Attempts in a row at shard snapshots that failed. */
  failures: count,
  /** Fields that the target had a payload index for before anything was recovered. */
  indexes: Type.Array(text),
  /** By id. */
  shards: Type.Record(Type.String(), shard),
  left: Type.Optional(Type.Array(left)),
  /** How many shards there are; 0 with another engine. */
  shardsTotal: count,
  milliseconds: Type.Optional(count),
});
export type BaseProgress = Static<typeof base>;

const progress = Type.Object({
  version: Type.Literal(1),
  /** `<uid>/<generation>`: progress of another change is no progress of this one. */
  change: text,
  phase: Type.Unsafe<Phase>({ enum: PHASES }),
  holder: Type.Object({ id: text, pod: text, beat: count, released: Type.Boolean() }),
  copied: count,
  total: count,
  /** Passes of comparison that were finished. */
  passes: count,
  ranges: Type.Optional(Type.Object({ done: Type.Array(text), cursors: Type.Record(Type.String(), text) })),
  /** How the bulk of the data travels; absent until that is decided. */
  base: Type.Optional(base),
  lastPass: Type.Optional(Type.Object({ milliseconds: count, compared: count, differences: count })),
  /** Why it waits, or what went wrong last, in words. */
  note: Type.Optional(text),
  failure: Type.Optional(Type.Object({ reason: text, message: text })),
  /** The fence under which nothing is tried any more, and why: it is held for nothing. */
  gaveUp: Type.Optional(Type.Object({ nonce: text, reason: Type.Unsafe<GivenUp>({ enum: GIVEN_UP }), message: text })),
  verified: Type.Optional(verification),
  leak: Type.Optional(leak),
});

export type Progress = Static<typeof progress>;

export const newProgress = (change: string, holder: Progress['holder']): Progress => ({
  version: 1,
  change,
  phase: 'Copying',
  holder,
  copied: 0,
  total: 0,
  passes: 0,
});

/** @returns undefined for a text that is no progress of this version */
export const parseProgress = (json: string | undefined): Progress | undefined => parseKept(progress, json);
