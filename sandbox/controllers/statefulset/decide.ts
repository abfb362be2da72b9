import type { Pod, StatefulSet } from '../../../src/kube/index.ts';
import { isAvailable, isFinished, isReady, isTerminating } from '../pod-facts.ts';
import { ordinalOf, revisionOf, wantedOrdinals } from './ordinals.ts';

/** A set and the pods it controls, as they are at `now` (milliseconds since the epoch). */
export type StatefulSetView = {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly currentRevision: string;
  readonly updateRevision: string;
  readonly now: number;
};

export type StatefulSetStep =
  | { readonly kind: 'createPod'; readonly ordinal: number; readonly revision: string }
  | { readonly kind: 'deletePod'; readonly pod: Pod; readonly reason: string };

type Member = { readonly ordinal: number; readonly pod: Pod };

const isHealthy = (pod: Pod): boolean => isReady(pod) && !isTerminating(pod);

function membersOf({ set, pods }: StatefulSetView): Member[] {
  return pods
    .flatMap((pod) => {
      const ordinal = ordinalOf(set.metadata.name, pod.metadata.name);
      return ordinal === undefined ? [] : [{ ordinal, pod }];
    })
    .toSorted((one, other) => one.ordinal - other.ordinal);
}

/**
 * What to do now so that the set becomes as wanted. Parallel sets do all at once; OrderedReady ones do one thing at a
 * time, lowest ordinal first when they grow, highest first when they shrink or update.
 *
 * Source: kube-controller-manager `stateful_set_control.go`.
 */
export function decide(view: StatefulSetView): StatefulSetStep[] {
  const { set } = view;
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const members = membersOf(view);
  const wanted = wantedOrdinals(set);
  const parallel = set.spec?.podManagementPolicy === 'Parallel';
  const steps = parallel ? scaleAtOnce(view, members, wanted) : scaleInOrder(view, members, wanted);
  if (steps !== 'nothing to scale') return steps;
  return update(
    view,
    members.filter(({ ordinal }) => wanted.includes(ordinal)),
  );
}

type Scaling = StatefulSetStep[] | 'nothing to scale';

/** What this ordinal needs to have a pod that can run; undefined when it has one. */
function mend(view: StatefulSetView, ordinal: number, pod: Pod | undefined): StatefulSetStep | undefined {
  if (pod === undefined) return { kind: 'createPod', ordinal, revision: revisionFor(view, ordinal) };
  if (!isFinished(pod) || isTerminating(pod)) return undefined;
  return { kind: 'deletePod', pod, reason: 'it ended' };
}

const surplusOf = (members: readonly Member[], wanted: readonly number[]): Member[] =>
  members.filter(({ ordinal }) => !wanted.includes(ordinal)).toReversed();

const scaleDown = ({ pod }: Member): StatefulSetStep => ({ kind: 'deletePod', pod, reason: 'scaled down' });

function scaleAtOnce(view: StatefulSetView, members: readonly Member[], wanted: readonly number[]): Scaling {
  const podAt = (ordinal: number): Pod | undefined => members.find((member) => member.ordinal === ordinal)?.pod;
  const mended = wanted.map((ordinal) => mend(view, ordinal, podAt(ordinal))).filter((step) => step !== undefined);
  const surplus = surplusOf(members, wanted).filter(({ pod }) => !isTerminating(pod));
  const steps = [...mended, ...surplus.map(scaleDown)];
  return steps.length === 0 ? 'nothing to scale' : steps;
}

/** A pod that isn't healthy holds up everything after it, also the update that might mend it: as in Kubernetes. */
function scaleInOrder(view: StatefulSetView, members: readonly Member[], wanted: readonly number[]): Scaling {
  for (const ordinal of wanted) {
    const pod = members.find((member) => member.ordinal === ordinal)?.pod;
    const step = mend(view, ordinal, pod);
    if (step !== undefined) return [step];
    if (pod !== undefined && !isHealthy(pod)) return [];
  }
  const surplus = surplusOf(members, wanted);
  const [highest] = surplus;
  if (highest === undefined) return 'nothing to scale';
  return surplus.some(({ pod }) => isTerminating(pod)) ? [] : [scaleDown(highest)];
}

/** Which revision a new pod of this ordinal gets. */
function revisionFor({ set, currentRevision, updateRevision }: StatefulSetView, ordinal: number): string {
  const { updateStrategy, ordinals } = set.spec ?? {};
  if (updateStrategy?.type === 'OnDelete') return updateRevision;
  const start = ordinals?.start ?? 0;
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  return ordinal < start + partition ? currentRevision : updateRevision;
}

/** Highest ordinal first, one at a time, and only down to the partition. */
function update(view: StatefulSetView, members: readonly Member[]): StatefulSetStep[] {
  const { set, updateRevision } = view;
  const { updateStrategy, ordinals } = set.spec ?? {};
  if (updateStrategy?.type === 'OnDelete') return [];
  const first = (ordinals?.start ?? 0) + (updateStrategy?.rollingUpdate?.partition ?? 0);
  for (const { ordinal, pod } of members.toReversed()) {
    if (ordinal < first) return [];
    if (revisionOf(pod) !== updateRevision) {
      return isTerminating(pod) ? [] : [{ kind: 'deletePod', pod, reason: 'its revision is old' }];
    }
    if (!isHealthy(pod)) return [];
  }
  return [];
}

export type StatefulSetStatus = NonNullable<StatefulSet['status']>;

/** The status of the set, without what it had before. */
export function statusOf(view: StatefulSetView): StatefulSetStatus {
  const { set, now } = view;
  const pods = view.pods.filter((pod) => !isTerminating(pod));
  const created = pods.filter((pod) => !isFinished(pod));
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const updated = created.filter((pod) => revisionOf(pod) === view.updateRevision).length;
  const ready = pods.filter(isReady).length;
  const rolledOut = isRolledOut(view, { created: created.length, updated, ready });
  const current = created.filter((pod) => revisionOf(pod) === view.currentRevision).length;
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: created.length,
    readyReplicas: ready,
    availableReplicas: pods.filter((pod) => isAvailable(pod, minReadySeconds, now)).length,
    currentReplicas: rolledOut ? updated : current,
    updatedReplicas: updated,
    currentRevision: rolledOut ? view.updateRevision : view.currentRevision,
    updateRevision: view.updateRevision,
    collisionCount: set.status?.collisionCount ?? 0,
  };
}

/** OnDelete sets never take the new revision as their current one. Source: `completeRollingUpdate`. */
function isRolledOut(
  { set }: StatefulSetView,
  counts: { readonly created: number; readonly updated: number; readonly ready: number },
): boolean {
  const wanted = set.spec?.replicas ?? 1;
  if (set.spec?.updateStrategy?.type === 'OnDelete') return false;
  return counts.updated === wanted && counts.created === wanted && counts.ready === wanted;
}
