import type { TaskJob } from '../../world.ts';
import type { TaskProgress } from '../task-progress.ts';

const BACKOFF_SECONDS = 5;
const MAX_BACKOFF_SECONDS = 600;

export type Attempts =
  | { readonly kind: 'running' }
  /** Waits for its time; `failed` attempts so far. */
  | { readonly kind: 'later'; readonly seconds: number; readonly failed: number }
  | { readonly kind: 'start'; readonly attempt: number };

/** Jobs of one piece of work: the next attempt begins when no pod of the one before may run, after growing delay. */
export function attemptsOf(jobs: readonly TaskJob[], now: number): Attempts {
  if (jobs.some(({ alive }) => alive)) return { kind: 'running' };
  const last = lastOf(jobs);
  if (last === undefined) return { kind: 'start', attempt: 1 };
  const delay = Math.min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** Math.min(Math.max(0, last.attempt - 1), 10));
  const left = delay - (now - (last.endedAt ?? now)) / 1000;
  return left > 0
    ? { kind: 'later', seconds: left, failed: last.attempt }
    : { kind: 'start', attempt: last.attempt + 1 };
}

/** By when it ended: the attempt in a name begins anew after a hundred. */
export const lastOf = (jobs: readonly TaskJob[]): TaskJob | undefined =>
  jobs.toSorted((a, b) => (a.endedAt ?? Number.MAX_SAFE_INTEGER) - (b.endedAt ?? Number.MAX_SAFE_INTEGER)).at(-1);

export const jobsNamed = (tasks: readonly TaskJob[], prefix: string): TaskJob[] =>
  tasks.filter(({ name }) => name.startsWith(prefix));

/** Why the last attempt came to nothing. */
export function failureOf(progress: TaskProgress | undefined): { readonly reason: string; readonly message: string } {
  return (
    progress?.failure ?? { reason: 'TaskFailed', message: 'the worker ended before its work was done; see its log' }
  );
}
