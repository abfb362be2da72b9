import type { AccessRule } from '../kube/index.ts';

const WATCH = ['list', 'watch'] as const;

/**
 * What the VectorizationJob controller may do; manifests, chart, the check at the start and docs/rights.md are made from
 * it. Nobody grants what he hasn't, so it holds what workers get.
 */
export const VECTORIZE_RULES: readonly AccessRule[] = [
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['vectorizationjobs'],
    verbs: WATCH,
    purpose: 'read what is to be vectorised',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['vectorizationjobs/status'],
    verbs: ['patch'],
    purpose: 'report',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['vectorizationjobs/finalizers'],
    verbs: ['update'],
    purpose: 'own objects that block the deletion of their job',
    spare: 'asked by the admission plugin OwnerReferencesPermissionEnforcement only, which OpenShift runs',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['domainlibraries', 'qdrantclusters'],
    verbs: WATCH,
    purpose: 'find the library that is filled, and where it lives',
  },
  {
    apiGroups: [''],
    resources: ['secrets'],
    verbs: WATCH,
    purpose: 'see whether the keys that a job names are there',
  },
  {
    apiGroups: [''],
    resources: ['persistentvolumeclaims', 'pods'],
    verbs: WATCH,
    purpose: 'see whether a source is there, and what keeps a worker from beginning',
  },
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: [...WATCH, 'create', 'patch', 'delete'],
    purpose: "a run's configuration and progress",
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
    purpose: 'run workers',
  },
  {
    apiGroups: [''],
    resources: ['serviceaccounts'],
    verbs: ['create', 'patch'],
    purpose: "a worker's identity",
  },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles', 'rolebindings'],
    verbs: ['create', 'patch'],
    purpose: "a worker's rights",
  },
  {
    apiGroups: ['events.k8s.io'],
    resources: ['events'],
    verbs: ['create', 'patch'],
    purpose: 'tell what happened to a job; count what is told again',
  },
];
