import type { MoveRecord } from '../kept.ts';
import type { Next } from '../lifecycle.ts';
import type { PlanDocument } from '../plan/document.ts';
import type { WindowState } from '../windows.ts';

export const iso = (at: number): string => new Date(at).toISOString();

type Facts = {
  readonly document: PlanDocument | undefined;
  readonly moves: readonly MoveRecord[];
  readonly window: WindowState;
};

/** What is said of where a plan stands, besides what has changed or failed. */
export function explained({ reason, message }: Pick<Next, 'reason' | 'message'>, facts: Facts): string {
  if (message !== '') return message;
  const { document, moves, window } = facts;
  const running = moves.filter(({ state }) => state === 'Running').map(({ library, to }) => `${library} to ${to}`);
  const done = moves.filter(({ state }) => state === 'Done').length;
  switch (reason) {
    case 'AwaitingApproval':
      return document === undefined ? '' : `plan ${document.digest} can be approved until ${document.expiresAt}`;
    case 'AwaitingWindow':
      return window.open || window.opensAt === undefined
        ? 'no window opens any more'
        : `the next window opens at ${iso(window.opensAt)}`;
    case 'Moving':
      return running.length > 0 ? running.join('; ') : 'the next move is about to begin';
    case 'Completed':
      return `${done} moves are done`;
    case 'Expired':
      return 'nobody approved the plan in time';
    case 'ApprovedByMode':
      return 'spec.mode is Auto';
    case 'Balanced':
      return 'nothing calls for a plan';
    case 'Suspended':
      return 'nothing is begun';
    case 'InputsChanged':
    case 'MoveFailed':
    case 'NothingBetter':
    case 'Observing':
    case 'Proposed':
    case 'Ended':
      return message;
  }
}
