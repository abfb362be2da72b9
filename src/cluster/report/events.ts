import type { QdrantClusterStatus } from '../../api/index.ts';
import type { Occurrence } from '../../kube/index.ts';

/** What is under way is told by the events of its operation. */
const PROGRESS = ['Creating', 'ScalingOut', 'ScalingIn', 'Restarting', 'Healing', 'Deleting', 'TransfersRunning'];

/** Conditions whose being True is bad news. */
const BAD = ['Degraded', 'ScalingBlocked', 'NameTaken', 'FieldsNotActedOn', 'KeyChanged', 'Stalled', 'TransferStuck'];

/** Events of what changed between two statuses; none where nothing did. */
export function eventsOf(before: QdrantClusterStatus | undefined, after: QdrantClusterStatus): Occurrence[] {
  return [...founding(before, after), ...operations(before, after), ...conditions(before, after)];
}

function founding(before: QdrantClusterStatus | undefined, after: QdrantClusterStatus): Occurrence[] {
  if (after.founded === undefined || before?.founded?.peerId === after.founded.peerId) return [];
  return [
    { type: 'Normal', reason: 'Founded', action: 'Create', note: `peer ${after.founded.peerId} founded the cluster` },
  ];
}

function operations(before: QdrantClusterStatus | undefined, after: QdrantClusterStatus): Occurrence[] {
  const [old, now] = [before?.operation, after.operation];
  if (old?.name === now?.name) return [];
  const finished: Occurrence[] =
    old === undefined
      ? []
      : [{ type: 'Normal', reason: 'OperationFinished', action: old.name, note: `${old.name} finished` }];
  const about = now?.target === undefined ? (now?.step ?? '') : `${now.step} ${now.target}`;
  const started: Occurrence[] =
    now === undefined
      ? []
      : [{ type: 'Normal', reason: 'OperationStarted', action: now.name, note: `${now.name} began: ${about}` }];
  return [...finished, ...started];
}

function conditions(before: QdrantClusterStatus | undefined, after: QdrantClusterStatus): Occurrence[] {
  return (after.conditions ?? []).flatMap(({ type, status, reason, message }) => {
    const old = before?.conditions?.find((condition) => condition.type === type);
    const changed = old?.status !== status || (BAD.includes(type) && status === 'True' && old.reason !== reason);
    const trouble = BAD.includes(type)
      ? status === 'True'
      : (type === 'Ready' || type === 'Available') && status === 'False';
    const good = type === 'Ready' && status === 'True';
    const wasGood = type === 'Ready' || type === 'Available' ? old?.status === 'True' : true;
    if (!changed || !(good || (trouble && wasGood && !PROGRESS.includes(reason)))) return [];
    return [{ type: good ? ('Normal' as const) : ('Warning' as const), reason, action: type, note: message }];
  });
}
