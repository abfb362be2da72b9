import { ANNOTATIONS, type Blocker, disabledPredicates, overruled, type VectorizationRun } from '../api/index.ts';
import { dueNow, nextDue, repeats, specDigest } from './decide/due.ts';
import { type Refusal, refusalOf } from './decide/refused.ts';
import { goOn } from './decide/running.ts';
import { reasonOf, standingNotes } from './decide/standing.ts';
import { begin } from './decide/start.ts';
import { type Plan, timestamp } from './plan.ts';
import { REASONS } from './reasons.ts';
import type { World } from './world.ts';

/** What this pass does. Pure: the same world gives the same plan. */
export function decide(world: World): Plan {
  const plan = decideStep(world);
  const lastRun = plan.status?.lastRun ?? world.job.status?.lastRun;
  const notes = [...standingNotes(world, lastRun), ...(plan.notes ?? [])];
  return { ...plan, notes };
}

/** Refusals that this pass passes over, because the object's annotation switches their predicates off. */
export const overruledBy = (world: World): Blocker[] =>
  overruled(disabledPredicates(world.job), () => decide(strictly(world)).blockedBy ?? []);

function strictly(world: World): World {
  const { [ANNOTATIONS.disablePredicates]: _, ...annotations } = world.job.metadata.annotations ?? {};
  return { ...world, job: { ...world.job, metadata: { ...world.job.metadata, annotations } } };
}

function decideStep(world: World): Plan {
  const { job } = world;
  // Its objects are its own: Kubernetes removes them with it. Points stay.
  if (job.metadata.deletionTimestamp !== undefined) return { steps: [] };
  if (job.spec.suspend === true) return suspended(world);
  const refusal = refusalOf(job);
  if (refusal !== undefined) return refused(world, refusal);
  const run = job.status?.progress;
  if (run?.run !== undefined) return goOn(world, run);
  const due = dueNow(world);
  return due === undefined ? atRest(world) : begin(world, due);
}

/** The worker ends; the run stays, and goes on with another worker. */
function suspended(world: World): Plan {
  const message = 'spec.suspend is true: nothing is done';
  const done = isDone(world);
  return {
    ...stopping(world),
    notes: [{ type: 'Suspended', status: 'True', reason: 'Suspended', message }],
    ...(done ? {} : { unready: true, stalled: true, waiting: { reason: 'Suspended', message, seconds: 60 } }),
  };
}

const isDone = ({ job }: World): boolean =>
  job.status?.lastRun?.result === 'Succeeded' && job.status.lastRun.specDigest === specDigest(job);

function stopping({ jobs }: World): Pick<Plan, 'steps'> {
  const running = jobs.filter(({ state }) => state === 'running').map(({ name }) => name);
  return { steps: running.length === 0 ? [] : [{ kind: 'stopWorkers', jobs: running }] };
}

/** What only another spec can cure. A run of an earlier spec ends. */
function refused(world: World, { reason, message }: Refusal): Plan {
  return {
    ...stopping(world),
    ...(world.job.status?.progress === undefined ? {} : { status: { progress: null } }),
    unready: true,
    stalled: true,
    waiting: { reason, message, seconds: world.settings.resyncSeconds },
  };
}

/** Nothing is due: how the last run ended says whether all is well. */
function atRest({ job, settings }: World): Plan {
  const lastRun = job.status?.lastRun;
  if (lastRun === undefined || lastRun.result === 'Succeeded') return { steps: [] };
  const next = nextDue(job, settings);
  const when = next === undefined ? '' : `; the next run begins at ${timestamp(next)}`;
  const message = `${trouble(lastRun)}${when}`;
  return {
    steps: [],
    unready: true,
    ...(repeats(lastRun) ? {} : { stalled: true }),
    waiting: { reason: reasonOf(lastRun), message, seconds: settings.resyncSeconds },
  };
}

const trouble = (run: VectorizationRun): string => run.message ?? REASONS[reasonOf(run)];
