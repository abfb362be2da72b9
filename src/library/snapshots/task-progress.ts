import { type Static, Type } from 'typebox';
import { type Held, parseKept } from '../../migration/index.ts';
import { manifestSchema } from './manifest.ts';

/** Key of the ConfigMap under which the progress stands as JSON. */
export const TASK_PROGRESS_KEY = 'progress.json';

const text = Type.String({ maxLength: 4096 });
const count = Type.Integer({ minimum: 0 });

const progress = Type.Object({
  version: Type.Literal(1),
  change: text,
  holder: Type.Object({ id: text, pod: text, beat: count, released: Type.Boolean() }),
  phase: Type.Union([Type.Literal('Running'), Type.Literal('Done')]),
  /** What it is at, in words. */
  step: Type.Optional(text),
  /** Bytes of finished parts, and of all as far as they are known. */
  bytes: Type.Optional(count),
  total: Type.Optional(count),
  /** Files that peers were asked for, shard by shard, until the manifest lists them. */
  asked: Type.Optional(
    Type.Array(
      Type.Object({
        peer: text,
        shard: count,
        collection: text,
        /** What lay there before the first was asked for. */
        before: Type.Array(text),
        /** Names that answers told. */
        files: Type.Optional(Type.Array(text)),
        /** How often it was asked without an answer; not given: once. */
        open: Type.Optional(count),
      }),
    ),
  ),
  /** Why the last attempt failed; `lasting`: another one can't help. */
  failure: Type.Optional(Type.Object({ reason: text, message: text, lasting: Type.Boolean() })),
  manifest: Type.Optional(manifestSchema),
  /** Names of snapshots that are no more. */
  dropped: Type.Optional(Type.Array(text)),
  restored: Type.Optional(
    Type.Object({
      points: count,
      digest: text,
      /** Whether the manifest has a digest, which this one equals. */
      proved: Type.Boolean(),
      milliseconds: count,
    }),
  ),
});
/** What a snapshot's or a restore's worker says; beside its own ConfigMap it may write nothing in Kubernetes. */
export type TaskProgress = Static<typeof progress>;

export const freshProgress = (change: string, holder: Held['holder']): TaskProgress => ({
  version: 1,
  change,
  holder,
  phase: 'Running',
});

/** @returns undefined for a text that is no progress of this version */
export const parseTaskProgress = (json: string | undefined): TaskProgress | undefined => parseKept(progress, json);
