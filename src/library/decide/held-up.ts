import type { DomainLibrary } from '../../api/index.ts';
import { findCondition, type Occurrence } from '../../kube/index.ts';
import type { Note, NoteType } from '../plan.ts';

/** What is wanted and waits, while the library serves. */
const HELD_UP: ReadonlySet<NoteType> = new Set(['MoveBlocked', 'ChangeBlocked']);

/** Seconds, bytes and counts tick; what is said with them stays the same. */
const gist = (message: string): string => message.replace(/\d+(?:\.\d+)?/g, '0');

/** Says once, when it is new, what stands against a move or a new generation: a condition alone has no history. */
export function heldUpEvents({ status }: Pick<DomainLibrary, 'status'>, notes: readonly Note[]): readonly Occurrence[] {
  return notes
    .filter(({ type, status: value }) => HELD_UP.has(type) && value === 'True')
    .filter(({ type, reason, message }) => {
      const before = findCondition(status?.conditions ?? [], type);
      return before?.reason !== reason || gist(before.message) !== gist(message);
    })
    .map(({ type, reason, message }) => ({
      type: 'Warning',
      reason: reason === 'PredicatesRefuse' ? type : reason,
      action: type === 'MoveBlocked' ? 'Move' : 'Change',
      note: message,
    }));
}
