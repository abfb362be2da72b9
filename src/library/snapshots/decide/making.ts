import { ANNOTATIONS, type Blocker } from '../../../api/index.ts';
import type { Occurrence } from '../../../kube/index.ts';
import type { Active } from '../../decide/active.ts';
import { isMove } from '../../decide/site.ts';
import { type Note, type Plan, timestamp } from '../../plan.ts';
import { refusals } from '../../predicates.ts';
import type { SeenWorld } from '../../world.ts';
import { snapshotName } from '../keys.ts';
import { snapshotJobPrefix } from '../names.ts';
import type { SnapshotOrder } from '../orders.ts';
import { MAKE_PREDICATES, type SnapshotSubject } from '../predicates.ts';
import { nextFire, scheduleProblem } from '../schedule.ts';
import { droppedOf, type KeptSnapshot, manifestsOf, pendingOf } from '../world.ts';
import { attemptsOf, failureOf, jobsNamed } from './attempts.ts';
import { dropOf, newestFirst, nextExpiry, surplus } from './retention.ts';
import { retentionOf, tidyingNow, tidyUp } from './tidying.ts';
import { restoringNow } from './under-way.ts';

/** Makes what is due or asked for, one at a time, tries again what failed, and forgets what is dropped. */
export function snapshots(world: SeenWorld, active: Active): Plan | undefined {
  const pending = pendingOf(world.snapshots);
  if (pending !== undefined) return goOn(world, active, pending);
  return (
    forget(world) ??
    putAway(world) ??
    tidyingNow(world) ??
    begin(world, active) ??
    tidyUp(world, subjectOf(world, active)) ??
    waitForNext(world)
  );
}

const order = (what: SnapshotOrder): Plan['steps'] => [{ kind: 'snapshot', order: what }];

/** A snapshot that is being made, or whose worker still drops others. */
function goOn(world: SeenWorld, active: Active, pending: KeptSnapshot): Plan {
  const { library, tasks, now } = world;
  const jobs = jobsNamed(tasks, snapshotJobPrefix(library.metadata.name, pending.name));
  const attempts = attemptsOf(jobs, now);
  const failed = jobs.length > 0 && attempts.kind !== 'running';
  const notes = failed || pending.progress?.failure !== undefined ? [failing(pending)] : [];
  const told = newFailure(world, pending);
  if (attempts.kind === 'running') return { steps: [], notes, ...told };
  if (attempts.kind === 'later') return { steps: [], notes, ...told, again: attempts.seconds };
  const blockedBy = refusals(MAKE_PREDICATES, subjectOf(world, active), library);
  if (blockedBy.length > 0)
    return { steps: [], notes: [refused(pending.name, blockedBy)], blockedBy, again: AGAIN_SECONDS };
  const { attempt } = attempts;
  const drop = surplus({ ...retentionOf(world), making: pending.progress?.manifest === undefined }).map(dropOf);
  return {
    steps: order({ do: 'make', name: pending.name, attempt, drop }),
    notes,
  };
}

/** An event for a reason that the status does not tell yet. A pod is tried again within its Job, too. */
function newFailure({ library }: SeenWorld, pending: KeptSnapshot): Pick<Plan, 'events' | 'status'> {
  const { failure } = pending.progress ?? {};
  const before = library.status?.snapshots?.running;
  if (failure === undefined || before?.message?.startsWith(`${failure.reason}:`) === true) return {};
  // The status shows the message by itself: to say that it changes is enough.
  return { status: { snapshots: {} }, events: [snapshotEvent('Warning', 'SnapshotFailed', failing(pending).message)] };
}

const AGAIN_SECONDS = 5;

const snapshotEvent = (type: Occurrence['type'], reason: string, note: string): Occurrence => ({
  type,
  reason,
  action: 'Snapshot',
  note: note.slice(0, 1000),
});

function failing({ name, progress }: KeptSnapshot): Note {
  const { reason, message } = failureOf(progress);
  return {
    type: 'SnapshotFailing',
    status: 'True',
    reason,
    message:
      progress?.manifest === undefined
        ? `snapshot ${name} is not made yet, and is tried again: ${message}`
        : `snapshot ${name} is made; what is no longer kept is not dropped yet: ${message}`,
  };
}

const refused = (name: string, blockedBy: readonly Blocker[]): Note => ({
  type: 'SnapshotFailing',
  status: 'True',
  reason: 'PredicatesRefuse',
  message: `snapshot ${name} is not made: ${blockedBy.map((each) => `${each.name}: ${each.reason}`).join('; ')}`,
});

const subjectOf = (world: SeenWorld, { collection }: Active): SnapshotSubject => ({
  library: world.library,
  look: world.look,
  cluster: world.cluster,
  collection,
  credentialsProblem: world.snapshots.credentialsProblem,
  restoring: restoringNow(world),
  moving: shardsMoving(world),
});

/** A move before its switch that may send shards as snapshots: none are made of the same shards meanwhile. */
function shardsMoving({ library, moveRules }: SeenWorld): string | undefined {
  const { change } = library.status ?? {};
  if (change === undefined || !isMove(change) || change.step === 'Switched') return undefined;
  if (change.engine === 'Scroll' && moveRules?.engine !== 'ShardSnapshot') return undefined;
  return `the move to ${change.toCluster} makes snapshots of the same shards`;
}

/** What a worker has dropped is no more. */
function forget({ snapshots: world }: SeenWorld): Plan | undefined {
  const dropped = droppedOf(world);
  const names = world.kept.filter(({ name }) => dropped.has(name)).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return {
    steps: order({ do: 'forget', names }),
    events: names.map((name) => snapshotEvent('Normal', 'SnapshotDropped', `snapshot ${name} is dropped`)),
  };
}

/** Tools of what is done. The event is told here, for here it happens once. */
function putAway(world: SeenWorld): Plan | undefined {
  const { library, tasks, snapshots: known } = world;
  const left = known.snapshotObjects;
  if (left.length === 0) return undefined;
  const alive = left.some((name) =>
    jobsNamed(tasks, snapshotJobPrefix(library.metadata.name, name)).some((job) => job.alive),
  );
  if (alive) return undefined;
  const made = manifestsOf(known).filter(({ name }) => left.includes(name));
  return {
    steps: order({ do: 'putAway', snapshots: left, restores: [] }),
    events: made.map(({ name, points, parts, digest }) => {
      const proof = digest === undefined ? 'points changed meanwhile, so it has no digest' : `digest ${digest}`;
      return snapshotEvent(
        'Normal',
        'SnapshotMade',
        `snapshot ${name}: ${points} points in ${parts.length} parts, ${proof}`,
      );
    }),
  };
}

function begin(world: SeenWorld, active: Active): Plan | undefined {
  const { library, now, snapshots: known } = world;
  const asked = library.metadata.annotations?.[ANNOTATIONS.snapshot];
  const obeyed = library.status?.lastHandled?.['snapshot'];
  const nonce =
    asked === undefined || asked === obeyed || known.kept.some((each) => each.nonce === asked) ? undefined : asked;
  const due = dueSince(world);
  // Obeyed once it is written down: the ConfigMap bears the value.
  const handled =
    asked === undefined || asked === obeyed || nonce !== undefined ? {} : { handled: { snapshot: asked } };
  if (nonce === undefined && due === undefined) {
    return Object.keys(handled).length === 0 ? undefined : { steps: [], status: handled };
  }
  const name = snapshotName(library.metadata.name, now);
  if (known.kept.some((each) => each.name === name)) return { steps: [], again: 1 };
  const blockedBy = refusals(MAKE_PREDICATES, subjectOf(world, active), library);
  if (blockedBy.length > 0) return { steps: [], notes: [refused(name, blockedBy)], blockedBy, again: AGAIN_SECONDS };
  return {
    steps: order({
      do: 'begin',
      name,
      ...(nonce === undefined ? {} : { nonce }),
      ...(due === undefined ? {} : { scheduledFor: now }),
    }),
    ...late(now, due),
    status: {
      ...(nonce === undefined ? {} : { handled: { snapshot: nonce } }),
      ...(due === undefined ? {} : { snapshots: { scheduledAt: now } }),
    },
  };
}

/** Nobody wonders about less. */
const LATE_MILLISECONDS = 300_000;

/** A moment of the schedule at which nobody was there, or something held the snapshot up. */
function late(now: number, due: number | undefined): Pick<Plan, 'events'> {
  if (due === undefined || now - due < LATE_MILLISECONDS) return {};
  const minutes = Math.round((now - due) / 60_000);
  const note = `the snapshot of ${timestamp(due)} was missed; it is made up for now, ${minutes} min later`;
  return { events: [snapshotEvent('Warning', 'SnapshotLate', note)] };
}

const SECTION = 'spec.snapshots';

type Known = Pick<SeenWorld, 'library' | 'snapshots'>;

/** Up to which moment the schedule has been obeyed, by status and by what exists: a crash may lie between the two. */
function obeyedUntil({ library, snapshots: known }: Known): number | undefined {
  const { scheduledAt } = library.status?.snapshots ?? {};
  const times = known.kept.flatMap(({ scheduledFor }) => scheduledFor ?? []);
  if (scheduledAt !== undefined) times.push(Date.parse(scheduledAt));
  return times.length === 0 ? undefined : Math.max(...times);
}

function nextOf(world: Known): number | undefined {
  const { schedule, timeZone } = world.library.spec.snapshots ?? {};
  const obeyed = obeyedUntil(world);
  if (schedule === undefined || obeyed === undefined) return undefined;
  return scheduleProblem({ schedule, timeZone }, SECTION) === undefined
    ? nextFire({ schedule, timeZone }, obeyed)
    : undefined;
}

/** The moment that is over and was not obeyed; several that were missed are one. */
function dueSince(world: SeenWorld): number | undefined {
  const next = nextOf(world);
  return next !== undefined && next <= world.now ? next : undefined;
}

function waitForNext(world: SeenWorld): Plan | undefined {
  const { library, now } = world;
  const { schedule, timeZone } = library.spec.snapshots ?? {};
  const expiry = nextExpiry({ library, manifests: manifestsOf(world.snapshots), now });
  if (schedule === undefined) return later(now, [expiry]);
  const problem = scheduleProblem({ schedule, timeZone }, SECTION);
  if (problem !== undefined) {
    const note: Note = { type: 'SnapshotFailing', status: 'True', reason: 'InvalidSpec', message: problem };
    return { steps: [], notes: [note] };
  }
  // From the moment at which a schedule is seen first.
  if (obeyedUntil(world) === undefined) return { steps: [], status: { snapshots: { scheduledAt: now } } };
  return later(now, [nextOf(world), expiry]);
}

/** At the earliest of these moments. */
function later(now: number, times: readonly (number | undefined)[]): Plan | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : { steps: [], again: Math.max(0.1, (Math.min(...known) - now) / 1000) };
}

/**
 * When a snapshot must have been made at the latest, for one who alerts: the first moment of the schedule after the newest
 * was begun. Unlike `nextAt` it stays in the past while attempts fail. Milliseconds since the epoch.
 */
export function dueAt(world: Known): number | undefined {
  const { schedule, timeZone } = world.library.spec.snapshots ?? {};
  if (schedule === undefined || scheduleProblem({ schedule, timeZone }, SECTION) !== undefined) return undefined;
  const [newest] = newestFirst(manifestsOf(world.snapshots));
  if (newest !== undefined) return nextFire({ schedule, timeZone }, Date.parse(newest.startedAt));
  return pendingOf(world.snapshots)?.begunAt ?? nextOf(world);
}

/** When the next one is due, for the status. */
export const nextAt = (world: Known): number | undefined => nextOf(world);
