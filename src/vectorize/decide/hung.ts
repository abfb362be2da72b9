import type { VectorizationProgress } from '../../api/index.ts';
import { type Plan, timestamp } from '../plan.ts';
import type { VectorizeProgress } from '../progress.ts';
import type { WorkerJob, World } from '../world.ts';
import { runEnded } from './ended.ts';

type Pulse = NonNullable<VectorizationProgress['pulse']>;
type Hung = NonNullable<VectorizationProgress['hung']>;

/** So many workers of a run are replaced; after that the run has failed, and is tried again like any other. */
export const MOST_REPLACED = 3;
/** What has moved is written down so seldom: status is no place for ticks. */
const COARSE_SECONDS = 15;

export type Reporting = {
  readonly run: VectorizationProgress;
  readonly worker: WorkerJob;
  readonly told: VectorizeProgress | undefined;
};

/** What was seen of the worker until now. Undefined while no pod of it is at work. */
export function pulseOf({ now, settings }: World, { run, worker, told }: Reporting): Pulse | undefined {
  if (!worker.begun) return undefined;
  const coarse = Math.min(COARSE_SECONDS, settings.silenceSeconds / 4, settings.stallSeconds / 4) * 1000;
  const beat = told === undefined ? 'nothing' : `${told.holder.id}/${told.holder.beat}`;
  const moved = told === undefined ? 'nothing' : `${told.holder.id}/${told.activity ?? told.holder.beat}`;
  const before = run.pulse;
  if (before === undefined) return { beat, beatAt: timestamp(now), moved, movedAt: timestamp(now) };
  const due = (at: string): boolean => now - Date.parse(at) >= coarse;
  return {
    ...(beat !== before.beat && due(before.beatAt)
      ? { beat, beatAt: timestamp(now) }
      : { beat: before.beat, beatAt: before.beatAt }),
    ...(moved !== before.moved && due(before.movedAt)
      ? { moved, movedAt: timestamp(now) }
      : { moved: before.moved, movedAt: before.movedAt }),
  };
}

/** How the worker hangs; undefined while it has time. */
export function hangs(
  { now, job, settings, watchedSince }: World,
  reporting: Reporting,
  pulse: Pulse,
): Hung | undefined {
  const { silenceSeconds, stallSeconds } = settings;
  const stalled = stallSeconds + (job.spec.embedder.timeoutSeconds ?? 60);
  const silent = Math.min(silenceSeconds, stallSeconds);
  // A process that has just begun to look has not heard what was said before.
  if (now - watchedSince < (silent * 1000) / 2) return undefined;
  const late = (at: string, seconds: number): boolean => now - Date.parse(at) >= seconds * 1000;
  if (late(pulse.beatAt, silent)) return hung('WorkerSilent', pulse.beatAt, reporting, silent);
  if (late(pulse.movedAt, stalled)) return hung('WorkerStalled', pulse.movedAt, reporting, stalled);
  return undefined;
}

function hung(reason: Hung['reason'], since: string, { worker, told }: Reporting, limit: number): Hung {
  const what = reason === 'WorkerSilent' ? 'gives no sign of life' : 'is alive and gets nowhere';
  const message = `the worker of Job ${worker.name}${told === undefined ? '' : ` (pod ${told.holder.pod})`} ${what} since ${since}, longer than ${limit} s: ${whereabouts(told)}`;
  return { reason, since, message: message.slice(0, 1024) };
}

function whereabouts(told: VectorizeProgress | undefined): string {
  if (told === undefined) return 'it has said nothing yet';
  const { step, counts, total, cursor, note } = told;
  const of = total === undefined ? '' : ` of ${total}`;
  const last = cursor === undefined ? '' : `, the last one ${JSON.stringify(cursor)}`;
  return `at ${step}, with ${counts.documents}${of} documents done${last}${note === undefined ? '' : `; ${note}`}`;
}

const attemptOf = (run: VectorizationProgress): number => run.attempt ?? 0;

/** Written down before anything is done about it: whoever comes later ends the same worker, and counts it once. */
export function condemned(run: VectorizationProgress, why: Hung): Plan {
  const { pulse: _pulse, ...rest } = run;
  const attempt = attemptOf(run) + 1;
  const next = attempt > MOST_REPLACED ? 'the run fails' : `another worker goes on (${attempt} of ${MOST_REPLACED})`;
  const note = `${why.message}; it is ended, and ${next}`;
  return {
    steps: [],
    status: { progress: { ...rest, attempt, hung: why } },
    events: [{ type: 'Warning', reason: why.reason, action: 'Vectorize', note }],
    waiting: { reason: 'Stopping', message: note, seconds: 0.05 },
  };
}

/** Whether the worker is one that was given up before. */
export const isCondemned = (run: VectorizationProgress, worker: WorkerJob): boolean => worker.attempt < attemptOf(run);

/** The worker that hung is gone: whether another one may try. */
export function exhausted(world: World, run: VectorizationProgress): Plan | undefined {
  if (run.hung === undefined || attemptOf(run) <= MOST_REPLACED) return undefined;
  const { reason, message } = run.hung;
  return runEnded(world, run, { result: 'Failed', reason, message, finishedAt: world.now });
}
