import type { Static } from 'typebox';
import { big, choice, integer, object, optional, text, time } from '../schema/builders.ts';
import { conditions, lastHandled, observedGeneration, percent } from '../schema/shapes.ts';

const counts = {
  documents: optional(big('Documents seen.')),
  chunks: optional(big('Chunks made.')),
  embedded: optional(big('Chunks embedded.')),
  reused: optional(big('Chunks whose vector was known.')),
  deleted: optional(big('Points deleted.')),
  failed: optional(big('Documents that failed.')),
  tokens: optional(big('Tokens embedded.')),
};

const progress = object('The run that goes on.', {
  startedAt: time('When it began.'),
  step: choice('Step that it is at.', ['Listing', 'Embedding', 'Deleting', 'Verifying', 'Switching']),
  ...counts,
  percent: optional(percent('Share of the documents done, in percent.')),
  chunksPerMinute: optional(big('Rate.')),
  expectedAt: optional(time('When it will end, expected.')),
  configMap: optional(text('ConfigMap with the progress by worker.', { max: 253 })),
});

const run = object('The last run that ended.', {
  startedAt: time('When it began.'),
  finishedAt: time('When it ended.'),
  result: choice('How.', ['Succeeded', 'Failed', 'Stopped', 'GateClosed']),
  reason: optional(text('Why, where it did not succeed.', { max: 1024 })),
  revision: optional(text('Revision of the source, e.g. a commit.', { max: 255 })),
  specDigest: optional(text('Digest of the spec it ran with.', { max: 128 })),
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
