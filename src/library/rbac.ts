import type { AccessRule } from '../kube/index.ts';

const WATCH = ['list', 'watch'] as const;

/**
 * What the DomainLibrary controller may do; manifests, chart, the check at the start and docs/rights.md are made from
 * it. Server-side apply of an object that isn't there needs `create` beside `patch`. Nobody grants what he hasn't, so
 * it holds what workers get.
 */
export const LIBRARY_RULES: readonly AccessRule[] = [
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['domainlibraries'],
    verbs: [...WATCH, 'patch'],
    purpose: 'read libraries; set and remove the finalizer',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['domainlibraries/status'],
    verbs: ['patch'],
    purpose: 'report',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['domainlibraries/finalizers'],
    verbs: ['update'],
    purpose: 'own objects that block the deletion of their library',
    spare: 'asked by the admission plugin OwnerReferencesPermissionEnforcement only, which OpenShift runs',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['qdrantclusters'],
    verbs: WATCH,
    purpose: 'find the cluster on which a library lives',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['rebalancepolicies'],
    verbs: WATCH,
    purpose: 'know what holds for the moves that they order: engine, fence, proof, times',
  },
  {
    apiGroups: [''],
    resources: ['secrets'],
    verbs: [...WATCH, 'create', 'patch'],
    purpose: 'read the keys of clusters; write the binding Secrets',
  },
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: [...WATCH, 'create', 'patch', 'delete'],
    purpose: 'configuration and progress of copies, snapshots and restores; what a snapshot is',
  },
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: ['get'],
    purpose: 'handed on to workers, with `patch`, each for its own progress',
    spare: 'used by the workers, under accounts of their own',
  },
  {
    apiGroups: ['batch'],
    resources: ['jobs'],
    verbs: [...WATCH, 'create', 'delete'],
    purpose: 'run workers that copy, make snapshots and restore them',
  },
  {
    apiGroups: [''],
    resources: ['serviceaccounts'],
    verbs: ['create', 'patch', 'delete'],
    purpose: "a worker's identity",
  },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles', 'rolebindings'],
    verbs: ['create', 'patch', 'delete'],
    purpose: "a worker's rights",
  },
  {
    apiGroups: ['events.k8s.io'],
    resources: ['events'],
    verbs: ['create', 'patch'],
    purpose: 'tell what happened to a library; count what is told again',
  },
];
