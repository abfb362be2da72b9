import type { Static } from 'typebox';
import { big, choice, flag, integer, list, object, optional, text, time } from '../schema/builders.ts';
import { blockedBy, conditions, lastHandled, observedGeneration, percent } from '../schema/shapes.ts';

const name = (description: string) => text(description, { max: 255 });
const digestText = (description: string) => text(description, { max: 128 });
const number = (description: string) => integer(description, { min: 0, max: 1_000_000 });

const comparison = object('What a comparison of it with what serves came to, after a move has left it.', {
  at: time('When it began.'),
  syncedAt: optional(time('Every write that was acknowledged before is in both.')),
  asLeft: optional(
    flag('Whether it was found as the move had left it, before anything was brought in step; only then it is.'),
  ),
  runs: integer('How often it was brought in step.', { min: 0, max: 100_000_000 }),
  points: big('Points that serve.'),
  written: big('Points that were brought over to it.'),
  removed: big("Points that were taken out of it, because what serves doesn't have them any more."),
  lacking: big("Points that it holds and what serves doesn't have; they stay in it."),
  left: digestText('Digest of what it held, as it was read.'),
  milliseconds: big('How long it took, in milliseconds.'),
});
export type ComparisonStatus = Static<typeof comparison>;

const comparing = object('A comparison that runs, or is tried again.', {
  run: text('What it is for.', { min: 1, max: 128 }),
  write: flag('Whether it brings it in step.'),
  startedAt: time('When it began.'),
  attempt: integer('Which attempt it is.', { min: 0, max: 1_000_000 }),
});
export type ComparingStatus = Static<typeof comparing>;

const generation = object('One physical collection behind the library.', {
  number: number('Its number.'),
  collection: name('Its physical name in Qdrant.'),
  cluster: name('QdrantCluster that holds it.'),
  state: choice('What it is for; Trial: a snapshot is restored into it to be verified, then it is dropped.', [
    'Building',
    'Active',
    'Retired',
    'Failed',
    'Trial',
  ]),
  specDigest: digestText('Digest of the shape it was built with.'),
  createdAt: time('When it was made.'),
  switchedAt: optional(time('When it became the active one.')),
  points: optional(big('Points when it was verified.')),
  digest: optional(digestText('Order-independent digest of its points when it was verified.')),
  returnSeconds: optional(
    integer('How long a move back onto it would take, in seconds, going by the last comparison.', {
      min: 0,
      max: 10_000_000,
    }),
  ),
  engine: optional(choice('How the bulk of its data has come, where it came by a move.', ['Scroll', 'ShardSnapshot'])),
  lateWrites: optional(
    choice(
      'Of one that a move has left: whether writes reached it after the proof, and whether all of them were brought over. Unknown: that could not be looked for.',
      ['None', 'BroughtOver', 'Kept', 'Unknown'],
    ),
  ),
  comparison: optional(comparison),
  comparing: optional(comparing),
  keepUntil: optional(time('Until when it is kept, where the RebalancePolicy that moved the library says it.')),
});
export type GenerationStatus = Static<typeof generation>;

const change = object('A change of generation that runs. One whose target lies on another cluster is a move.', {
  step: choice('Step that it is at.', [
    'Probed',
    'Building',
    'Copying',
    'Converging',
    'Fenced',
    'Verified',
    'Switched',
  ]),
  from: number('Generation that is active.'),
  to: number('Generation that is being built.'),
  reason: text('Which fields need it.', { max: 1024 }),
  startedAt: time('When it began.'),
  fromCluster: optional(name('QdrantCluster that a move leaves.')),
  toCluster: optional(name('QdrantCluster that a move goes to.')),
  policy: optional(name('RebalancePolicy that ordered the move.')),
  engine: optional(choice('How the bulk of the data travels.', ['Scroll', 'ShardSnapshot'])),
  engineReason: optional(text('Why this way.', { max: 1024 })),
  job: optional(name('Job that copies.')),
  passes: optional(integer('Passes over the data so far.', { min: 0, max: 1_000_000 })),
  copied: optional(big('Points copied.')),
  total: optional(big('Points to copy.')),
  maxFreezeSeconds: optional(
    integer('Longest time for which its writes are held back, in seconds.', { min: 1, max: 3600 }),
  ),
  freezeMilliseconds: optional(big('How long writes were held back, in milliseconds.')),
  blockedBy: optional(blockedBy),
});
export type GenerationChange = Static<typeof change>;

const snapshot = object('A snapshot.', {
  name: text('Its name.', { min: 1, max: 512 }),
  generation: number('Generation that it holds.'),
  destination: choice('Where it lies.', ['local', 's3']),
  createdAt: time('When it was made.'),
  sizeBytes: optional(big('Its size, in bytes.')),
  points: optional(big('Points that it holds.')),
  checksum: optional(digestText('SHA-256 over the SHA-256 of its parts, each of one shard; the manifest lists those.')),
  digest: optional(digestText('Order-independent digest of its points; none when points changed while it was made.')),
  verified: optional(
    flag('Whether a trial restore gave back every part, all points and the digest, where there is one.'),
  ),
});
export type SnapshotStatus = Static<typeof snapshot>;

const tuning = object('Last measurement.', {
  measuredAt: time('When.'),
  queries: integer('Searches measured.', { min: 0, max: 100_000 }),
  recallPermille: integer('Share of true neighbours found, in thousandths.', { min: 0, max: 1000 }),
  p95Milliseconds: big('95th percentile of the latency, in milliseconds.'),
  reached: flag('Whether the goal is reached.'),
  recommendation: optional(text('Settings that reach the goal at the lowest cost.', { max: 4096 })),
  report: optional(name('ConfigMap with the details.')),
});

const domain = object('A domain that was found.', {
  name: text('Name given to it.', { min: 1, max: 63 }),
  sharePercent: percent('Share of the points, in percent.'),
  points: big('Points, estimated.'),
  library: optional(name('DomainLibrary made of it.')),
});

export const status = object('What is the case. Written by the operator only.', {
  observedGeneration,
  conditions: optional(conditions),
  cluster: optional(name('QdrantCluster that the library lives on.')),
  collection: optional(name('Physical name of the active collection.')),
  generation: optional(number('Number of the active generation.')),
  assignment: optional(
    object('Where the library is to live; a RebalancePolicy orders a move by it.', {
      cluster: name('QdrantCluster.'),
      policy: optional(name('RebalancePolicy that ordered it.')),
      planDigest: optional(digestText('Plan that it belongs to.')),
    }),
  ),
  generations: optional(list('All generations that exist.', generation, { max: 32, keys: ['number'] })),
  change: optional(change),
  points: optional(big('Points of the active generation.')),
  vectorsBytes: optional(
    big(
      "Qdrant's estimate of the size of its vectors, in bytes: in each segment the mean size of every named vector times all points, of one replica of each shard. Exact where all points have all vectors, too large else. Without indexes, quantized copies and payloads. Not told by a cluster before Qdrant 1.17.",
    ),
  ),
  status: optional(choice("Qdrant's colour of the collection.", ['green', 'yellow', 'grey', 'red'])),
  binding: optional(
    object('Secret by the Service Binding specification that applications mount.', {
      name: name('Its name.'),
    }),
  ),
  snapshots: optional(
    object('Snapshots.', {
      lastSuccessAt: optional(time('When one was made last.')),
      lastFailureAt: optional(time('When one failed last.')),
      nextAt: optional(time('When the next one is due.')),
      scheduledAt: optional(time('Moment up to which the schedule has been obeyed.')),
      running: optional(
        object('The one that is being made.', {
          name: text('Its name.', { min: 1, max: 512 }),
          startedAt: time('When it began.'),
          attempt: integer('Which attempt it is.', { min: 0, max: 1_000_000 }),
          message: optional(text('Why the last attempt failed.', { max: 1024 })),
        }),
      ),
      trial: optional(
        object('The last trial restore.', {
          name: text('Snapshot.', { min: 1, max: 512 }),
          generation: number('Hidden generation that it was restored into.'),
          state: choice('What came of it.', ['Running', 'Passed', 'Failed']),
          startedAt: time('When it began.'),
          finishedAt: optional(time('When it ended.')),
          message: optional(text('What it came to.', { max: 1024 })),
        }),
      ),
      items: optional(
        list('Those that exist, newest first; at most 64 are shown.', snapshot, { max: 64, keys: ['name'] }),
      ),
    }),
  ),
  rollback: optional(
    object('The last value of spec.rollback that was obeyed.', {
      target: text('`snapshot <name>` or `generation <number>`.', { max: 560 }),
      uid: text('uid of this object then.', { max: 64 }),
      state: choice('What came of it.', ['Running', 'Done', 'Failed']),
      step: optional(choice('Step that it is at.', ['Restoring', 'Switching', 'Switched'])),
      from: optional(number('Generation that was live.')),
      to: optional(number('Generation that is live afterwards.')),
      message: optional(text('What it came to, or why it waits.', { max: 1024 })),
      startedAt: time('When it began.'),
      finishedAt: optional(time('When it ended.')),
      milliseconds: optional(big('From the order to the switch, in milliseconds.')),
    }),
  ),
  tuning: optional(tuning),
  discovery: optional(
    object('Last discovery.', {
      ranAt: optional(time('When; absent before the first has ended.')),
      change: optional(
        text('What it was for: a change of the spec, a moment of the schedule, or a value of the annotation.', {
          max: 128,
        }),
      ),
      spec: optional(digestText('Digest of the settings that it was made with.')),
      outcome: optional(choice('What it came to.', ['Domains', 'NoDomains', 'TooSmall'])),
      message: optional(text('The same in words.', { max: 1024 })),
      points: optional(big('Points that the library had.')),
      sampled: optional(big('Points that were looked at.')),
      domains: optional(list('Domains found; empty: there are none.', domain, { max: 256, keys: ['name'] })),
      report: optional(name('ConfigMap with the details.')),
      scheduledAt: optional(time('Moment up to which the schedule has been obeyed.')),
      running: optional(
        object('The one that runs.', {
          change: text('What it is for.', { min: 1, max: 128 }),
          startedAt: time('When it began.'),
          attempt: integer('Which attempt it is.', { min: 0, max: 1_000_000 }),
        }),
      ),
    }),
  ),
  lastHandled,
});

export type DomainLibraryStatus = Static<typeof status>;
