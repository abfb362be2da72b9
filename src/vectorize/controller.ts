import type { VectorizationJob } from '../api/index.ts';
import { Controller, keyOf, specChanged, toController, watching } from '../kube/index.ts';
import { VECTORIZATION_JOBS, type VectorizeDeps } from './deps.ts';
import { filling, readingObject, readingSecret } from './indexes.ts';
import { VectorizeReconciler } from './reconciler.ts';

/** Reconciles VectorizationJobs. The informers in `deps` are the caller's to start. */
export function vectorizeController(deps: VectorizeDeps): Controller<VectorizationJob> {
  const { informers, settings } = deps;
  const { vectorizationJobs } = informers;
  const reconciler = new VectorizeReconciler(deps);
  const owner = toController(VECTORIZATION_JOBS);
  return new Controller<VectorizationJob>({
    name: 'vectorizationjob',
    primary: vectorizationJobs,
    filter: specChanged,
    watches: [
      // What stands against a run may be gone now.
      watching({ informer: informers.libraries, map: (library) => filling(vectorizationJobs, library).map(keyOf) }),
      watching({ informer: informers.secrets, map: (secret) => readingSecret(vectorizationJobs, secret).map(keyOf) }),
      watching({
        informer: informers.claims,
        map: (claim) => readingObject(vectorizationJobs, 'PersistentVolumeClaim', claim).map(keyOf),
      }),
      watching({
        informer: informers.configMaps,
        map: (map) => [...owner(map), ...readingObject(vectorizationJobs, 'ConfigMap', map).map(keyOf)],
      }),
      watching({ informer: informers.jobs, map: (job) => owner(job) }),
    ],
    reconcile: (key, context) => reconciler.reconcile(key, context),
    workers: settings.workers ?? 4,
    ...(deps.assertLeading === undefined ? {} : { assertLeading: deps.assertLeading }),
    log: deps.log,
    metrics: deps.metrics,
  });
}
