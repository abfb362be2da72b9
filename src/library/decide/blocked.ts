import type { Blocker } from '../../api/index.ts';
import type { Note, Plan } from '../plan.ts';

/** How soon a refused step is looked at again. */
const AGAIN_SECONDS = 2;

type BlockedOptions = {
  readonly what: string;
  readonly unready?: boolean;
  /** The condition that says so. */
  readonly type?: 'ChangeBlocked' | 'MoveBlocked';
};

/** Named predicates refuse: nothing is done, and why stands in status, condition, metric and log. */
export function blocked(
  blockedBy: readonly Blocker[],
  { what, unready = false, type = 'ChangeBlocked' }: BlockedOptions,
): Plan {
  const reasons = blockedBy.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const message = `${what}: ${reasons}`;
  const note: Note = { type, status: 'True', reason: 'PredicatesRefuse', message };
  return {
    steps: [],
    blockedBy,
    notes: [note],
    waiting: { reason: 'PredicatesRefuse', message, seconds: AGAIN_SECONDS },
    ...(unready ? { unready } : {}),
  };
}
