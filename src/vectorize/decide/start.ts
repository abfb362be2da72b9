import type { VectorizationProgress } from '../../api/index.ts';
import { objectNames, runId } from '../names.ts';
import { type Plan, timestamp } from '../plan.ts';
import { refusals } from '../predicates.ts';
import type { World } from '../world.ts';
import { type Due, specDigest } from './due.ts';

/** How soon what stands against a run is looked at again. */
const AGAIN_SECONDS = 2;

/** What stands against a run now; undefined: nothing. It goes on by itself when the cause goes away. */
export function mayBegin(world: World): Plan | undefined {
  const { library, job } = world;
  const wanted = job.spec.target.libraryRef.name;
  if (library === undefined) {
    const message = `spec.target.libraryRef.name: ${JSON.stringify(wanted)}: there is no DomainLibrary of that name`;
    return unready('LibraryNotFound', message);
  }
  const blockedBy = refusals(world);
  if (blockedBy.length > 0) {
    const message = blockedBy.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
    return {
      ...unready('PredicatesRefuse', message),
      blockedBy,
      notes: [{ type: 'RunBlocked', status: 'True', reason: 'PredicatesRefuse', message }],
    };
  }
  if (library.binding === undefined) {
    return unready('LibraryUnbound', `DomainLibrary ${library.name} has no binding Secret yet`);
  }
  return undefined;
}

const unready = (reason: 'LibraryNotFound' | 'LibraryUnbound' | 'PredicatesRefuse', message: string): Plan => ({
  steps: [],
  unready: true,
  waiting: { reason, message, seconds: AGAIN_SECONDS },
});

/** A run is due. It stands in the status before it has a worker: whoever comes later goes on with it. */
export function begin(world: World, due: Due): Plan {
  const { job, jobs, now, settings, inputs } = world;
  const alive = jobs.filter(({ state }) => state === 'running' || state === 'ending');
  if (alive.length > 0) {
    const running = alive.filter(({ state }) => state === 'running').map(({ name }) => name);
    const message = `Job ${alive.map(({ name }) => name).join(', ')} ends before the next run begins`;
    return {
      steps: running.length === 0 ? [] : [{ kind: 'stopWorkers', jobs: running }],
      waiting: { reason: 'Stopping', message, seconds: settings.busySeconds },
    };
  }
  const blocked = mayBegin(world);
  if (blocked !== undefined) return blocked;
  const run = runId(job.metadata.uid ?? '', now);
  const progress: VectorizationProgress = {
    run,
    cause: due.cause,
    ...(due.nonce === undefined ? {} : { request: due.nonce }),
    specDigest: specDigest(job),
    ...(inputs.digest === undefined ? {} : { inputs: inputs.digest }),
    ...(inputs.secrets === undefined ? {} : { secrets: inputs.secrets }),
    startedAt: timestamp(now),
    step: 'Listing',
    configMap: objectNames(job.metadata.name).progress,
  };
  return {
    steps: [],
    status: { progress, ...(due.nonce === undefined ? {} : { handled: due.nonce }) },
    waiting: { reason: 'Starting', message: `run ${run} begins (${due.cause})`, seconds: 0.05 },
  };
}
