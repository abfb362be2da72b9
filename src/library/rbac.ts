/** Source: rbac.authorization.k8s.io/v1 `PolicyRule`. */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

const READ = ['get', 'list', 'watch'] as const;

/**
 * What the DomainLibrary controller may do; manifests and chart are generated from it. Server-side apply of an object
 * that isn't there needs `create` beside `patch`.
 */
export const LIBRARY_RULES: readonly PolicyRule[] = [
  // Read the objects; set and remove the finalizer.
  { apiGroups: ['qdrant-librarian.io'], resources: ['domainlibraries'], verbs: [...READ, 'patch'] },
  { apiGroups: ['qdrant-librarian.io'], resources: ['domainlibraries/status'], verbs: ['patch'] },
  // Owner references that block deletion, where the API server checks them.
  { apiGroups: ['qdrant-librarian.io'], resources: ['domainlibraries/finalizers'], verbs: ['update'] },
  // Where a library lives.
  { apiGroups: ['qdrant-librarian.io'], resources: ['qdrantclusters'], verbs: READ },
  // Keys of the clusters; the binding Secrets.
  { apiGroups: [''], resources: ['secrets'], verbs: [...READ, 'create', 'patch'] },
  // A copy's configuration and progress; its worker gets `get` and `patch` on its own progress from here.
  { apiGroups: [''], resources: ['configmaps'], verbs: [...READ, 'create', 'patch', 'delete'] },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: [...READ, 'create', 'delete'] },
  // A worker's identity and rights.
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['create', 'patch', 'delete'] },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles', 'rolebindings'],
    verbs: ['create', 'patch', 'delete'],
  },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];
