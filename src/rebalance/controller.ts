import { isDeepStrictEqual } from 'node:util';
import type { DomainLibrary, RebalancePolicy } from '../api/index.ts';
import {
  type Change,
  Controller,
  type KubeObject,
  keyOf,
  type ObjectKey,
  specChanged,
  watching,
} from '../kube/index.ts';
import { REBALANCE_POLICIES, type RebalanceDeps } from './deps.ts';
import { RebalanceReconciler } from './reconciler.ts';

/** Reconciles RebalancePolicies. The informers in `deps` are the caller's to start. */
export function rebalanceController(deps: RebalanceDeps): Controller<RebalancePolicy> {
  const { informers, settings } = deps;
  const reconciler = new RebalanceReconciler(deps);
  return new Controller<RebalancePolicy>({
    name: REBALANCE_POLICIES.kind.toLowerCase(),
    primary: informers.policies,
    filter: specChanged,
    watches: [
      watching({
        informer: informers.libraries,
        map: (library) => policiesBeside(deps, library),
        filter: libraryMoved,
      }),
      watching({ informer: informers.clusters, map: (cluster) => policiesBeside(deps, cluster), filter: specChanged }),
      // When one of two policies that choose the same library goes, the other is to take over.
      watching({ informer: informers.policies, map: (policy) => policiesBeside(deps, policy), filter: specChanged }),
    ],
    reconcile: (key, context) => reconciler.reconcile(key, context),
    workers: settings.workers ?? 2,
    ...(deps.assertLeading === undefined ? {} : { assertLeading: deps.assertLeading }),
    log: deps.log,
    metrics: deps.metrics,
  });
}

const policiesBeside = ({ informers }: RebalanceDeps, { metadata }: KubeObject): ObjectKey[] =>
  informers.policies.store
    .list()
    .filter((policy) => policy.metadata.namespace === metadata.namespace)
    .map(keyOf);

/** Points that tick concern no policy; where a library lives, and how far a move is, does. */
const libraryMoved = (change: Change<DomainLibrary>): boolean =>
  specChanged(change) ||
  (change.type === 'updated' && !isDeepStrictEqual(concerns(change.old), concerns(change.object)));

const concerns = ({ status }: DomainLibrary) => ({
  cluster: status?.cluster,
  step: status?.change?.step,
  assignment: status?.assignment,
  blocked: status?.conditions?.filter(({ type }) => type.endsWith('Blocked')).map(({ status: value }) => value),
});
