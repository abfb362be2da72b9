import type { Blocker } from '../../api/index.ts';
import { disabledPredicates, isDisabled } from '../../api/index.ts';
import type { Occurrence } from '../../kube/index.ts';
import { refusedStart } from '../execution.ts';
import type { Execution, Kept, MoveRecord } from '../kept.ts';
import type { PlanDocument } from '../plan/document.ts';
import type { Move, Problem } from '../plan/problem.ts';
import type { Reason } from '../reasons.ts';
import type { World } from '../world.ts';
import { follow } from './follow.ts';
import type { Step } from './step.ts';

export type Following = {
  readonly execution: Execution | undefined;
  readonly moved: Kept['moved'];
  readonly steps: readonly Step[];
  readonly events: readonly Occurrence<Reason>[];
};

/** What has become of the moves that run. */
export function followMoves({ execution, kept, policy, libraries, now }: World): Following {
  if (execution === undefined) return { execution, moved: kept.moved, steps: [], events: [] };
  const { digest } = execution;
  const ordered = { policy: policy.metadata.name, digest, now };
  const followed = execution.moves.map((before) => {
    const library = libraries.find(({ name }) => name === before.library)?.object;
    return { before, ...follow(before, library, ordered) };
  });
  const ended = followed.filter(({ before, record }) => before.state === 'Running' && record.state !== 'Running');
  return {
    execution: { ...execution, moves: followed.map(({ record }) => record) },
    moved: Object.fromEntries([
      ...Object.entries(kept.moved),
      ...ended
        .filter(({ record }) => record.state === 'Done')
        .map(({ record }) => [record.library, pastMove(record, now)]),
    ]),
    steps: followed.flatMap(({ record, order, withdraw }): Step[] => {
      const { library, to: cluster } = record;
      if (withdraw) return [{ kind: 'withdraw', library }];
      return order ? [{ kind: 'assign', library, cluster, digest }] : [];
    }),
    events: ended.map(({ record }) => told(record)),
  };
}

const pastMove = ({ from, startedAt, bytes }: MoveRecord, now: number): Kept['moved'][string] => ({
  from,
  endedAt: now,
  seconds: (now - startedAt) / 1000,
  bytes,
});

function told({ library, from, to, state, message = '' }: MoveRecord): Occurrence<Reason> {
  const route = `${library} from ${from} to ${to}`;
  if (state === 'Done') return { type: 'Normal', reason: 'MoveCompleted', action: 'Move', note: route };
  const reason = state === 'Stopped' ? 'MoveStopped' : 'MoveFailed';
  return { type: 'Warning', reason, action: 'Move', note: `${route}: ${message}` };
}

export const running = (execution: Execution | undefined): MoveRecord[] =>
  (execution?.moves ?? []).filter(({ state }) => state === 'Running');

/** Moves of the plan that are not begun yet, in order. */
export const movesLeft = ({ plan }: PlanDocument, execution: Execution | undefined): { index: number; move: Move }[] =>
  plan.moves
    .map((move, index) => ({ index, move }))
    .filter(({ index }) => !(execution?.moves ?? []).some((record) => record.index === index));

export type Begun = {
  readonly execution: Execution | undefined;
  readonly steps: readonly Step[];
  readonly events: readonly Occurrence<Reason>[];
  readonly blockedBy: readonly Blocker[];
  /** Refusals that were passed over because they are switched off. */
  readonly overruled: readonly Blocker[];
};

/** Begins the next moves of the plan, in its order, as many as may run. */
export function beginMoves(
  { policy, now }: World,
  document: PlanDocument,
  { execution, present }: { readonly execution: Execution | undefined; readonly present: Problem },
): Begun {
  const disabled = disabledPredicates(policy);
  const maxConcurrent = policy.spec.budget?.maxConcurrentMoves ?? 1;
  const { digest, problem } = document;
  let records = execution?.moves ?? [];
  const [steps, events]: [Step[], Occurrence<Reason>[]] = [[], []];
  let blockedBy: readonly Blocker[] = [];
  const overruled: Blocker[] = [];
  for (const { index, move } of movesLeft(document, execution)) {
    const under = records.filter(({ state }) => state === 'Running');
    const refusals = refusedStart({ move, running: under, world: present, planned: problem, maxConcurrent });
    blockedBy = refusals.filter(({ name }) => !isDisabled(disabled, name));
    if (blockedBy.length > 0) break;
    overruled.push(...refusals);
    const { library, from, to, bytes } = move;
    records = [...records, { index, library, from, to, bytes, state: 'Running', startedAt: now }];
    steps.push({ kind: 'assign', library, cluster: to, digest });
    events.push({ type: 'Normal', reason: 'MoveStarted', action: 'Move', note: `${library} from ${from} to ${to}` });
  }
  return {
    execution: { digest, startedAt: execution?.startedAt ?? now, moves: records },
    steps,
    events,
    blockedBy,
    overruled,
  };
}

/** Moves that run are told to stop; those after their switch come to their end. */
export function abortMoves(execution: Execution | undefined): { execution: Execution | undefined; steps: Step[] } {
  if (execution === undefined) return { execution, steps: [] };
  return {
    execution: {
      ...execution,
      moves: execution.moves.map((record) => (record.state === 'Running' ? { ...record, withdrawn: true } : record)),
    },
    steps: running(execution).map(({ library }) => ({ kind: 'withdraw', library })),
  };
}
