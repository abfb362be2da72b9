import { type Static, Type } from 'typebox';
import type { Held } from './keeper.ts';
import { parseKept } from './worker-json.ts';

const text = Type.String({ maxLength: 4096 });
const count = Type.Integer({ minimum: 0 });
const digest = Type.String({ pattern: '^\\d{1,16}-[0-9a-f]{32}$' });

const result = Type.Object({
  /** Milliseconds since the epoch. What was acknowledged before is on both sides, where they were brought in step. */
  begunAt: count,
  /** Of the last pass. */
  milliseconds: count,
  /** That serve. */
  points: count,
  /** Brought over to what was left. */
  written: count,
  /** Taken out of what was left, because what serves doesn't have them. */
  removed: count,
  /** The same, and not taken out. */
  lacking: count,
  /** Digests of both sides as they were read, before anything of the last pass was written. */
  served: digest,
  left: digest,
  equal: Type.Boolean(),
});
export type ReverseResult = Static<typeof result>;

const progress = Type.Object({
  version: Type.Literal(1),
  /** `<uid>/<run>`: progress of another run is no progress of this one. */
  change: text,
  phase: Type.Union([Type.Literal('Running'), Type.Literal('Done')]),
  holder: Type.Object({ id: text, pod: text, beat: count, released: Type.Boolean() }),
  failure: Type.Optional(Type.Object({ reason: text, message: text })),
  result: Type.Optional(result),
});
export type ReverseProgress = Static<typeof progress>;

export const newReverseProgress = (change: string, holder: Held['holder']): ReverseProgress => ({
  version: 1,
  change,
  phase: 'Running',
  holder,
});

/** @returns undefined for a text that is no progress of this version */
export const parseReverseProgress = (json: string | undefined): ReverseProgress | undefined =>
  parseKept(progress, json);
