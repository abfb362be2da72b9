import type { GenerationChange, QdrantCluster } from '../../api/index.ts';
import type { Occurrence } from '../../kube/index.ts';
import type { Progress } from '../../migration/index.ts';
import type { CollectionLook } from '../look.ts';
import type { Note, Plan, Step } from '../plan.ts';
import { workersKeyRefused } from '../predicates.ts';
import type { SeenWorld } from '../world.ts';
import { moveNote } from './move.ts';
import { isMove } from './site.ts';
import { isReused } from './way-back.ts';

/** Only what belongs to this change counts. */
export function progressOf({ library, progress }: SeenWorld, { to }: GenerationChange): Progress | undefined {
  return progress?.change === `${library.metadata.uid}/${to}` ? progress : undefined;
}

export const event = (
  reason: string,
  action: string,
  note: string,
  type: Occurrence['type'] = 'Normal',
): Occurrence => ({
  type,
  reason,
  action,
  note,
});

/** Says what a worker meets and tries again, e.g. a disk that is full: it may be long before it gives up. */
export function heldUp(
  { library }: Pick<SeenWorld, 'library'>,
  progress: Pick<Progress, 'change' | 'note'> | undefined,
  plan: Plan,
): Plan {
  const { change } = library.status ?? {};
  if (progress?.note === undefined || change === undefined) return plan;
  const type = isMove(change) ? 'MoveBlocked' : 'ChangeBlocked';
  const message = `the copy of generation ${change.to} is tried again: ${progress.note}`;
  const note: Note = { type, status: 'True', reason: 'CopyHeldUp', message };
  return { ...plan, notes: [...(plan.notes ?? []), note] };
}

const BACKOFF_SECONDS = 5;
const MAX_BACKOFF_SECONDS = 600;

/** A Job that copies, and one only: the next attempt begins when the one before is gone. */
export function ensureWorker(
  world: SeenWorld,
  {
    from,
    to,
    change,
  }: { readonly from: CollectionLook; readonly to: CollectionLook; readonly change: GenerationChange },
): Plan | undefined {
  const { job, otherJobs, now, settings } = world;
  if (otherJobs.length > 0) {
    const message = `an earlier copy ends: ${otherJobs.join(', ')}`;
    return {
      steps: [{ kind: 'stopCopy', jobs: otherJobs }],
      waiting: { reason: 'Changing', message, seconds: settings.busySeconds },
    };
  }
  if (job?.state === 'running') return undefined;
  // One that ended well before the switch has not done its work either.
  const ended = job;
  const attempt = (job?.attempt ?? 0) + 1;
  // What ails the other cluster of a move may last, and passes: a move is only given up by who ordered it.
  if (ended !== undefined && attempt > settings.copyAttempts && !isMove(change)) {
    return {
      steps: [],
      stalled: true,
      waiting: {
        reason: 'CopyFailed',
        message: `the copy failed ${ended.attempt} times: ${whyFailed(world)}; delete Job ${ended.name} to try again`,
        seconds: settings.resyncSeconds,
      },
    };
  }
  const delay = ended === undefined ? 0 : Math.min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** (ended.attempt - 1));
  const left = ended === undefined ? 0 : delay - (now - (ended.endedAt ?? now)) / 1000;
  if (left > 0) {
    const message = `attempt ${attempt - 1} of the copy ended early: ${whyFailed(world)}; the next one begins in ${Math.ceil(delay)} s`;
    return {
      steps: [],
      ...(isMove(change) ? { notes: [moveNote(message)] } : {}),
      waiting: { reason: 'CopyFailed', message, seconds: Math.max(settings.busySeconds, left) },
    };
  }
  const refused = [world, ...world.places]
    .filter(({ cluster }) => cluster === world.cluster || isEnd(change, cluster))
    .map(({ cluster }) => (cluster === undefined ? undefined : workersKeyRefused(cluster)))
    .find((reason) => reason !== undefined);
  if (refused !== undefined) {
    const message = `attempt ${attempt} of the copy waits: ${refused}`;
    return { steps: [], waiting: { reason: 'Unauthorized', message, seconds: settings.busySeconds } };
  }
  const copy: Step = {
    kind: 'startCopy',
    from: from.name,
    to: to.name,
    ...(isMove(change) ? { fromCluster: change.fromCluster, toCluster: change.toCluster } : {}),
    ...(isReused(world, change.to) ? { again: true } : {}),
    generation: change.to,
    attempt,
  };
  return {
    steps: [copy],
    status: { change: { ...change, step: change.step === 'Building' ? 'Copying' : change.step } },
    events:
      attempt === 1
        ? []
        : [event('CopyRetried', 'Copy', `attempt ${attempt} of copying generation ${change.to}`, 'Warning')],
    waiting: {
      reason: 'Changing',
      message: `attempt ${attempt} of copying generation ${change.to} begins`,
      seconds: settings.busySeconds,
    },
  };
}

const isEnd = ({ fromCluster, toCluster }: GenerationChange, cluster: QdrantCluster | undefined): boolean =>
  cluster !== undefined && [fromCluster, toCluster].includes(cluster.metadata.name);

const whyFailed = ({ progress }: SeenWorld): string =>
  progress?.failure === undefined
    ? 'see the log of its pod'
    : `${progress.failure.reason}: ${progress.failure.message}`;
