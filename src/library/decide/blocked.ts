import type { Blocker } from '../../api/index.ts';
import type { Note, Plan } from '../plan.ts';

/** How soon a refused step is looked at again. */
const AGAIN_SECONDS = 2;

/** Named predicates refuse: nothing is done, and why stands in status, condition, metric and log. */
export function blocked(
  blockedBy: readonly Blocker[],
  { what, unready = false }: { readonly what: string; readonly unready?: boolean },
): Plan {
  const reasons = blockedBy.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const message = `${what}: ${reasons}`;
  const note: Note = { type: 'ChangeBlocked', status: 'True', reason: 'PredicatesRefuse', message };
  return {
    steps: [],
    blockedBy,
    notes: [note],
    waiting: { reason: 'PredicatesRefuse', message, seconds: AGAIN_SECONDS },
    ...(unready ? { unready } : {}),
  };
}
