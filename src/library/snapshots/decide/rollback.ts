import type { DomainLibrary, GenerationStatus } from '../../../api/index.ts';
import type { Occurrence } from '../../../kube/index.ts';
import { type Active, ownCollections } from '../../decide/active.ts';
import { blocked } from '../../decide/blocked.ts';
import { lift } from '../../decide/fence.ts';
import { collectionLook } from '../../look.ts';
import { generationName, publicName } from '../../names.ts';
import { activated, generationsOf, type Note, type Plan, timestamp, withGeneration } from '../../plan.ts';
import { CREATE_PREDICATES, refusals } from '../../predicates.ts';
import type { Reason } from '../../reasons.ts';
import type { SeenWorld } from '../../world.ts';
import { restoreJobPrefix } from '../names.ts';
import { BACK_PREDICATES, RESTORE_PREDICATES, ROLLBACK_PREDICATES } from '../predicates.ts';
import type { TaskProgress } from '../task-progress.ts';
import { manifestsOf } from '../world.ts';
import { attemptsOf, failureOf, jobsNamed } from './attempts.ts';
import { restoreObjectsLeft } from './left.ts';
import { rollbackNow, trialNow } from './under-way.ts';

type Rollback = NonNullable<NonNullable<DomainLibrary['status']>['rollback']>;

/** What the spec orders, in the words of the status. */
export function targetOf({ spec }: DomainLibrary): string | undefined {
  const { toSnapshot, toGeneration } = spec.rollback ?? {};
  if (toSnapshot !== undefined) return `snapshot ${toSnapshot}`;
  return toGeneration === undefined ? undefined : `generation ${toGeneration}`;
}

/**
 * Goes back to a snapshot or a generation: once per value of the spec, beside what is live, which stays.
 *
 * @param active undefined: nothing answers to the public name any more
 * @returns undefined when there is nothing to do or to say; `alone`: nothing else is done meanwhile
 */
export function rollBack(
  world: SeenWorld,
  active: Active | undefined,
): { readonly plan: Plan; readonly alone: boolean } | undefined {
  const { library } = world;
  const target = targetOf(library);
  const running = rollbackNow(world);
  if (running !== undefined) {
    const alone = true;
    if (running.uid !== library.metadata.uid) return { plan: fail(world, running, FOREIGN), alone };
    // After the switch there is nothing left to withdraw.
    if (running.target !== target && active?.generation !== running.to)
      return { plan: fail(world, running, WITHDRAWN), alone };
    return { plan: goOn(world, active, running), alone };
  }
  const handled = library.status?.rollback;
  if (target === undefined) return undefined;
  if (handled?.target === target && handled.uid === library.metadata.uid) return told(world, handled);
  return start(world, active, target);
}

type Why = { readonly reason: Reason; readonly message: string };
const WITHDRAWN: Why = { reason: 'RollbackFailed', message: 'spec.rollback has changed: it is given up' };
const FOREIGN: Why = { reason: 'RollbackFailed', message: 'it was ordered for an earlier object of this name' };

/** What came of the value that was obeyed stays to be read, and its tools are put away. */
function told(world: SeenWorld, { state, message, target }: Rollback) {
  const left = restoreObjectsLeft(world);
  const note: Note = {
    type: 'RollbackFailed',
    status: 'True',
    reason: 'RollbackFailed',
    message: `rollback to ${target}: ${message ?? 'failed'}`,
  };
  const notes = state === 'Failed' ? [note] : [];
  if (left !== undefined) return { plan: { ...left, notes }, alone: false };
  return notes.length === 0 ? undefined : { plan: { steps: [], notes }, alone: false };
}

const announce = (type: Occurrence['type'], reason: Reason, note: string): Occurrence => ({
  type,
  reason,
  action: 'RollBack',
  note: note.slice(0, 1000),
});

function start(world: SeenWorld, active: Active | undefined, target: string) {
  const { library, now } = world;
  const begun: Rollback = {
    target,
    uid: library.metadata.uid ?? '',
    state: 'Running',
    startedAt: timestamp(now),
    ...(active === undefined ? {} : { from: active.generation }),
  };
  const wrong = whyNever(world, active);
  if (wrong !== undefined) return { plan: fail(world, begun, wrong), alone: true };
  const { toGeneration } = library.spec.rollback ?? {};
  const subject = {
    look: world.look,
    cluster: world.cluster,
    credentialsProblem: toGeneration === undefined ? world.snapshots.credentialsProblem : undefined,
    changing:
      library.status?.change === undefined ? undefined : `generation ${library.status.change.to} is being built`,
    snapshotting: world.tasks.find(({ task, alive }) => task === 'snapshot' && alive)?.name,
  };
  const blockedBy = [
    ...refusals(RESTORE_PREDICATES, subject, library),
    ...(toGeneration === undefined ? refusals(CREATE_PREDICATES, subject, library) : []),
    ...refusals(ROLLBACK_PREDICATES, { nameIsTaken: takenName(world, active) }, library),
    ...(trialNow(world) === undefined ? [] : [{ name: 'no-restore-runs', reason: 'a snapshot is being tried' }]),
  ];
  const once = [...new Map(blockedBy.map((each) => [each.name, each])).values()];
  if (once.length > 0) {
    const plan = blocked(once, { what: `the rollback to ${target} does not begin` });
    const notes = (plan.notes ?? []).map((note): Note => ({ ...note, type: 'RollbackBlocked' }));
    // What needs to go on goes on: it may be what is waited for.
    return { plan: { ...plan, notes }, alone: library.status?.change === undefined && active !== undefined };
  }
  return {
    plan: toGeneration === undefined ? startRestore(world, begun) : startSwitch(world, begun, toGeneration),
    alone: true,
  };
}

function takenName({ library }: SeenWorld, active: Active | undefined): string | undefined {
  if (active === undefined || active.byAlias || active.collection.name !== publicName(library)) return undefined;
  return `${active.collection.name} was adopted and bears the public name itself; let a change of generation take over first`;
}

/** What no waiting can cure. */
function whyNever({ library, look, cluster, snapshots }: SeenWorld, active: Active | undefined): Why | undefined {
  const { toSnapshot, toGeneration } = library.spec.rollback ?? {};
  if (toGeneration !== undefined) {
    if (active?.generation === toGeneration)
      return { reason: 'GenerationActive', message: `generation ${toGeneration} is live already` };
    const entry = generationsOf(library.status).find(({ number }) => number === toGeneration);
    if (entry !== undefined && entry.cluster !== cluster.metadata.name) {
      const message = `generation ${toGeneration} lies on QdrantCluster ${entry.cluster}: move the library back by spec.placement`;
      return { reason: 'OtherCluster', message };
    }
    const known = ownCollections(library, look).get(toGeneration);
    if (known !== undefined && isComplete(library, toGeneration)) return undefined;
    return { reason: 'GenerationNotFound', message: `there is no generation ${toGeneration} that was once live` };
  }
  const manifest = manifestsOf(snapshots).find(({ name }) => name === toSnapshot);
  if (manifest === undefined) {
    // It may be in the bucket all the same: made for an earlier object, or for another cluster.
    if (library.spec.snapshots?.destination?.s3 !== undefined) return undefined;
    return { reason: 'SnapshotNotFound', message: `there is no snapshot ${toSnapshot ?? ''}` };
  }
  if (manifest.destination === 's3' || manifest.cluster === cluster.metadata.name) return undefined;
  const message = `snapshot ${manifest.name} lies on the peers of QdrantCluster ${manifest.cluster}`;
  return { reason: 'OtherCluster', message };
}

/** Only what was live or is proved: what was half built is no place to go back to. */
const isComplete = (library: DomainLibrary, number: number): boolean =>
  generationsOf(library.status).some((entry) => entry.number === number && entry.state === 'Retired');

const waiting = (target: string, what: string, seconds: number) =>
  ({ reason: 'RollbackRunning', message: `rollback to ${target}: ${what}`, seconds }) as const;

/** Written down before anything is made: whoever goes on after a crash finds it. */
function startRestore(world: SeenWorld, begun: Rollback): Plan {
  const { library, cluster, now } = world;
  const to = nextGeneration(world);
  const entry: GenerationStatus = {
    number: to,
    collection: generationName(publicName(library), to),
    cluster: cluster.metadata.name,
    state: 'Building',
    specDigest: `snapshot ${library.spec.rollback?.toSnapshot ?? ''}`.slice(0, 128),
    createdAt: timestamp(now),
  };
  return {
    steps: [],
    status: {
      generations: withGeneration(generationsOf(library.status), entry),
      rollback: { ...begun, step: 'Restoring', to },
    },
    events: [announce('Normal', 'RollbackStarted', `${begun.target} is restored as generation ${to}`)],
    waiting: waiting(begun.target, `is restored as generation ${to}`, 0.05),
  };
}

export function nextGeneration({ library, look }: SeenWorld): number {
  const numbers = [
    ...generationsOf(library.status).map(({ number }) => number),
    ...ownCollections(library, look).keys(),
  ];
  return Math.max(0, ...numbers) + 1;
}

function startSwitch(_world: SeenWorld, begun: Rollback, to: number): Plan {
  return {
    steps: [],
    status: { rollback: { ...begun, step: 'Switching', to } },
    events: [announce('Normal', 'RollbackStarted', `generation ${to} becomes the live one again`)],
    waiting: waiting(begun.target, 'the name is about to lead there', 0.05),
  };
}

function goOn(world: SeenWorld, active: Active | undefined, running: Rollback): Plan {
  const { library } = world;
  const to = running.to ?? 0;
  if (active?.generation === to) return finish(world, running);
  return running.step === 'Restoring'
    ? restore(world, running, to)
    : switchBack(world, active, { running, to, library });
}

function restore(world: SeenWorld, running: Rollback, to: number): Plan {
  const { library, tasks, now, settings } = world;
  const progress = world.snapshots.restores.get(to);
  const name = library.spec.rollback?.toSnapshot ?? '';
  if (progress?.phase === 'Done' && progress.restored !== undefined) {
    const { points, digest } = progress.restored;
    const generations = generationsOf(library.status).map((entry) =>
      entry.number === to ? { ...entry, points, digest } : entry,
    );
    return {
      steps: [],
      status: { generations, rollback: { ...running, step: 'Switching' } },
      waiting: waiting(running.target, `${points} points are restored and proved`, 0.02),
    };
  }
  const { failure } = progress ?? {};
  if (failure?.lasting === true) return fail(world, running, failure as Why);
  const attempts = attemptsOf(jobsNamed(tasks, restoreJobPrefix(library.metadata.name, to)), now);
  const failed = failing(running, progress, attempts.kind === 'running');
  if (attempts.kind === 'running') {
    const step = progress?.step ?? 'its worker begins';
    return { steps: [], ...failed, waiting: waiting(running.target, step, settings.busySeconds) };
  }
  if (attempts.kind === 'start') {
    const { attempt } = attempts;
    return {
      steps: [{ kind: 'snapshot', order: { do: 'restore', name, generation: to, attempt } }],
      waiting: waiting(running.target, `attempt ${attempt} begins`, settings.busySeconds),
    };
  }
  const message = `attempt ${attempts.failed} failed: ${failureOf(progress).message}; the next one follows`;
  const seconds = Math.max(settings.busySeconds, attempts.seconds);
  return { steps: [], ...failed, waiting: { reason: 'RestoreFailed', message, seconds } };
}

/** What holds a restore up, as a condition; told as an event when it is new. */
function failing(running: Rollback, progress: TaskProgress | undefined, alive: boolean): Partial<Plan> {
  // Of a worker that has just begun nothing is known yet.
  if (alive && progress?.failure === undefined) return {};
  const { reason, message } = failureOf(progress);
  const text = `${reason}: ${message}`.slice(0, 1024);
  const notes: Note[] = [{ type: 'RollbackBlocked', status: 'True', reason, message: `${running.target}: ${message}` }];
  if (running.message?.startsWith(`${reason}:`) === true) return { notes };
  return {
    notes,
    status: { rollback: { ...running, message: text } },
    events: [
      announce('Warning', 'RestoreFailed', `${running.target} is not restored yet, and is tried again: ${text}`),
    ],
  };
}

type Switching = { readonly running: Rollback; readonly to: number; readonly library: DomainLibrary };

/** The name leads back, when nothing speaks against it. What was fenced when it was left is let go first. */
function switchBack(world: SeenWorld, active: Active | undefined, { running, to, library }: Switching): Plan {
  const entry = generationsOf(library.status).find(({ number }) => number === to);
  const target = collectionLook(world.look, entry?.collection ?? generationName(publicName(library), to));
  if (target === undefined) {
    return fail(world, running, { reason: 'GenerationNotFound', message: `collection of generation ${to} is gone` });
  }
  const restored = running.target.startsWith('snapshot ');
  const subject = {
    look: world.look,
    to: target,
    nameIsTaken: takenName(world, active),
    proof: restored ? entry?.digest : 'was live',
  };
  const blockedBy = refusals(BACK_PREDICATES, subject, library);
  if (blockedBy.length > 0) {
    const plan = blocked(blockedBy, { what: `the rollback to ${running.target} does not switch` });
    return { ...plan, notes: (plan.notes ?? []).map((note): Note => ({ ...note, type: 'RollbackBlocked' })) };
  }
  const lifted = lift(target);
  if (lifted !== undefined)
    return { steps: [lifted], waiting: waiting(running.target, 'writes to it are let go', 0.05) };
  const alias = publicName(library);
  const marks = active?.collection.mark?.aliases ?? [];
  const further = marks.filter((name) => name !== alias && (library.spec.aliases ?? []).includes(name));
  return {
    steps: [{ kind: 'pointAliases', collection: target.name, aliases: [alias, ...further] }],
    waiting: waiting(running.target, `${alias} leads to generation ${to}`, 0.02),
  };
}

/** The name leads there: written down, with the time it took. */
function finish({ library, now }: SeenWorld, running: Rollback): Plan {
  const to = running.to ?? 0;
  const milliseconds = Math.max(0, now - Date.parse(running.startedAt));
  const { message: _message, ...rest } = running;
  const before = running.from === undefined ? '' : `; generation ${running.from} is kept`;
  const text = `${running.target} is live as generation ${to} after ${(milliseconds / 1000).toFixed(1)} s${before}`;
  return {
    steps: [],
    status: {
      generations: activated(generationsOf(library.status), to, { switchedAt: timestamp(now) }),
      rollback: { ...rest, step: 'Switched', state: 'Done', finishedAt: timestamp(now), milliseconds, message: text },
    },
    events: [announce('Normal', 'RolledBack', text)],
    waiting: { reason: 'Changing', message: text, seconds: 0.05 },
  };
}

/** Refused or given up: its worker ends, what it had built is marked to be dropped, and what is live was never touched. */
function fail(world: SeenWorld, running: Rollback, { reason, message }: Why): Plan {
  const { library, tasks, now } = world;
  const jobs = tasks.filter(({ task, alive }) => task === 'restore' && alive).map(({ name }) => name);
  const text = `${reason}: ${message}`.slice(0, 1024);
  if (jobs.length > 0 && running.to !== undefined) {
    return { steps: [{ kind: 'stopCopy', jobs }], waiting: waiting(running.target, text, 0.5) };
  }
  const { step: _step, ...rest } = running;
  return {
    steps: [],
    status: {
      generations: generationsOf(library.status).map((entry) =>
        entry.number === running.to && entry.state === 'Building' ? { ...entry, state: 'Failed' as const } : entry,
      ),
      rollback: { ...rest, state: 'Failed', finishedAt: timestamp(now), message: text },
    },
    notes: [
      {
        type: 'RollbackFailed',
        status: 'True',
        reason: 'RollbackFailed',
        message: `rollback to ${running.target}: ${text}`,
      },
    ],
    events: [
      announce('Warning', 'RollbackFailed', `rollback to ${running.target}: ${text}; what is live was not touched`),
    ],
    waiting: { reason: 'Changing', message: text, seconds: 0.05 },
  };
}
