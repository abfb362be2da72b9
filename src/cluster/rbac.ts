/** Source: rbac.authorization.k8s.io/v1 `PolicyRule`. */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

const READ = ['get', 'list', 'watch'] as const;

/**
 * What the QdrantCluster controller may do; manifests and chart are generated from it. Server-side apply of an object
 * that isn't there needs `create` beside `patch`.
 */
export const CLUSTER_RULES: readonly PolicyRule[] = [
  // Read the objects; set and remove the finalizer.
  { apiGroups: ['qdrant-librarian.io'], resources: ['qdrantclusters'], verbs: [...READ, 'patch'] },
  { apiGroups: ['qdrant-librarian.io'], resources: ['qdrantclusters/status'], verbs: ['patch'] },
  // Owner references that block deletion, where the API server checks them.
  { apiGroups: ['qdrant-librarian.io'], resources: ['qdrantclusters/finalizers'], verbs: ['update'] },
  // Whether a library lives on a cluster that is to be deleted.
  { apiGroups: ['qdrant-librarian.io'], resources: ['domainlibraries'], verbs: READ },
  { apiGroups: ['apps'], resources: ['statefulsets'], verbs: [...READ, 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['services', 'configmaps'], verbs: [...READ, 'create', 'patch'] },
  // Keys that users name, and the Secret of generated ones, which is made once and never changed.
  { apiGroups: [''], resources: ['secrets'], verbs: [...READ, 'create'] },
  // Take a pod out of the client Service; restart it.
  { apiGroups: [''], resources: ['pods'], verbs: [...READ, 'patch', 'delete'] },
  // Mark and delete volumes of removed peers.
  { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: [...READ, 'patch', 'delete'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: [...READ, 'create', 'patch', 'delete'] },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: [...READ, 'create', 'patch', 'delete'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];
