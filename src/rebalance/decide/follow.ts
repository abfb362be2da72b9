import type { DomainLibrary, GenerationChange } from '../../api/index.ts';
import { findCondition, isTrue } from '../../kube/index.ts';
import type { MoveRecord } from '../kept.ts';

/** An order that nobody takes up for so long, or that is refused for so long, is given up. */
const PATIENCE_SECONDS = 600;
/** Where a library says why it does not move. */
const BLOCKED = ['MoveBlocked', 'ChangeBlocked'] as const;

type Ordered = { readonly policy: string; readonly digest: string; readonly now: number };

export type Followed = {
  readonly record: MoveRecord;
  /** The order is not there (any more) and is to be given again. */
  readonly order: boolean;
  /** The order is to be taken back. */
  readonly withdraw: boolean;
};

const end = (
  record: MoveRecord,
  state: 'Done' | 'Failed' | 'Stopped',
  rest: Pick<MoveRecord, 'message'> & { now: number },
): MoveRecord => ({
  ...record,
  state,
  endedAt: rest.now,
  ...(rest.message === undefined ? {} : { message: rest.message.slice(0, 512) }),
});

/** The change that carries a move out. */
export const moveOf = ({ status }: DomainLibrary, to: string): GenerationChange | undefined => {
  const change = status?.change;
  return change?.toCluster === to ? change : undefined;
};

/** What became of a move that was ordered, by what its library says. */
export function follow(record: MoveRecord, library: DomainLibrary | undefined, ordered: Ordered): Followed {
  const { now } = ordered;
  const still = (changed: Partial<MoveRecord> = {}, rest: Partial<Followed> = {}): Followed => ({
    record: { ...record, ...changed },
    order: false,
    withdraw: false,
    ...rest,
  });
  const failed = (message: string): Followed => ({
    record: end(record, 'Failed', { now, message }),
    order: false,
    withdraw: record.withdrawn !== true && library !== undefined,
  });
  if (record.state !== 'Running') return still();
  if (library === undefined) return failed(`library ${record.library} is gone`);
  const { status, spec } = library;
  const change = moveOf(library, record.to);
  if (status?.cluster === record.to && status.change === undefined)
    return { record: end(record, 'Done', { now }), order: false, withdraw: false };
  if (change !== undefined) return still({ begun: true });
  if (status?.cluster === record.to) return still();
  const why = blocker(library);
  if (record.withdrawn === true) {
    const orderStands =
      status?.assignment?.planDigest === ordered.digest && status.assignment.policy === ordered.policy;
    if (orderStands) return still({}, { withdraw: true });
    return { record: end(record, 'Stopped', { now, message: 'the plan was stopped' }), order: false, withdraw: false };
  }
  if (record.begun === true) return failed(why ?? `${record.library} gave up its move to ${record.to}`);
  if (spec.placement.clusterRef !== undefined)
    return failed(`spec.placement of ${record.library} names ${spec.placement.clusterRef.name} now`);
  const { assignment } = status ?? {};
  const ours =
    assignment?.policy === ordered.policy &&
    assignment.planDigest === ordered.digest &&
    assignment.cluster === record.to;
  if (!ours) return still({}, { order: true });
  const since = record.blockedSince ?? now;
  if (now - since >= PATIENCE_SECONDS * 1000)
    return failed(why ?? `${record.library} has not begun to move within ${PATIENCE_SECONDS} s`);
  return still({ blockedSince: since });
}

/** Why a library does not move, in its own words. */
export function blocker({ status }: DomainLibrary): string | undefined {
  const conditions = status?.conditions ?? [];
  const type = BLOCKED.find((name) => isTrue(conditions, name));
  const found = type === undefined ? undefined : findCondition(conditions, type);
  return found && `${found.reason}: ${found.message}`;
}
