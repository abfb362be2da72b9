import type { AccessRule } from '../kube/index.ts';

const WATCH = ['list', 'watch'] as const;

/**
 * What the QdrantCluster controller may do; manifests, chart, the check at the start and docs/rights.md are made from
 * it. Server-side apply of an object that isn't there needs `create` beside `patch`.
 */
export const CLUSTER_RULES: readonly AccessRule[] = [
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['qdrantclusters'],
    verbs: [...WATCH, 'patch'],
    purpose: 'read clusters; set and remove the finalizer',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['qdrantclusters/status'],
    verbs: ['patch'],
    purpose: 'report',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['qdrantclusters/finalizers'],
    verbs: ['update'],
    purpose: 'own objects that block the deletion of their cluster',
    spare: 'asked by the admission plugin OwnerReferencesPermissionEnforcement only, which OpenShift runs',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['domainlibraries'],
    verbs: WATCH,
    purpose: 'see whether a library lives on a cluster that is to be deleted',
  },
  {
    apiGroups: ['apps'],
    resources: ['statefulsets'],
    verbs: [...WATCH, 'create', 'patch', 'delete'],
    purpose: 'run the peers',
  },
  {
    apiGroups: [''],
    resources: ['services', 'configmaps'],
    verbs: [...WATCH, 'create', 'patch'],
    purpose: 'the Services of a cluster, its configuration and its list of members',
  },
  {
    apiGroups: [''],
    resources: ['secrets'],
    verbs: [...WATCH, 'create'],
    purpose: 'read the keys that users name; make the Secret of generated ones, once',
  },
  {
    apiGroups: [''],
    resources: ['pods'],
    verbs: [...WATCH, 'patch', 'delete'],
    purpose: 'take a pod out of the client Service; restart it',
  },
  {
    apiGroups: [''],
    resources: ['persistentvolumeclaims'],
    verbs: [...WATCH, 'patch', 'delete'],
    purpose: 'mark and delete the volumes of removed peers',
  },
  {
    apiGroups: ['policy'],
    resources: ['poddisruptionbudgets'],
    verbs: [...WATCH, 'create', 'patch', 'delete'],
    purpose: 'keep drains of nodes to one peer at a time',
  },
  {
    apiGroups: ['networking.k8s.io'],
    resources: ['networkpolicies'],
    verbs: [...WATCH, 'create', 'patch', 'delete'],
    purpose: 'close the ports of the peers to others',
  },
  {
    apiGroups: ['events.k8s.io'],
    resources: ['events'],
    verbs: ['create', 'patch'],
    purpose: 'tell what happened to a cluster; count what is told again',
  },
];
