import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../../src/kube/index.ts';
import { quantity } from '../quantity.ts';

export const PROTECTION = 'kubernetes.io/pvc-protection';
/** Tells which volumes this provisioner made, and so may delete. Source: external provisioners. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
export const PROVISIONER = 'qdrant-librarian.io/sandbox-directory';

export type ClaimView = {
  readonly claim: PersistentVolumeClaim;
  readonly volumes: readonly PersistentVolume[];
  readonly storageClass: StorageClass | undefined;
  /** The pods of the claim's namespace. */
  readonly pods: readonly Pod[];
  /** Where new volumes get their directories. */
  readonly directory: string;
};

export type ClaimStep =
  | { readonly kind: 'protect' }
  | { readonly kind: 'release' }
  | { readonly kind: 'provision'; readonly volume: PersistentVolume }
  | { readonly kind: 'bind'; readonly volume: PersistentVolume }
  | { readonly kind: 'expand'; readonly volume: PersistentVolume; readonly storage: string }
  | { readonly kind: 'lost'; readonly volume: string };

const requested = (claim: PersistentVolumeClaim): string => claim.spec?.resources?.requests?.['storage'] ?? '0';

function usedBy(pods: readonly Pod[], claim: string): boolean {
  return pods.some(({ spec, status }) => {
    const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    return (
      !over && (spec?.volumes ?? []).some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim)
    );
  });
}

/**
 * The next thing to do for a claim; undefined when it is as it should be. A claim in use isn't let go.
 *
 * Source: kube-controller-manager `persistentvolume`, `pvcprotection` and `expand` controllers.
 */
export function decideClaim(view: ClaimView): ClaimStep | undefined {
  const { claim, volumes, pods } = view;
  const { deletionTimestamp, finalizers = [], name, uid } = claim.metadata;
  const guarded = finalizers.includes(PROTECTION);
  if (deletionTimestamp !== undefined) return guarded && !usedBy(pods, name) ? { kind: 'release' } : undefined;
  if (!guarded) return { kind: 'protect' };
  const wanted = claim.spec?.volumeName;
  const bound = volumes.find(({ metadata }) => metadata.name === wanted);
  if (bound !== undefined) {
    if (claim.status?.phase !== 'Bound' || bound.status?.phase !== 'Bound') return { kind: 'bind', volume: bound };
    return expansion(claim, bound);
  }
  if (wanted !== undefined && wanted !== '') {
    return claim.status?.phase === 'Bound' ? { kind: 'lost', volume: wanted } : undefined;
  }
  const mine = volumes.find(({ spec }) => spec?.claimRef?.uid === uid) ?? volumes.find((volume) => fits(volume, claim));
  if (mine !== undefined) return { kind: 'bind', volume: mine };
  return { kind: 'provision', volume: volumeFor(view) };
}

/** Whether a volume that someone made by hand is for this claim: free or reserved, of its class, large enough. */
function fits({ metadata, spec, status }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { claimRef } = spec ?? {};
  const { name, namespace } = claim.metadata;
  if (metadata.deletionTimestamp !== undefined) return false;
  if (claimRef !== undefined)
    return claimRef.uid === undefined && claimRef.name === name && claimRef.namespace === namespace;
  if (status?.phase === 'Released' || status?.phase === 'Bound') return false;
  if ((spec?.storageClassName ?? '') !== (claim.spec?.storageClassName ?? '')) return false;
  return (quantity(spec?.capacity?.['storage'] ?? '') ?? 0) >= (quantity(requested(claim)) ?? 0);
}

type Expansion = Extract<ClaimStep, { readonly kind: 'expand' }>;

function expansion(claim: PersistentVolumeClaim, volume: PersistentVolume): Expansion | undefined {
  const storage = requested(claim);
  const wanted = quantity(storage) ?? 0;
  const has = Math.min(
    ...[claim.status?.capacity, volume.spec?.capacity].map((amount) => quantity(amount?.['storage'] ?? '') ?? 0),
  );
  return wanted > has ? { kind: 'expand', volume, storage } : undefined;
}

function volumeFor({ claim, storageClass, directory }: Omit<ClaimView, 'pods'>): PersistentVolume {
  const { namespace = '', name, uid = '' } = claim.metadata;
  const volume = `pvc-${uid}`;
  const className = claim.spec?.storageClassName;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volume, annotations: { [PROVISIONED_BY]: PROVISIONER } },
    spec: {
      accessModes: claim.spec?.accessModes ?? ['ReadWriteOnce'],
      capacity: { storage: requested(claim) },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      hostPath: { path: `${directory}/${volume}`, type: 'DirectoryOrCreate' },
      persistentVolumeReclaimPolicy: storageClass?.reclaimPolicy ?? 'Delete',
      ...(className === undefined ? {} : { storageClassName: className }),
      volumeMode: 'Filesystem',
    },
  };
}

export type VolumeStep = 'delete' | 'release';

/** What becomes of a volume whose claim is gone; undefined while the claim is there. */
export function decideVolume(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim | undefined,
): VolumeStep | undefined {
  const { claimRef, persistentVolumeReclaimPolicy: policy } = volume.spec ?? {};
  if (claimRef?.uid === undefined || claim?.metadata.uid === claimRef.uid) return undefined;
  const own = volume.metadata.annotations?.[PROVISIONED_BY] === PROVISIONER;
  if (own && policy === 'Delete') return 'delete';
  return volume.status?.phase === 'Released' ? undefined : 'release';
}

/** Set on claims that are left to an external provisioner. Source: kube-controller-manager `persistentvolume`. */
export const PROVISIONED_FOR = 'volume.kubernetes.io/storage-provisioner';

/**
 * What is left to an external provisioner: new volumes, and growing ones. Binding is the controller manager's.
 *
 * @returns undefined for a claim of another provisioner, and one that is as it should be
 */
export function decideProvisioning(
  view: Omit<ClaimView, 'pods'>,
): Extract<ClaimStep, { readonly kind: 'provision' | 'expand' }> | undefined {
  const { claim, volumes } = view;
  const { annotations, deletionTimestamp } = claim.metadata;
  if (deletionTimestamp !== undefined || annotations?.[PROVISIONED_FOR] !== PROVISIONER) return undefined;
  const wanted = claim.spec?.volumeName;
  if (wanted === undefined) {
    const volume = volumeFor(view);
    return volumes.some(({ metadata }) => metadata.name === volume.metadata.name)
      ? undefined
      : { kind: 'provision', volume };
  }
  const bound = volumes.find(({ metadata }) => metadata.name === wanted);
  return bound === undefined || claim.status?.phase !== 'Bound' ? undefined : expansion(claim, bound);
}

/** Whether a volume of this provisioner has no claim any more and is not to be kept. */
export function isReclaimed({ metadata, spec, status }: PersistentVolume): boolean {
  const own = metadata.annotations?.[PROVISIONED_BY] === PROVISIONER;
  const going = metadata.deletionTimestamp !== undefined;
  return own && !going && status?.phase === 'Released' && spec?.persistentVolumeReclaimPolicy === 'Delete';
}
