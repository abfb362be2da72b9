import type { PlanState } from './verbs.ts';

/** Where a plan can go from where it stands. `None`: it was replaced or dropped. */
export const TRANSITIONS: Readonly<Record<PlanState, readonly PlanState[]>> = {
  None: ['Proposed'],
  Proposed: ['Approved', 'Stopped', 'Expired', 'None'],
  Approved: ['Running', 'Stopped', 'Expired', 'None'],
  Running: ['Stopped', 'Completed', 'Failed'],
  Stopped: ['Proposed', 'None'],
  Completed: ['Proposed', 'None'],
  Expired: ['Proposed', 'None'],
  Failed: ['Proposed', 'None'],
};

export type LifecycleFacts = {
  readonly mode: 'Observe' | 'Recommend' | 'Auto';
  readonly suspended: boolean;
  readonly windowOpen: boolean;
  /** Why a plan is called for and may be made now; empty: it is not. */
  readonly called: readonly string[];
  /** A plan that was made just now, improves matters and is worth it. */
  readonly offered: boolean;
  readonly expired: boolean;
  /** What has changed since the plan was made. */
  readonly drift: readonly string[];
  readonly moves: { readonly left: number; readonly running: number; readonly failed: number };
};

export type Next = {
  readonly state: PlanState;
  readonly reason: LifecycleReason;
  readonly message: string;
  /** Whether a move may be begun. */
  readonly begin: boolean;
};
export type LifecycleReason =
  | 'Suspended'
  | 'Observing'
  | 'Balanced'
  | 'NothingBetter'
  | 'Proposed'
  | 'AwaitingApproval'
  | 'ApprovedByMode'
  | 'AwaitingWindow'
  | 'InputsChanged'
  | 'Expired'
  | 'Moving'
  | 'MoveFailed'
  | 'Completed'
  | 'Ended';

const stay = (state: PlanState, reason: LifecycleReason, message = ''): Next => ({
  state,
  reason,
  message,
  begin: false,
});

/**
 * Where a plan stands next, one transition at a time. A plan is executed exactly as shown, or not: what changed under
 * it ends it, and a new one has to be proposed. Moves that run are always let finish.
 */
export function next(state: PlanState, facts: LifecycleFacts): Next {
  switch (state) {
    case 'None':
    case 'Stopped':
    case 'Completed':
    case 'Expired':
    case 'Failed':
      return propose(state, facts);
    case 'Proposed':
      return approve(facts);
    case 'Approved':
      return start(facts);
    case 'Running':
      return run(facts);
  }
}

function propose(state: PlanState, { suspended, mode, called, offered, moves }: LifecycleFacts): Next {
  if (suspended) return stay(state, 'Suspended');
  if (moves.running > 0) return stay(state, 'Moving', `${moves.running} moves of the last plan run`);
  if (called.length === 0) return stay(state, 'Balanced');
  // Who has stopped a plan wants no other one pushed at them: only refresh goes on.
  if (state === 'Stopped') return stay(state, 'Ended', 'stopped: refresh asks for a new plan');
  if (mode === 'Observe') return stay(state, 'Observing', called.join('; '));
  return offered ? stay('Proposed', 'Proposed', called.join('; ')) : stay(state, 'NothingBetter', called.join('; '));
}

function approve({ suspended, mode, expired, drift, windowOpen }: LifecycleFacts): Next {
  if (drift.length > 0) return stay('Expired', 'InputsChanged', drift.join('; '));
  if (expired) return stay('Expired', 'Expired');
  if (suspended) return stay('Proposed', 'Suspended');
  if (mode === 'Observe') return stay('Expired', 'Observing', 'spec.mode is Observe');
  if (mode === 'Recommend') return stay('Proposed', 'AwaitingApproval');
  return windowOpen ? stay('Approved', 'ApprovedByMode') : stay('Proposed', 'AwaitingWindow');
}

function start({ suspended, mode, drift, windowOpen }: LifecycleFacts): Next {
  if (drift.length > 0) return stay('Expired', 'InputsChanged', drift.join('; '));
  if (suspended) return stay('Approved', 'Suspended');
  if (mode === 'Observe') return stay('Expired', 'Observing', 'spec.mode is Observe');
  return windowOpen ? { ...stay('Running', 'Moving'), begin: true } : stay('Approved', 'AwaitingWindow');
}

function run({ suspended, drift, windowOpen, moves }: LifecycleFacts): Next {
  if (moves.running > 0 && (moves.failed > 0 || drift.length > 0))
    return stay('Running', 'Moving', 'no further move begins');
  if (moves.failed > 0) return stay('Failed', 'MoveFailed', `${moves.failed} moves failed`);
  if (moves.left === 0) return moves.running > 0 ? stay('Running', 'Moving') : stay('Completed', 'Completed');
  if (drift.length > 0) return stay('Failed', 'InputsChanged', drift.join('; '));
  if (suspended) return stay('Running', 'Suspended');
  return windowOpen ? { ...stay('Running', 'Moving'), begin: true } : stay('Running', 'AwaitingWindow');
}
