import type { Static } from 'typebox';
import { big, choice, integer, list, object, optional } from '../schema/builders.ts';
import { cron, labelSelector, percent, suspend, timeZone } from '../schema/shapes.ts';

const observe = object(
  'How load is observed.',
  {
    intervalSeconds: optional(integer('Time between two looks, in seconds.', { min: 5, max: 3600, default: 30 })),
    windowMinutes: optional(
      integer('Time over which load is averaged, in minutes.', { min: 1, max: 10_080, default: 60 }),
    ),
  },
  { default: {} },
);

const thresholds = object(
  'When a plan is called for.',
  {
    imbalancePercent: optional(
      integer('How far a cluster may lie above the mean, in percent.', { min: 1, max: 1000, default: 10 }),
    ),
    memoryPercent: optional(percent('Memory in use, in percent.', { min: 1, default: 80 })),
    diskPercent: optional(percent('Disk in use, in percent.', { min: 1, default: 80 })),
    cpuPercent: optional(percent('CPU in use, in percent.', { min: 1, default: 70 })),
    p95Milliseconds: optional(
      integer('95th percentile of the latency of searches, in milliseconds.', { min: 1, max: 600_000 }),
    ),
  },
  { default: {} },
);

const forecast = object(
  'How load is looked ahead.',
  {
    method: optional(choice('How.', ['None', 'SeasonalNaive', 'HoltWinters', 'Linear'], { default: 'HoltWinters' })),
    horizonHours: optional(integer('How far, in hours.', { min: 1, max: 720, default: 24 })),
  },
  { default: {} },
);

const budget = object(
  'What a plan may cost.',
  {
    maxMoves: optional(integer('Most moves of a plan.', { min: 1, max: 1000, default: 5 })),
    maxBytes: optional(big('Most data that a plan moves, in bytes; without it: no limit.')),
    maxConcurrentMoves: optional(integer('Most moves at a time.', { min: 1, max: 16, default: 1 })),
  },
  {
    default: {},
    rules: [
      {
        // Kubernetes checks the default {} before it fills in what is inside.
        rule: '!has(self.maxConcurrentMoves) || !has(self.maxMoves) || self.maxConcurrentMoves <= self.maxMoves',
        message: 'maxConcurrentMoves must not be greater than maxMoves',
        fieldPath: '.maxConcurrentMoves',
      },
    ],
  },
);

const window = object('A time in which moves may begin.', {
  schedule: cron('When it opens.'),
  durationMinutes: integer('How long it is open, in minutes.', { min: 1, max: 10_080 }),
  timeZone: optional(timeZone('IANA time zone of the schedule.')),
});

const migration = object(
  'How a library is moved.',
  {
    engine: optional(
      choice(
        'How data travels. Auto: shard snapshots where layout and configuration are equal, else scroll.',
        ['Auto', 'ShardSnapshot', 'Scroll', 'DualWrite'],
        { default: 'Auto' },
      ),
    ),
    fence: optional(
      choice(
        'How surely writes are held back at the switch. Auto: on every member of the cluster, else nothing moves; BestEffort: also where not every member can be asked for it. A late write may then have to be looked for, and may be lost.',
        ['Auto', 'BestEffort'],
        { default: 'Auto' },
      ),
    ),
    verify: optional(
      choice(
        'What is read under the fence. Changed: what has changed since both sides were compared in full, where Qdrant can tell; Full: all of both once more, which holds writes back for longer. Digests of everything, counts and sampled searches must agree either way.',
        ['Changed', 'Full'],
        { default: 'Changed' },
      ),
    ),
    keepSourceHours: optional(integer('How long the source stays, in hours.', { min: 0, max: 8760, default: 24 })),
    maxFreezeSeconds: optional(
      integer('Longest time that writes are held back, in seconds.', { min: 1, max: 3600, default: 30 }),
    ),
  },
  { default: {} },
);

export const spec = object('What is wanted.', {
  clusterSelector: optional(labelSelector('QdrantClusters among which libraries move; default: all of the namespace.')),
  librarySelector: optional(labelSelector('DomainLibraries that may be moved; default: all of the namespace.')),
  observe: optional(observe),
  thresholds: optional(thresholds),
  forecast: optional(forecast),
  budget: optional(budget),
  windows: optional(list('When moves may begin; empty: always.', window, { max: 32 })),
  mode: optional(
    choice(
      'Observe: report load; Recommend: plan and wait for approval; Auto: execute within the limits.',
      ['Observe', 'Recommend', 'Auto'],
      { default: 'Recommend' },
    ),
  ),
  migration: optional(migration),
  suspend,
});

export type RebalancePolicySpec = Static<typeof spec>;
