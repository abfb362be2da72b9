import type { Condition, VectorizationRun } from '../../api/index.ts';
import type { Note, NoteType } from '../plan.ts';
import type { VectorizeProgress } from '../progress.ts';
import { REASONS, type Reason } from '../reasons.ts';
import type { World } from '../world.ts';

/** A run's reason as one of this room's. */
export const reasonOf = (run: Pick<VectorizationRun, 'reason'>): Reason =>
  run.reason !== undefined && Object.hasOwn(REASONS, run.reason) ? (run.reason as Reason) : 'WorkerFailed';

const TROUBLE: readonly (readonly [RegExp, NoteType])[] = [
  [/^BudgetUsedUp$/, 'BudgetSpent'],
  [/^DeletionGuard$/, 'DeletionGuarded'],
  [/^(?:Source|ListingIncomplete)/, 'SourceRefuses'],
  [/^(?:Embedder|ModelChanged)/, 'EmbedderRefuses'],
  [/^Target/, 'TargetRefuses'],
  [/^Worker(?:Silent|Stalled)$/, 'WorkerHung'],
];

/** What the last run came to: it stands until another one comes to something else. */
export function standingNotes(world: World, lastRun: VectorizationRun | undefined): Note[] {
  return [...hungNotes(world), ...troubleNotes(lastRun), ...documentNotes(world, lastRun), ...qualityNotes(world)];
}

/** Of the run that goes on: until it ends. */
function hungNotes({ job }: World): Note[] {
  const hung = job.status?.progress?.hung;
  return hung === undefined ? [] : [{ type: 'WorkerHung', status: 'True', reason: hung.reason, message: hung.message }];
}

function troubleNotes(lastRun: VectorizationRun | undefined): Note[] {
  if (lastRun?.reason === undefined) return [];
  const reason = reasonOf(lastRun);
  const type = TROUBLE.find(([pattern]) => pattern.test(reason))?.[1];
  return type === undefined ? [] : [{ type, status: 'True', reason, message: lastRun.message ?? REASONS[reason] }];
}

const NAMED = 5;

function documentNotes(world: World, lastRun: VectorizationRun | undefined): Note[] {
  if (lastRun === undefined || (lastRun.failed ?? 0) === 0) return [];
  const { progress } = world;
  if (progress === undefined || progress.run !== lastRun.run) return before(world, 'DocumentsFailed');
  const named = progress.failures.slice(0, NAMED).map(({ path, reason, message }) => `${path}: ${reason}: ${message}`);
  const message = `${lastRun.failed} documents failed: ${named.join('; ')}`;
  return [{ type: 'DocumentsFailed', status: 'True', reason: 'DocumentsFailed', message }];
}

function qualityNotes(world: World): Note[] {
  const quality = ownProgress(world)?.quality;
  if (quality === undefined) return before(world, 'QualityOk');
  const open = quality.gates.filter(({ passed }) => !passed);
  const say = (gates: readonly { readonly name: string; readonly message: string }[]): string =>
    gates.map(({ name, message }) => `${name}: ${message}`).join('; ');
  return open.length === 0
    ? [{ type: 'QualityOk', status: 'True', reason: 'GatesHold', message: say(quality.gates) || 'no gate is asked' }]
    : [{ type: 'QualityOk', status: 'False', reason: 'GatesClosed', message: say(open) }];
}

/** The worker's words, when they are about the run that goes on or the last one. */
export function ownProgress({ job, progress }: World): VectorizeProgress | undefined {
  const runs = [job.status?.progress?.run, job.status?.lastRun?.run];
  return progress !== undefined && runs.includes(progress.run) ? progress : undefined;
}

/** The condition as it was. */
function before({ job }: World, type: NoteType): Note[] {
  const conditions: readonly Condition[] = job.status?.conditions ?? [];
  const found = conditions.find((condition) => condition.type === type);
  if (found === undefined || found.status === 'Unknown') return [];
  return [{ type, status: found.status, reason: found.reason as Reason, message: found.message }];
}
