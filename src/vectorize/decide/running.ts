import type { VectorizationProgress } from '../../api/index.ts';
import { type Plan, timestamp } from '../plan.ts';
import type { VectorizeProgress } from '../progress.ts';
import type { World } from '../world.ts';
import { specDigest } from './due.ts';
import { costOf, identityOf, qualityOf, runEnded } from './ended.ts';
import { condemned, exhausted, hangs, isCondemned, pulseOf, type Reporting } from './hung.ts';
import { mayBegin } from './start.ts';

/** The worker's last words may come some moments after the end of its pod. */
const GRACE_SECONDS = 3;

/** A run is on: see that it has a worker, tell how far it is, take note of its end. */
export function goOn(world: World, run: VectorizationProgress): Plan {
  const { job, jobs, settings } = world;
  const told = world.progress?.run === run.run ? world.progress : undefined;
  // What is done is done, whatever the spec says meanwhile.
  if (told?.result !== undefined) return runEnded(world, run, told.result);
  if (run.specDigest !== specDigest(job)) return superseded(world, run);
  const worker = jobs.find((candidate) => candidate.run === run.run);
  switch (worker?.state) {
    case undefined:
      return exhausted(world, run) ?? startWorker(world, run);
    case 'ending':
      return wait(`Job ${worker.name} ends`, 'Stopping', settings.busySeconds);
    case 'running':
      return isCondemned(run, worker)
        ? { ...wait(run.hung?.message ?? '', 'Stopping', 0.05), steps: [{ kind: 'stopWorkers', jobs: [worker.name] }] }
        : watched(world, { run, worker, told });
    case 'succeeded':
    case 'failed':
      return withoutWord(world, { run, worker, told });
  }
}

const wait = (message: string, reason: 'Stopping' | 'Running' | 'Starting', seconds: number): Plan => ({
  steps: [],
  waiting: { reason, message, seconds },
});

function startWorker(world: World, run: VectorizationProgress): Plan {
  const blocked = mayBegin(world);
  if (blocked !== undefined) return blocked;
  const why = run.cause === undefined ? '' : ` (${run.cause})`;
  return {
    steps: [{ kind: 'startWorker', run: run.run ?? '' }],
    events: [{ type: 'Normal', reason: 'RunStarted', action: 'Vectorize', note: `run ${run.run}${why} begins` }],
    waiting: { reason: 'Starting', message: `run ${run.run} begins`, seconds: 0.05 },
  };
}

/** A worker that hangs is given up; of any other it is told how far it is. */
function watched(world: World, { run: before, worker, told }: Reporting): Plan {
  const { pulse: _pulse, ...rest } = before;
  const pulse = pulseOf(world, { run: before, worker, told });
  const run = pulse === undefined ? rest : { ...rest, pulse };
  const why = pulse === undefined ? undefined : hangs(world, { run, worker, told }, pulse);
  return why === undefined ? reported(world, { run, worker, told }) : condemned(run, why);
}

function reported({ job, settings }: World, { run, worker, told }: Reporting): Plan {
  const seconds = settings.busySeconds;
  if (told === undefined) {
    const message = worker.message ?? `the worker of Job ${worker.name} has said nothing yet`;
    return { steps: [], status: { progress: run }, waiting: { reason: 'WorkerPending', message, seconds } };
  }
  const progress = { ...withWords(run, told), ...costOf(job, told) };
  const { documents, chunks, embedded, reused } = told.counts;
  const of = told.total === undefined ? '' : ` of ${told.total}`;
  const note = told.note === undefined ? '' : `; ${told.note}`;
  const message = `${told.step}: ${documents}${of} documents, ${chunks} chunks, ${embedded} embedded, ${reused} reused${note}`;
  return {
    steps: [],
    status: { progress, ...qualityOf(job.metadata.name, told) },
    waiting: { reason: 'Running', message, seconds },
  };
}

/** What the worker says of the run, beside what the operator knows of it. */
function withWords(run: VectorizationProgress, told: VectorizeProgress): VectorizationProgress {
  const { counts, total, step, percent, chunksPerMinute, expectedAt, note } = told;
  return {
    ...identityOf(run),
    startedAt: run.startedAt,
    step,
    ...counts,
    ...(total === undefined ? {} : { total }),
    percent,
    chunksPerMinute,
    ...(expectedAt === undefined ? {} : { expectedAt: timestamp(expectedAt) }),
    ...(note === undefined ? {} : { note }),
    ...(run.configMap === undefined ? {} : { configMap: run.configMap }),
    ...(run.attempt === undefined ? {} : { attempt: run.attempt }),
    ...(run.hung === undefined ? {} : { hung: run.hung }),
    ...(run.pulse === undefined ? {} : { pulse: run.pulse }),
  };
}

/** The Job ended and no result is known. */
function withoutWord(world: World, { run, worker, told }: Reporting): Plan {
  const { now } = world;
  const endedAt = worker.endedAt ?? now;
  if (now - endedAt < GRACE_SECONDS * 1000) {
    return wait(`Job ${worker.name} ended: waits for its last words`, 'Running', GRACE_SECONDS);
  }
  const why = worker.message === undefined ? '' : `: ${worker.message}`;
  const note = told?.note === undefined ? '' : `; it said last: ${told.note}`;
  const message = `Job ${worker.name} ended (${worker.state}) without a result${why}${note}`;
  return runEnded(world, run, { result: 'Failed', reason: 'WorkerFailed', message, finishedAt: endedAt });
}

/** Another spec asks for another run: this one is given up. */
function superseded({ jobs }: World, run: VectorizationProgress): Plan {
  const alive = jobs.filter(({ state }) => state === 'running').map(({ name }) => name);
  return {
    steps: alive.length === 0 ? [] : [{ kind: 'stopWorkers', jobs: alive }],
    status: { progress: null },
    events: [
      { type: 'Normal', reason: 'RunSuperseded', action: 'Vectorize', note: `the spec changed: run ${run.run} ends` },
    ],
    waiting: { reason: 'Stopping', message: `run ${run.run} ends, as the spec changed`, seconds: 0.05 },
  };
}
