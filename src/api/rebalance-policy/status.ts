import type { Static } from 'typebox';
import { big, choice, integer, list, object, optional, text, time } from '../schema/builders.ts';
import { blockedBy, conditions, lastHandled, observedGeneration } from '../schema/shapes.ts';

const name = (description: string) => text(description, { max: 253 });
const digest = (description: string) => text(description, { max: 128 });
/** May lie above 100. */
const share = (description: string) => integer(description, { min: 0, max: 1_000_000 });

const load = object('Load of a cluster, averaged over the window.', {
  cluster: name('QdrantCluster.'),
  libraries: integer('Libraries that live on it.', { min: 0, max: 1_000_000 }),
  points: optional(big('Points.')),
  requestsPerMinute: optional(big('Requests per minute.')),
  cpuPercent: optional(share('CPU in use, in percent of what it has.')),
  memoryPercent: optional(share('Memory in use, in percent of what it has.')),
  diskPercent: optional(share('Disk in use, in percent of what it has.')),
  p95Milliseconds: optional(big('95th percentile of the latency of searches, in milliseconds.')),
  imbalancePercent: optional(
    integer('Distance from the mean in the dimension in which it is loaded most, in percent.', {
      min: -100,
      max: 1_000_000,
    }),
  ),
  knownPercent: optional(integer('How much of the window is known, in percent.', { min: 0, max: 100 })),
  unknown: optional(text('Why its load is not known now; its figures are the last ones then.', { max: 512 })),
});

const prediction = object('What is expected at the end of the horizon, with the error of the method on the past.', {
  cluster: name('QdrantCluster.'),
  dimension: choice('What.', ['Cpu', 'Memory', 'Disk']),
  method: choice('The method that had the least error on the past of this series.', [
    'SeasonalNaive',
    'HoltWinters',
    'Linear',
  ]),
  expectedPercent: share('Expected, in percent of what the cluster has.'),
  lowerPercent: optional(share('One in ten values is expected below, in percent.')),
  upperPercent: optional(share('One in ten values is expected above, in percent.')),
  errorPercent: share('Mean absolute error on the past, in percent of what the cluster has.'),
  relativeErrorPermille: integer(
    'That error as a share of the error of saying "as a day ago", in thousandths: below 1000 is better.',
    { min: 0, max: 1_000_000 },
  ),
  thresholdPercent: share('The threshold, in percent.'),
  crossesAt: optional(time('When the threshold is expected to be crossed; not within the horizon: left out.')),
  earliestAt: optional(time('When it may be crossed at the earliest (one in ten values lies above).')),
});

const plan = object('The pinned list of moves. The list itself stands in the ConfigMap.', {
  digest: digest('Digest of its inputs; what an approval names.'),
  configMap: name('ConfigMap with the moves.'),
  state: choice('Where it stands.', ['Proposed', 'Approved', 'Running', 'Stopped', 'Completed', 'Expired', 'Failed']),
  createdAt: time('When it was made.'),
  expiresAt: optional(time('When it is no longer valid.')),
  moves: integer('Number of moves.', { min: 0, max: 1000 }),
  bytes: optional(big('Data that it moves, in bytes.')),
  imbalanceBeforePercent: optional(share('Imbalance before, in percent.')),
  imbalanceAfterPercent: optional(share('Imbalance after, in percent.')),
  lowerBoundRatioPermille: optional(
    integer('Imbalance after, against a proven lower bound, in thousandths (1000 = optimal).', {
      min: 0,
      max: 1_000_000,
    }),
  ),
});

const move = object('A move that runs.', {
  library: name('DomainLibrary.'),
  from: name('QdrantCluster that it leaves.'),
  to: name('QdrantCluster that it goes to.'),
  step: choice('Step that it is at.', [
    'Planned',
    'Probed',
    'BaseCopy',
    'Converging',
    'Fenced',
    'FinalDelta',
    'Verified',
    'Switched',
    'ReverseSync',
    'Completed',
    'Aborted',
    'RolledBack',
  ]),
  startedAt: time('When it began.'),
  copied: optional(big('Points copied.')),
  total: optional(big('Points to copy.')),
  blockedBy: optional(blockedBy),
});

const past = object('A plan that ended.', {
  digest: digest('Its digest.'),
  state: choice('How.', ['Completed', 'Stopped', 'Expired', 'Failed']),
  startedAt: optional(time('When it began.')),
  finishedAt: time('When it ended.'),
  moved: integer('Moves that were completed.', { min: 0, max: 1000 }),
});

export const status = object('What is the case. Written by the operator only.', {
  observedGeneration,
  conditions: optional(conditions),
  observedAt: optional(time('When load was looked at last.')),
  load: optional(list('Load by cluster.', load, { max: 256, keys: ['cluster'] })),
  forecast: optional(
    list('What is expected of each cluster.', prediction, { max: 256, keys: ['cluster', 'dimension'] }),
  ),
  plan: optional(plan),
  moves: optional(list('Moves that run.', move, { max: 16, keys: ['library'] })),
  history: optional(list('Last plans, newest first.', past, { max: 16 })),
  lastHandled,
});

export type RebalancePolicyStatus = Static<typeof status>;
