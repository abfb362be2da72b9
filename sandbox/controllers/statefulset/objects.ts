import {
  type KubeObject,
  type OwnerReference,
  ownerReference,
  type PersistentVolumeClaim,
  type Pod,
  resourceType,
  type StatefulSet,
} from '../../../src/kube/index.ts';
import { revisionHash } from '../revision.ts';
import { POD_INDEX_LABEL, POD_NAME_LABEL, REVISION_LABEL } from './ordinals.ts';

export type ControllerRevision = KubeObject & {
  kind: 'ControllerRevision';
  revision: number;
  data: { template: PodTemplate };
};
export type PodTemplate = NonNullable<StatefulSet['spec']>['template'];

export const CONTROLLER_REVISIONS = resourceType<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
});

/** The name of the revision that a set's template is now. */
export const revisionName = (set: StatefulSet): string => `${set.metadata.name}-${revisionHash(set.spec?.template)}`;

export function revisionObject(set: StatefulSet, template: PodTemplate, revision: number): ControllerRevision {
  const name = `${set.metadata.name}-${revisionHash(template)}`;
  const labels = { ...template.metadata?.labels, 'controller.kubernetes.io/hash': revisionHash(template) };
  const metadata = {
    name,
    namespace: set.metadata.namespace ?? '',
    labels,
    ownerReferences: [ownerReference(set)],
  };
  return { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata, revision, data: { template } };
}

/** The name of the claim that a pod of this ordinal has for a claim template. */
export const claimName = (set: StatefulSet, template: string, ordinal: number): string =>
  `${template}-${set.metadata.name}-${ordinal}`;

export type Member = { readonly ordinal: number; readonly revision: string; readonly template: PodTemplate };

/** The pod of one ordinal. Source: kube-controller-manager `newStatefulSetPod`. */
export function podObject(set: StatefulSet, { ordinal, revision, template }: Member): Pod {
  const name = `${set.metadata.name}-${ordinal}`;
  const claims = claimTemplates(set).map((claim) => {
    const claimed = claimName(set, claim.metadata?.name ?? '', ordinal);
    return { name: claim.metadata?.name ?? '', persistentVolumeClaim: { claimName: claimed } };
  });
  const own = (template.spec?.volumes ?? []).filter((volume) => !claims.some((claim) => claim.name === volume.name));
  const subdomain = set.spec?.serviceName;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace ?? '',
      labels: {
        ...template.metadata?.labels,
        [POD_NAME_LABEL]: name,
        [POD_INDEX_LABEL]: String(ordinal),
        [REVISION_LABEL]: revision,
      },
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [ownerReference(set)],
    },
    spec: {
      ...template.spec,
      containers: template.spec?.containers ?? [],
      hostname: name,
      ...(subdomain === undefined || subdomain === '' ? {} : { subdomain }),
      volumes: [...claims, ...own],
    },
  };
}

type ClaimTemplate = NonNullable<NonNullable<StatefulSet['spec']>['volumeClaimTemplates']>[number];

const claimTemplates = (set: StatefulSet): readonly ClaimTemplate[] => set.spec?.volumeClaimTemplates ?? [];

/** The claims that a pod of one ordinal needs. */
export function claimObjects(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return claimTemplates(set).map((template) => {
    const owners = claimOwners(set, undefined);
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: claimName(set, template.metadata?.name ?? '', ordinal),
        namespace: set.metadata.namespace ?? '',
        labels: { ...template.metadata?.labels, ...set.spec?.selector?.matchLabels },
        ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
        ...(owners.length === 0 ? {} : { ownerReferences: owners }),
      },
      ...(template.spec === undefined ? {} : { spec: template.spec }),
    };
  });
}

/**
 * Who owns a claim, and so deletes it: the set where it is to go with the set; the pod that is being scaled away where
 * it is to go with that. Source: kube-controller-manager `updateClaimOwnerRefForSetAndPod`.
 *
 * @param condemned the pod, when it is being scaled away
 */
export function claimOwners(set: StatefulSet, condemned: Pod | undefined): OwnerReference[] {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const goesWithPod = condemned !== undefined && whenScaled === 'Delete';
  const owner = goesWithPod ? condemned : whenDeleted === 'Delete' ? set : undefined;
  if (owner === undefined) return [];
  const { apiVersion, kind, name, uid } = ownerReference(owner);
  return [{ apiVersion, kind, name, uid }];
}

/** The owner references a claim should have: others' stay, the set's and its pod's follow the policy. */
export function ownersOfClaim(
  claim: PersistentVolumeClaim,
  options: { readonly set: StatefulSet; readonly podName: string; readonly condemned: Pod | undefined },
): OwnerReference[] {
  const { set, podName, condemned } = options;
  const others = (claim.metadata.ownerReferences ?? []).filter(
    ({ kind, name, uid }) => uid !== set.metadata.uid && !(kind === 'Pod' && name === podName),
  );
  return [...others, ...claimOwners(set, condemned)];
}
