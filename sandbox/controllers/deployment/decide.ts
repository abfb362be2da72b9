import { type Deployment, ownerReference, type Pod } from '../../../src/kube/index.ts';
import { isAvailable, isFinished, isReady, isTerminating } from '../pod-facts.ts';
import { revisionHash } from '../revision.ts';

export const TEMPLATE_LABEL = 'pod-template-hash';

/** A deployment and the pods it controls, as they are at `now` (milliseconds since the epoch). */
export type DeploymentView = { readonly deployment: Deployment; readonly pods: readonly Pod[]; readonly now: number };

export type DeploymentStep =
  | { readonly kind: 'createPods'; readonly count: number }
  | { readonly kind: 'deletePod'; readonly pod: Pod };

const templateHash = (deployment: Deployment): string => revisionHash(deployment.spec?.template);
const isOf = (deployment: Deployment, pod: Pod): boolean =>
  pod.metadata.labels?.[TEMPLATE_LABEL] === templateHash(deployment);

/** Whether a pod counts towards the replicas. */
const isActive = (pod: Pod): boolean => !isTerminating(pod) && !isFinished(pod);

/** Whether the first pod should go before the second when there are too many: what isn't ready, then the youngest. */
function worthless(one: Pod, other: Pod): number {
  if (isReady(one) !== isReady(other)) return isReady(one) ? 1 : -1;
  const age = (pod: Pod): string => pod.metadata.creationTimestamp ?? '';
  return age(one) < age(other) ? 1 : -1;
}

/**
 * What to do now: every pod of an old template goes first, new ones come when the old ones are gone.
 * The Recreate strategy of Kubernetes, for every deployment: rolling updates are not modelled.
 */
export function decide({ deployment, pods }: DeploymentView): DeploymentStep[] {
  if (deployment.metadata.deletionTimestamp !== undefined || deployment.spec?.paused === true) return [];
  const old = pods.filter((pod) => !isOf(deployment, pod));
  const ended = pods.filter((pod) => isFinished(pod) && !isTerminating(pod));
  const outdated = old.filter((pod) => !isTerminating(pod) && !isFinished(pod));
  const removals = [...ended, ...outdated].map((pod): DeploymentStep => ({ kind: 'deletePod', pod }));
  if (old.length > 0) return removals;
  const active = pods.filter(isActive);
  const missing = (deployment.spec?.replicas ?? 1) - active.length;
  if (missing > 0) return [...removals, { kind: 'createPods', count: missing }];
  const surplus = active.toSorted(worthless).slice(0, -missing);
  return [...removals, ...surplus.map((pod): DeploymentStep => ({ kind: 'deletePod', pod }))];
}

/** @param suffix makes the name unique */
export function podObject(deployment: Deployment, suffix: string): Pod {
  const { name, namespace = '' } = deployment.metadata;
  const template = deployment.spec?.template;
  const hash = templateHash(deployment);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-${hash}-${suffix}`,
      generateName: `${name}-${hash}-`,
      namespace,
      labels: { ...template?.metadata?.labels, [TEMPLATE_LABEL]: hash },
      ...(template?.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [ownerReference(deployment)],
    },
    spec: { ...template?.spec, containers: template?.spec?.containers ?? [] },
  };
}

type DeploymentStatus = NonNullable<Deployment['status']>;
type DeploymentCondition = NonNullable<DeploymentStatus['conditions']>[number];

export function statusOf({ deployment, pods, now }: DeploymentView): DeploymentStatus {
  const active = pods.filter(isActive);
  const wanted = deployment.spec?.replicas ?? 1;
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const available = active.filter((pod) => isAvailable(pod, minReadySeconds, now)).length;
  const updated = active.filter((pod) => isOf(deployment, pod)).length;
  const moment = new Date(now).toISOString();
  const condition = (type: string, holds: boolean, reason: string): DeploymentCondition => {
    const status = holds ? 'True' : 'False';
    const before = deployment.status?.conditions?.find((candidate) => candidate.type === type);
    const same = before?.status === status && before.reason === reason;
    if (same) return before;
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? moment) : moment;
    return { type, status, reason, message: reason, lastTransitionTime, lastUpdateTime: moment };
  };
  const complete = updated === wanted && available === wanted && active.length === wanted;
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...countOf('replicas', active.length),
    ...countOf('updatedReplicas', updated),
    ...countOf('readyReplicas', active.filter(isReady).length),
    ...countOf('availableReplicas', available),
    ...countOf('unavailableReplicas', Math.max(wanted - available, 0)),
    conditions: [
      condition(
        'Available',
        available >= wanted,
        available >= wanted ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      ),
      condition('Progressing', true, complete ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated'),
    ],
  };
}

/** Kubernetes leaves counts of zero out. */
function countOf<K extends string>(name: K, count: number): { [key in K]?: number } {
  return count === 0 ? {} : ({ [name]: count } as { [key in K]: number });
}
