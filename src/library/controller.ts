import type { DomainLibrary, QdrantCluster } from '../api/index.ts';
import { Controller, type KubeObject, type ObjectKey, specChanged, toController, watching } from '../kube/index.ts';
import { DOMAIN_LIBRARIES, type LibraryDeps } from './deps.ts';
import { publicName } from './names.ts';
import { LibraryReconciler } from './reconciler.ts';
import { secretNames } from './secrets.ts';

/** Reconciles DomainLibraries. The informers in `deps` are the caller's to start. */
export function libraryController(deps: LibraryDeps): Controller<DomainLibrary> {
  const { informers, settings } = deps;
  const reconciler = new LibraryReconciler(deps);
  const owner = toController(DOMAIN_LIBRARIES);
  return new Controller<DomainLibrary>({
    name: 'domainlibrary',
    primary: informers.libraries,
    filter: specChanged,
    watches: [
      watching({ informer: informers.clusters, map: (cluster) => livingOn(deps, cluster) }),
      watching({ informer: informers.secrets, map: (secret) => [...owner(secret), ...dependingOn(deps, secret)] }),
      watching({ informer: informers.jobs, map: (job) => owner(job) }),
      watching({ informer: informers.configMaps, map: (map) => owner(map) }),
      // When one of two claimants goes, the other is to take over.
      watching({ informer: informers.libraries, map: (library) => claimants(deps, library), filter: specChanged }),
    ],
    reconcile: (key, context) => reconciler.reconcile(key, context),
    workers: settings.workers ?? 4,
    ...(deps.assertLeading === undefined ? {} : { assertLeading: deps.assertLeading }),
    log: deps.log,
    metrics: deps.metrics,
  });
}

const keyFor = ({ metadata }: KubeObject): ObjectKey => ({ namespace: metadata.namespace ?? '', name: metadata.name });

/** Libraries on this cluster, and those that have none yet. */
function livingOn({ informers }: LibraryDeps, { metadata: { name, namespace = '' } }: KubeObject): ObjectKey[] {
  return informers.libraries.store
    .list(namespace)
    .filter(
      ({ spec, status }) =>
        status?.cluster === name || spec.placement?.clusterRef?.name === name || status?.cluster === undefined,
    )
    .map(keyFor);
}

/** Libraries on clusters that take a key or certificate from this Secret. */
function dependingOn(deps: LibraryDeps, { metadata: { name, namespace = '' } }: KubeObject): ObjectKey[] {
  const reads = (cluster: QdrantCluster): boolean => secretNames(cluster).includes(name);
  return deps.informers.clusters.store
    .list(namespace)
    .filter(reads)
    .flatMap((cluster) => livingOn(deps, cluster));
}

function claimants({ informers }: LibraryDeps, library: DomainLibrary): ObjectKey[] {
  return informers.libraries.store
    .list(library.metadata.namespace ?? '')
    .filter((other) => other.metadata.uid !== library.metadata.uid && publicName(other) === publicName(library))
    .map(keyFor);
}
