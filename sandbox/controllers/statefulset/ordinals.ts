import type { Pod, StatefulSet } from '../../../src/kube/index.ts';

export const REVISION_LABEL = 'controller-revision-hash';
export const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
export const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';

/** The ordinals a set wants, lowest first. */
export function wantedOrdinals(set: StatefulSet): number[] {
  const start = set.spec?.ordinals?.start ?? 0;
  return Array.from({ length: set.spec?.replicas ?? 1 }, (_, index) => start + index);
}

/** The ordinal in a pod's name; undefined when the name is none of this set's. */
export function ordinalOf(setName: string, podName: string): number | undefined {
  const [, digits] = /-(0|[1-9]\d*)$/.exec(podName) ?? [];
  if (digits === undefined || podName !== `${setName}-${digits}`) return undefined;
  return Number(digits);
}

export const revisionOf = (pod: Pod): string => pod.metadata.labels?.[REVISION_LABEL] ?? '';
