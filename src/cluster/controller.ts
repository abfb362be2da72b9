import { isDeepStrictEqual } from 'node:util';
import type { DomainLibrary, QdrantCluster } from '../api/index.ts';
import {
  type Change,
  Controller,
  type KubeObject,
  keyOf,
  type ObjectKey,
  type PersistentVolumeClaim,
  type Pod,
  specChanged,
  toController,
  watching,
} from '../kube/index.ts';
import { type ClusterDeps, QDRANT_CLUSTERS } from './deps.ts';
import { clustersReading, placedOn } from './indexes.ts';
import { CLUSTER_LABEL } from './names.ts';
import { ClusterReconciler } from './reconciler.ts';

/** Reconciles QdrantClusters. The informers in `deps` are the caller's to start. */
export function clusterController(deps: ClusterDeps): Controller<QdrantCluster> {
  const { informers, settings } = deps;
  const reconciler = new ClusterReconciler(deps);
  const owner = toController(QDRANT_CLUSTERS);
  return new Controller<QdrantCluster>({
    name: 'qdrantcluster',
    primary: informers.clusters,
    filter: specChanged,
    watches: [
      watching({ informer: informers.statefulSets, map: (object) => owner(object) }),
      watching({ informer: informers.services, map: (object) => owner(object), filter: specChanged }),
      watching({ informer: informers.configMaps, map: (object) => owner(object) }),
      watching({ informer: informers.podDisruptionBudgets, map: (object) => owner(object), filter: specChanged }),
      watching({ informer: informers.networkPolicies, map: (object) => owner(object), filter: specChanged }),
      watching<Pod>({ informer: informers.pods, map: labelled }),
      watching<PersistentVolumeClaim>({ informer: informers.claims, map: labelled }),
      watching({
        informer: informers.secrets,
        map: (secret) => clustersReading(informers.clusters, secret).map(keyOf),
      }),
      watching({ informer: informers.libraries, map: placedOn, filter: placementChanged }),
    ],
    reconcile: (key, context) => reconciler.reconcile(key, context),
    workers: settings.workers ?? 4,
    ...(deps.assertLeading === undefined ? {} : { assertLeading: deps.assertLeading }),
    log: deps.log,
    metrics: deps.metrics,
  });
}

function labelled({ metadata }: KubeObject): ObjectKey[] {
  const name = metadata.labels?.[CLUSTER_LABEL];
  return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
}

/** A library's progress concerns no cluster: each pass asks every peer of every collection. */
const placementChanged = (change: Change<DomainLibrary>): boolean =>
  change.type !== 'updated' || !isDeepStrictEqual(placedOn(change.old), placedOn(change.object));
