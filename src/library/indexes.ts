import type { DomainLibrary, QdrantCluster } from '../api/index.ts';
import { byOwner, type Informer, type KubeObject, keyText } from '../kube/index.ts';
import { publicName } from './names.ts';
import { secretNames } from './secrets.ts';

/** What concerns one object among thousands, found by an index of the caches. */

type Cache<T extends KubeObject> = Pick<Informer<T>, 'store'>;

const inNamespace = ({ metadata }: KubeObject, name: string): string =>
  keyText({ namespace: metadata.namespace ?? '', name });

/** Stands for the cluster of libraries that have none yet. */
const NO_CLUSTER = '';

const byClaim = (library: DomainLibrary): string[] => [inNamespace(library, publicName(library))];

function byCluster(library: DomainLibrary): string[] {
  if (library.status?.cluster === undefined) return [inNamespace(library, NO_CLUSTER)];
  return clusterNames(library).map((name) => inNamespace(library, name));
}

const clusterNames = ({ spec, status }: DomainLibrary): string[] => {
  const named = [
    status?.cluster,
    spec.placement?.clusterRef?.name,
    status?.assignment?.cluster,
    status?.change?.fromCluster,
    status?.change?.toCluster,
    ...(status?.generations ?? []).map(({ cluster }) => cluster),
  ];
  return [...new Set(named.filter((name) => name !== undefined))];
};

const bySecret = (cluster: QdrantCluster): string[] => secretNames(cluster).map((name) => inNamespace(cluster, name));

/** Other libraries of the namespace that want the same collection of whatever cluster. */
export const claimants = ({ store }: Cache<DomainLibrary>, library: DomainLibrary): DomainLibrary[] =>
  store
    .by(byClaim, inNamespace(library, publicName(library)))
    .filter(({ metadata }) => metadata.uid !== library.metadata.uid);

/** Libraries that this cluster concerns: they live there, are to, or have generations there; and those that have none yet. */
export const livingOn = ({ store }: Cache<DomainLibrary>, cluster: QdrantCluster): DomainLibrary[] =>
  [cluster.metadata.name, NO_CLUSTER].flatMap((name) => store.by(byCluster, inNamespace(cluster, name)));

/** Clusters that take a key or certificate from this Secret. */
export const clustersReading = ({ store }: Cache<QdrantCluster>, secret: KubeObject): QdrantCluster[] =>
  store.by(bySecret, inNamespace(secret, secret.metadata.name));

/** What the library controls. */
export const ownedBy = <T extends KubeObject>({ metadata }: DomainLibrary, { store }: Cache<T>): T[] =>
  metadata.uid === undefined ? [] : store.by(byOwner, metadata.uid);
