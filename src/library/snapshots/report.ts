import type { DomainLibraryStatus, SnapshotStatus } from '../../api/index.ts';
import { timestamp } from '../plan.ts';
import type { World } from '../world.ts';
import { jobsNamed, lastOf } from './decide/attempts.ts';
import { nextAt } from './decide/making.ts';
import { newestFirst } from './decide/retention.ts';
import { partsBytes, partsChecksum } from './manifest.ts';
import { snapshotJobPrefix } from './names.ts';
import type { SnapshotsPlanned } from './orders.ts';
import { droppedOf, manifestsOf, pendingOf } from './world.ts';

type Snapshots = NonNullable<DomainLibraryStatus['snapshots']>;

const MOST_SHOWN = 64;

/** What the status says of snapshots; undefined: there are none and none are wanted. */
export function snapshotStatus(world: World, planned: SnapshotsPlanned = {}): Snapshots | undefined {
  const { library, snapshots } = world;
  const before = library.status?.snapshots;
  const trial = planned.trial ?? before?.trial;
  const scheduledAt = planned.scheduledAt === undefined ? before?.scheduledAt : timestamp(planned.scheduledAt);
  const items = itemsOf(world, trial);
  const newest = items[0]?.createdAt ?? before?.lastSuccessAt;
  const failedAt = lastFailure(world) ?? before?.lastFailureAt;
  const next = nextAt({ ...world, library: withScheduled(world, scheduledAt) });
  const running = runningOf(world);
  if (snapshots.kept.length === 0 && before === undefined && scheduledAt === undefined && trial === undefined)
    return undefined;
  return {
    items,
    ...(newest === undefined ? {} : { lastSuccessAt: newest }),
    ...(failedAt === undefined ? {} : { lastFailureAt: failedAt }),
    ...(next === undefined ? {} : { nextAt: timestamp(next) }),
    ...(scheduledAt === undefined ? {} : { scheduledAt }),
    ...(running === undefined ? {} : { running }),
    ...(trial === undefined ? {} : { trial }),
  };
}

const withScheduled = ({ library }: World, scheduledAt: string | undefined): World['library'] =>
  scheduledAt === undefined
    ? library
    : { ...library, status: { ...library.status, snapshots: { ...library.status?.snapshots, scheduledAt } } };

function itemsOf({ library, snapshots }: World, trial: Snapshots['trial']): SnapshotStatus[] {
  const verified = new Set(
    (library.status?.snapshots?.items ?? []).filter((item) => item.verified === true).map(({ name }) => name),
  );
  if (trial?.state === 'Passed') verified.add(trial.name);
  const dropped = droppedOf(snapshots);
  return newestFirst(manifestsOf(snapshots))
    .filter(({ name }) => !dropped.has(name))
    .slice(0, MOST_SHOWN)
    .map(({ name, generation, destination, createdAt, points, digest, parts }) => ({
      name,
      generation,
      destination,
      createdAt: timestamp(Date.parse(createdAt)),
      sizeBytes: partsBytes(parts),
      points,
      checksum: partsChecksum(parts),
      ...(digest === undefined ? {} : { digest }),
      ...(verified.has(name) ? { verified: true } : {}),
    }));
}

function jobsOfPending(world: World) {
  const pending = pendingOf(world.snapshots);
  if (pending === undefined) return undefined;
  return { pending, jobs: jobsNamed(world.tasks, snapshotJobPrefix(world.library.metadata.name, pending.name)) };
}

function lastFailure(world: World): string | undefined {
  const ended = (jobsOfPending(world)?.jobs ?? []).flatMap(({ alive, endedAt }) => (alive ? [] : (endedAt ?? [])));
  return ended.length === 0 ? undefined : timestamp(Math.max(...ended));
}

function runningOf(world: World): Snapshots['running'] {
  const found = jobsOfPending(world);
  if (found === undefined || found.pending.progress?.manifest !== undefined) return undefined;
  const { pending, jobs } = found;
  const { failure } = pending.progress ?? {};
  return {
    name: pending.name,
    startedAt: timestamp(pending.begunAt),
    attempt: lastOf(jobs)?.attempt ?? 0,
    ...(failure === undefined ? {} : { message: `${failure.reason}: ${failure.message}`.slice(0, 1024) }),
  };
}
