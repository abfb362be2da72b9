import { isDeepStrictEqual } from 'node:util';
import type { DomainLibrary } from '../api/index.ts';
import {
  type Change,
  Controller,
  type KubeObject,
  keyOf,
  type ObjectKey,
  specChanged,
  toController,
  watching,
} from '../kube/index.ts';
import { DOMAIN_LIBRARIES, type LibraryDeps } from './deps.ts';
import { claimants, clustersReading, livingOn } from './indexes.ts';
import { LibraryReconciler } from './reconciler.ts';

/** Reconciles DomainLibraries. The informers in `deps` are the caller's to start. */
export function libraryController(deps: LibraryDeps): Controller<DomainLibrary> {
  const { informers, settings } = deps;
  const reconciler = new LibraryReconciler(deps);
  const owner = toController(DOMAIN_LIBRARIES);
  return new Controller<DomainLibrary>({
    name: 'domainlibrary',
    primary: informers.libraries,
    filter: orderedOrChanged,
    watches: [
      watching({ informer: informers.clusters, map: (cluster) => livingOn(informers.libraries, cluster).map(keyOf) }),
      watching({ informer: informers.secrets, map: (secret) => [...owner(secret), ...dependingOn(deps, secret)] }),
      watching({ informer: informers.jobs, map: (job) => owner(job) }),
      watching({ informer: informers.configMaps, map: (map) => owner(map) }),
      // When one of two claimants goes, the other is to take over.
      watching({
        informer: informers.libraries,
        map: (library) => claimants(informers.libraries, library).map(keyOf),
        filter: specChanged,
      }),
    ],
    reconcile: (key, context) => reconciler.reconcile(key, context),
    workers: settings.workers ?? 4,
    ...(deps.assertLeading === undefined ? {} : { assertLeading: deps.assertLeading }),
    log: deps.log,
    metrics: deps.metrics,
  });
}

/** A move is ordered in the status, by another controller. */
const orderedOrChanged = (change: Change<DomainLibrary>): boolean =>
  specChanged(change) ||
  (change.type === 'updated' && !isDeepStrictEqual(change.old.status?.assignment, change.object.status?.assignment));

/** Libraries on clusters that take a key or certificate from this Secret. */
const dependingOn = ({ informers }: LibraryDeps, secret: KubeObject): ObjectKey[] =>
  clustersReading(informers.clusters, secret).flatMap((cluster) => livingOn(informers.libraries, cluster).map(keyOf));
