import type { Static } from 'typebox';
import { big, choice, flag, integer, object, optional, text, time } from '../schema/builders.ts';
import { conditions, lastHandled, observedGeneration, percent } from '../schema/shapes.ts';

/** Words of `cause`. */
export const RUN_CAUSES = ['Spec', 'Source', 'Secret', 'Schedule', 'Annotation', 'Retry'] as const;
export type RunCause = (typeof RUN_CAUSES)[number];

const identity = {
  run: optional(text('Its id: the Job and its configuration are named after it.', { max: 16 })),
  cause: optional(
    choice(
      'What asked for it: the spec, a ConfigMap or Secret that it names, the schedule, the annotation, or one that failed.',
      RUN_CAUSES,
    ),
  ),
  request: optional(text('Value of the annotation that asked for it.', { max: 256 })),
  specDigest: optional(text('Digest of the spec it runs with.', { max: 128 })),
  inputs: optional(text('Digest of the contents of the ConfigMaps that it reads, when it began.', { max: 128 })),
  secrets: optional(text('Digest of the versions of the Secrets that it needs, when it began.', { max: 128 })),
};

/** How the operator saw the worker live and get on: kept so that its restart forgets no silence. */
const pulse = object('What was seen of the worker.', {
  beat: text('Its last sign of life.', { max: 256 }),
  beatAt: time('When that was seen.'),
  moved: text('What it had come to.', { max: 256 }),
  movedAt: time('When that was seen.'),
});

const hung = object('Why the worker before was ended.', {
  reason: choice('How it hung.', ['WorkerSilent', 'WorkerStalled']),
  since: time('Since when it got nowhere.'),
  message: text('In words.', { max: 1024 }),
});

const counts = {
  documents: optional(big('Documents seen.')),
  chunks: optional(big('Chunks made.')),
  embedded: optional(big('Chunks embedded.')),
  reused: optional(big('Chunks whose vector was known.')),
  deleted: optional(big('Points deleted.')),
  failed: optional(big('Documents that failed.')),
  tokens: optional(big('Tokens embedded.')),
  cost: optional(text('What these cost, where the spec tells a price.', { max: 32 })),
};

const progress = object('The run that goes on.', {
  ...identity,
  startedAt: time('When it began.'),
  step: choice('Step that it is at.', ['Listing', 'Embedding', 'Deleting', 'Verifying', 'Switching']),
  ...counts,
  total: optional(big('Documents listed.')),
  percent: optional(percent('Share of the documents done, in percent.')),
  chunksPerMinute: optional(big('Rate.')),
  expectedAt: optional(time('When it will end, expected.')),
  note: optional(text('Why it waits, or what went wrong last.', { max: 1024 })),
  configMap: optional(text("ConfigMap with the worker's own words.", { max: 253 })),
  attempt: optional(integer('Workers of this run that were ended because they hung.', { min: 0, max: 1_000_000 })),
  hung: optional(hung),
  pulse: optional(pulse),
});

const run = object('The last run that ended.', {
  ...identity,
  startedAt: time('When it began.'),
  finishedAt: time('When it ended.'),
  result: choice('How.', ['Succeeded', 'Failed', 'Stopped', 'GateClosed']),
  reason: optional(text('Why, where it did not succeed: one word; see docs/reasons.md.', { max: 1024 })),
  message: optional(text('Why, in words.', { max: 1024 })),
  again: optional(flag('Whether documents failed for a reason that may pass: it is tried again, with growing pauses.')),
  failures: optional(
    integer('Runs in a row that failed, or are tried again, with this one.', { min: 0, max: 1_000_000 }),
  ),
  revision: optional(text('Revision of the source, e.g. a commit.', { max: 255 })),
  ...counts,
});

const quality = object('What the last check found.', {
  checkedAt: time('When.'),
  passed: integer('Gates that hold.', { min: 0, max: 64 }),
  failed: integer('Gates that do not.', { min: 0, max: 64 }),
  orphans: optional(big('Points without a document.')),
  missing: optional(big('Chunks without a point.')),
  duplicates: optional(big('Points that repeat another.')),
  report: optional(text('ConfigMap with the details.', { max: 253 })),
});

export const status = object('What is the case. Written by the operator only.', {
  observedGeneration,
  conditions: optional(conditions),
  progress: optional(progress),
  lastRun: optional(run),
  nextAt: optional(time('When the next run is due.')),
  quality: optional(quality),
  lastHandled,
});

export type VectorizationJobStatus = Static<typeof status>;
export type VectorizationProgress = Static<typeof progress>;
export type VectorizationRun = Static<typeof run>;
export type VectorizationQuality = Static<typeof quality>;
