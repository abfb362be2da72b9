import type { QdrantCluster } from '../../api/index.ts';
import type { StatefulSet } from '../../kube/index.ts';
import { headlessName, SNAPSHOTS_VOLUME, STORAGE_VOLUME, selectorLabels } from '../names.ts';
import type { ClaimTemplate, StatefulSetFacts } from '../world.ts';
import { ownedMetadata } from './metadata.ts';
import { podTemplate } from './pod-template.ts';

const DEFAULT_SIZE = '10Gi';

export type StatefulSetOptions = {
  readonly replicas: number;
  readonly image: string;
  readonly claims: readonly ClaimTemplate[];
};

/** Claim templates that the spec asks for; those of a live StatefulSet can't be changed. */
export function claimsWanted({ spec }: QdrantCluster): ClaimTemplate[] {
  const template = (name: string, given: { size?: string; storageClassName?: string } | undefined): ClaimTemplate => ({
    name,
    size: given?.size ?? DEFAULT_SIZE,
    storageClassName: given?.storageClassName,
  });
  const snapshots = spec.snapshotPersistence;
  return [
    template(STORAGE_VOLUME, spec.persistence),
    ...(snapshots?.enabled === true ? [template(SNAPSHOTS_VOLUME, snapshots)] : []),
  ];
}

/** Pods start together, and only the operator stops one: it alone knows when that is safe. */
export function statefulSet(cluster: QdrantCluster, { replicas, image, claims }: StatefulSetOptions): StatefulSet {
  const snapshotsClaim = claims.some(({ name }) => name === SNAPSHOTS_VOLUME);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: ownedMetadata(cluster, cluster.metadata.name),
    spec: {
      replicas,
      serviceName: headlessName(cluster),
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      selector: { matchLabels: selectorLabels(cluster) },
      template: podTemplate(cluster, { image, snapshotsClaim }),
      volumeClaimTemplates: claims.map(({ name, size, storageClassName }) => ({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, labels: selectorLabels(cluster) },
        spec: {
          accessModes: ['ReadWriteOnce'],
          ...(storageClassName === undefined ? {} : { storageClassName }),
          resources: { requests: { storage: size } },
        },
      })),
    },
  };
}

export const statefulSetFacts = (live: StatefulSet): StatefulSetFacts => ({
  replicas: live.spec?.replicas ?? 1,
  image: live.spec?.template.spec?.containers.find(({ name }) => name === 'qdrant')?.image,
  claims: (live.spec?.volumeClaimTemplates ?? []).map((claim) => ({
    name: claim.metadata?.name ?? '',
    size: claim.spec?.resources?.requests?.['storage'] ?? '',
    storageClassName: claim.spec?.storageClassName,
  })),
});
