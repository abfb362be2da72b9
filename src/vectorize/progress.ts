import { type Static, Type } from 'typebox';
import { parseKept } from '../migration/index.ts';

/** Keys of the progress ConfigMap. Progress is written at most once in 2 s; the others when they change. */
export const VECTORIZE_PROGRESS_KEY = 'progress.json';
/** The last quality report, as JSON and as Markdown: at most 200 000 characters each. */
export const REPORT_JSON_KEY = 'report.json';
export const REPORT_MARKDOWN_KEY = 'report.md';
/** What the model answered to the canary texts, for the runs to come: the worker's own, at most 400 000 characters. */
export const CANARY_KEY = 'canary.json';
/** Entries that the operator doesn't read. */
export const WORKERS_OWN_KEYS = [REPORT_JSON_KEY, REPORT_MARKDOWN_KEY, CANARY_KEY] as const;

const text = Type.String({ maxLength: 1024 });
const count = Type.Integer({ minimum: 0 });

/** Words of `status.progress.step`. */
export const STEPS = ['Listing', 'Embedding', 'Deleting', 'Verifying', 'Switching'] as const;
export type Step = (typeof STEPS)[number];

const counts = Type.Object({
  /** Documents that are done, with those that failed or were empty. */
  documents: count,
  /** Chunks of those. */
  chunks: count,
  /** Chunks that the embedder made a vector for in this run, over all its pods. */
  embedded: count,
  /** Chunks whose vector the target had, under the same id or another, or an equal text of the run brought. */
  reused: count,
  /** Points deleted. */
  deleted: count,
  /** Documents that failed; `failures` names them. Empty ones aren't among them. */
  failed: count,
  /** Tokens embedded, as the endpoint counts where it tells. */
  tokens: count,
});
export type Counts = Static<typeof counts>;

/** Why a document failed. */
export const DOCUMENT_FAILURES = [
  'Binary',
  'NotUtf8',
  'TooLarge',
  /** It was another one each time it was read. */
  'Changing',
  /** It was listed, and then was gone. Its points stay until a listing leaves it out. */
  'Vanished',
  'Unreadable',
  /** To cut it takes too long, or ended the thread that did. */
  'Uncuttable',
  /** The embedder refused one of its texts. */
  'EmbedderRefused',
  /** The target refused one of its points. */
  'TargetRefused',
] as const;
export type DocumentFailureReason = (typeof DOCUMENT_FAILURES)[number];

/** What may be otherwise the next time although nobody changes the document. */
export const PASSING_FAILURES: ReadonlySet<DocumentFailureReason> = new Set(['Changing', 'Vanished', 'Unreadable']);

const failure = Type.Object({
  path: text,
  reason: Type.Unsafe<DocumentFailureReason>({ enum: DOCUMENT_FAILURES }),
  message: text,
});
export type DocumentFailure = Static<typeof failure>;
export const MOST_FAILURES = 50;

/** Why a run did not succeed. Stable: conditions use these names. */
export const RESULT_REASONS = [
  /** Stopped: nothing more was sent to the embedder. The next run goes on where this one stopped. */
  'BudgetUsedUp',
  /** Stopped: more would have been deleted than the guard allows; everything else is done. */
  'DeletionGuard',
  /** Stopped: part of the source could not be listed, so that nothing was deleted; everything else is done. */
  'ListingIncomplete',
  /** GateClosed: the data is in the target, and a gate does not hold. */
  'GatesClosed',
  /** Failed: the vectors of the canary texts are not those of before; mode Full embeds everything anew. */
  'ModelChanged',
  /** Failed: 401, 403, or an account without credit. */
  'EmbedderUnauthorized',
  /** Failed: no such model, or every text refused. */
  'EmbedderRefused',
  /** Failed: vectors of a wrong length, not finite, all equal, or too few. */
  'EmbedderWrong',
  /** Failed: no answer for as long as the run is patient. */
  'EmbedderUnreachable',
  /** Failed: the root of the source is not there. */
  'SourceMissing',
  'SourceUnauthorized',
  'SourceUnreachable',
  /** Failed: the listing is complete and empty although the job has points. */
  'SourceEmpty',
  /** Failed: no collection of that name for as long as the run is patient. */
  'TargetMissing',
  'TargetUnauthorized',
  'TargetUnreachable',
  /** Failed: writes were refused with 429 for as long as the run is patient. */
  'TargetHeldBack',
  /** Failed: disk full or a quota of the collection reached. */
  'TargetFull',
  /** Failed: no such vector, another length or kind, or a collection that points can't be written to as they are. */
  'TargetUnsuitable',
  /** Failed: the golden queries or a mounted file can't be read. */
  'ConfigInvalid',
  /** Failed: a defect of the worker. */
  'Internal',
] as const;
export type ResultReason = (typeof RESULT_REASONS)[number];

export const RESULTS = ['Succeeded', 'Failed', 'Stopped', 'GateClosed'] as const;
export type Result = (typeof RESULTS)[number];

/** That the run is over: no pod goes on with it. Milliseconds since the epoch, the worker's clock. */
const result = Type.Object({
  result: Type.Unsafe<Result>({ enum: RESULTS }),
  /** Where it isn't Succeeded. */
  reason: Type.Optional(Type.Unsafe<ResultReason>({ enum: RESULT_REASONS })),
  message: Type.Optional(text),
  finishedAt: count,
  /** Whether documents failed for a reason that may pass by itself. */
  again: Type.Optional(Type.Boolean()),
  /** Of the source, where it has one. */
  revision: Type.Optional(Type.String({ maxLength: 255 })),
});
export type RunResult = Static<typeof result>;

const GATES = ['success', 'duplicates', 'selfRecall', 'goldenQueries', 'consistency', 'dimensions'] as const;
export type GateName = (typeof GATES)[number];

/** What the last check found; the details are in the report. */
const quality = Type.Object({
  /** Digest of the gates that were asked: a run that changes nothing keeps the answer to the same ones. */
  asked: Type.Optional(text),
  checkedAt: count,
  gates: Type.Array(
    Type.Object({
      name: Type.Unsafe<GateName>({ enum: GATES }),
      passed: Type.Boolean(),
      /** The figure and the rule, in words. */
      message: text,
    }),
    { maxItems: GATES.length },
  ),
  /** Points of the job without a chunk. */
  orphans: count,
  /** Chunks without a point, or with one whose text, payload or vector isn't what it must be. */
  missing: count,
  /** Points that repeat the text of another. */
  duplicates: count,
});
export type Quality = Static<typeof quality>;

const progress = Type.Object({
  version: Type.Literal(1),
  /** `run` of the configuration: progress of another run is no progress of this one. */
  run: Type.String({ minLength: 1, maxLength: 128 }),
  holder: Type.Object({ id: text, pod: text, beat: count, released: Type.Boolean() }),
  /** Milliseconds since the epoch, the worker's clock: when the run began, with its first pod. */
  startedAt: count,
  step: Type.Unsafe<Step>({ enum: STEPS }),
  counts,
  /** Documents listed; absent while the listing goes on. */
  total: Type.Optional(count),
  /** Share of the documents done; 0 while their number isn't known. */
  percent: Type.Integer({ minimum: 0, maximum: 100 }),
  /** Of the last minute. */
  chunksPerMinute: count,
  /** When it will end by that rate, milliseconds since the epoch. */
  expectedAt: Type.Optional(count),
  /**
   * The last document, in the order of the listing, up to which all is in the target. Whoever goes on reads those
   * before it again, to know what of the target is outdated, and embeds none of them.
   */
  cursor: Type.Optional(text),
  /** Grows with each thing that got done, be it a page of a listing or a request that was refused. */
  activity: Type.Optional(count),
  /** Why it waits, or what went wrong last, in words. */
  note: Type.Optional(text),
  /** The first ones; `counts.failed` counts all. */
  failures: Type.Array(failure, { maxItems: MOST_FAILURES }),
  quality: Type.Optional(quality),
  result: Type.Optional(result),
});
export type VectorizeProgress = Static<typeof progress>;

export const newVectorizeProgress = (
  run: string,
  holder: VectorizeProgress['holder'],
  startedAt: number,
): VectorizeProgress => ({
  version: 1,
  run,
  holder,
  startedAt,
  step: 'Listing',
  counts: { documents: 0, chunks: 0, embedded: 0, reused: 0, deleted: 0, failed: 0, tokens: 0 },
  percent: 0,
  chunksPerMinute: 0,
  failures: [],
});

/** @returns undefined for a text that is no progress of this version */
export const parseVectorizeProgress = (json: string | undefined): VectorizeProgress | undefined =>
  parseKept(progress, json);
