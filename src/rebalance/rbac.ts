import type { AccessRule } from '../kube/index.ts';

const WATCH = ['list', 'watch'] as const;

/**
 * What the RebalancePolicy controller may do; manifests, chart, the check at the start and docs/rights.md are made from
 * it. Server-side apply of an object that isn't there needs `create` beside `patch`.
 */
export const REBALANCE_RULES: readonly AccessRule[] = [
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['rebalancepolicies'],
    verbs: [...WATCH, 'patch'],
    purpose: 'read policies; remove the annotation that was obeyed',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['rebalancepolicies/status'],
    verbs: ['patch'],
    purpose: 'report',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['rebalancepolicies/finalizers'],
    verbs: ['update'],
    purpose: 'own ConfigMaps that block the deletion of their policy',
    spare: 'asked by the admission plugin OwnerReferencesPermissionEnforcement only, which OpenShift runs',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['qdrantclusters', 'domainlibraries'],
    verbs: WATCH,
    purpose: 'find the clusters and libraries that a policy selects',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['domainlibraries/status'],
    verbs: ['patch'],
    purpose: 'order a move by status.assignment',
  },
  {
    apiGroups: [''],
    resources: ['secrets'],
    verbs: WATCH,
    purpose: 'read the keys of clusters',
  },
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: [...WATCH, 'create', 'patch', 'delete'],
    purpose: 'the plan, and what is known of the load',
  },
  {
    apiGroups: ['events.k8s.io'],
    resources: ['events'],
    verbs: ['create', 'patch'],
    purpose: 'tell what happened to a plan; count what is told again',
  },
];
