import type { AccessRule } from '../kube/index.ts';

/** What the gateway may do: it reads, and of Secrets only those that objects name. */
export const GATEWAY_RULES: readonly AccessRule[] = [
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['domainlibraries'],
    verbs: ['get', 'list', 'watch'],
    purpose: 'know where each library is; ask again, past the cache, when a cluster says that it has left',
  },
  {
    apiGroups: ['qdrant-librarian.io'],
    resources: ['qdrantclusters', 'vectorizationjobs'],
    verbs: ['list', 'watch'],
    purpose: 'find the peers of a cluster, and the embedder of a library',
  },
  {
    apiGroups: [''],
    resources: ['secrets'],
    verbs: ['get'],
    purpose: 'read binding Secrets, and the keys of clusters and embedders; none is listed',
  },
];
