import type { DomainLibrary, QdrantCluster } from '../api/index.ts';
import {
  controllerOf,
  type Informer,
  type KubeObject,
  keyOf,
  keyText,
  type ObjectKey,
  type PersistentVolumeClaim,
  type Pod,
} from '../kube/index.ts';
import { SNAPSHOTS_VOLUME, STORAGE_VOLUME } from './names.ts';
import { apiKeyReference, readOnlyKeyReference } from './objects/secret.ts';

/** What concerns one cluster among thousands of objects, found by an index of the caches. */

type Cache<T extends KubeObject> = Pick<Informer<T>, 'store'>;

const inNamespace = ({ metadata }: KubeObject, names: readonly (string | undefined)[]): ObjectKey[] =>
  [...new Set(names)].flatMap((name) => (name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }]));

/**
 * The clusters on which a library is, or is to be, or between which it moves. Not those that only keep a generation
 * that it has left: a cluster may go with it.
 */
export const placedOn = ({ metadata, spec, status, ...rest }: DomainLibrary): ObjectKey[] =>
  inNamespace({ metadata, ...rest }, [
    spec.placement?.clusterRef?.name,
    status?.cluster,
    status?.assignment?.cluster,
    status?.change?.fromCluster,
    status?.change?.toCluster,
  ]);

const byPlacement = (library: DomainLibrary): string[] => placedOn(library).map(keyText);

function bySecret(cluster: QdrantCluster): string[] {
  const { external } = cluster.spec;
  const names =
    external === undefined
      ? [apiKeyReference(cluster).name, readOnlyKeyReference(cluster).name]
      : [external.apiKeySecretRef?.name, external.caSecretRef?.name];
  return inNamespace(cluster, names).map(keyText);
}

function byStatefulSet(pod: Pod): string[] {
  const owner = controllerOf(pod);
  return owner?.kind === 'StatefulSet' ? inNamespace(pod, [owner.name]).map(keyText) : [];
}

const CLAIM = new RegExp(`^(?:${STORAGE_VOLUME}|${SNAPSHOTS_VOLUME})-(.+)-\\d+$`);

/** A StatefulSet's claims are named after it; they have no owner. */
const byClaimName = (claim: PersistentVolumeClaim): string[] =>
  inNamespace(claim, [CLAIM.exec(claim.metadata.name)?.[1]]).map(keyText);

export const librariesOn = ({ store }: Cache<DomainLibrary>, cluster: QdrantCluster): DomainLibrary[] =>
  store.by(byPlacement, keyText(keyOf(cluster)));

/** Clusters that take a key or a certificate from this Secret. */
export const clustersReading = ({ store }: Cache<QdrantCluster>, secret: KubeObject): QdrantCluster[] =>
  store.by(bySecret, keyText(keyOf(secret)));

export const podsOf = ({ store }: Cache<Pod>, cluster: QdrantCluster): Pod[] =>
  store.by(byStatefulSet, keyText(keyOf(cluster)));

export const claimsOf = ({ store }: Cache<PersistentVolumeClaim>, cluster: QdrantCluster): PersistentVolumeClaim[] =>
  store.by(byClaimName, keyText(keyOf(cluster)));
