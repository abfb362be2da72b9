import { createHash } from 'node:crypto';
import { ANNOTATIONS, type RunCause, type VectorizationJob, type VectorizationRun } from '../../api/index.ts';
import { canonicalJson } from '../../vectors/index.ts';
import { nextTime } from '../timetable.ts';
import type { VectorizeSettings, World } from '../world.ts';

/** What asks for a run now. */
export type Due = { readonly cause: RunCause /** Of the annotation. */; readonly nonce?: string };

type Pauses = Pick<VectorizeSettings, 'againSeconds' | 'mostAgainSeconds'>;

/** Sixteen hex digits that change with everything of the spec that tells what a run does; not when it runs. */
export function specDigest({ spec }: Pick<VectorizationJob, 'spec'>): string {
  const { suspend: _suspend, schedule: _schedule, timeZone: _zone, parallelism: _workers, ...rest } = spec;
  return createHash('sha256').update(canonicalJson(rest)).digest('hex').slice(0, 16);
}

/** What status keeps of an annotation's value; longer ones are told apart by their beginning. */
const MOST_OF_NONCE = 256;

/**
 * Whether a run is due, from what stands in the object alone: a restart loses none and repeats none.
 */
export function dueNow(world: Pick<World, 'job' | 'now' | 'settings' | 'inputs'>): Due | undefined {
  const { job, now, settings, inputs } = world;
  const { lastRun, lastHandled } = job.status ?? {};
  const nonce = job.metadata.annotations?.[ANNOTATIONS.run]?.slice(0, MOST_OF_NONCE);
  if (nonce !== undefined && nonce !== lastHandled?.['run']) return { cause: 'Annotation', nonce };
  if (lastRun?.specDigest !== specDigest(job)) return { cause: 'Spec' };
  if (changedInputs(world) && inputs.settledAt <= now) return { cause: 'Source' };
  if (lastRun?.reason !== undefined && KEYS_REFUSED.test(lastRun.reason) && lastRun.secrets !== inputs.secrets) {
    return { cause: 'Secret' };
  }
  const { retryAt, scheduledAt } = appointments(job, settings);
  if (retryAt !== undefined && retryAt <= now) return { cause: 'Retry' };
  if (scheduledAt !== undefined && scheduledAt <= now) return { cause: 'Schedule' };
  return undefined;
}

/** What a new key cures. With the old one in place a new one changes nothing that a run could do. */
const KEYS_REFUSED = /^(?:Embedder|Source)Unauthorized$/;

/** Whether its ConfigMaps are others than the last run began with. A job with a schedule waits for its time. */
export function changedInputs({ job, inputs }: Pick<World, 'job' | 'inputs'>): boolean {
  if (job.spec.schedule !== undefined || inputs.digest === undefined) return false;
  return job.status?.lastRun !== undefined && job.status.lastRun.inputs !== inputs.digest;
}

/** When the next run begins by itself, in milliseconds since the epoch. */
export function nextDue(job: VectorizationJob, pauses: Pauses): number | undefined {
  const { retryAt, scheduledAt } = appointments(job, pauses);
  if (retryAt === undefined || scheduledAt === undefined) return retryAt ?? scheduledAt;
  return Math.min(retryAt, scheduledAt);
}

function appointments(job: VectorizationJob, pauses: Pauses) {
  const { schedule, timeZone } = job.spec;
  const { lastRun } = job.status ?? {};
  const since = Date.parse(lastRun?.startedAt ?? job.metadata.creationTimestamp ?? '');
  const scheduledAt =
    schedule === undefined || Number.isNaN(since) ? undefined : nextTime({ schedule, timeZone }, since);
  return { scheduledAt, retryAt: lastRun === undefined ? undefined : retryOf(lastRun, pauses) };
}

const RARELY = 24;

/** A run that failed is repeated with growing pauses, without end: what stood against it may go away by itself. */
function retryOf(run: VectorizationRun, { againSeconds, mostAgainSeconds }: Pauses): number | undefined {
  if (!repeats(run)) return undefined;
  // All but some documents is there: nobody wants a whole source to be read every ten minutes for them.
  const most = run.result === 'Failed' ? mostAgainSeconds : mostAgainSeconds * RARELY;
  const pause = Math.min(againSeconds * 2 ** ((run.failures ?? 1) - 1), most);
  return Date.parse(run.finishedAt) + pause * 1000;
}

/** Whether such an end is followed by another try. A budget, a guard and a gate ask for somebody's word. */
export const repeats = ({ result, reason, again }: Pick<VectorizationRun, 'result' | 'reason' | 'again'>): boolean =>
  result === 'Failed' || again === true || (result === 'Stopped' && reason === 'ListingIncomplete');
