import type { DomainLibrary, QdrantCluster } from '../../src/api/index.ts';

const apiVersion = 'qdrant-librarian.io/v1alpha1';

/** A managed cluster without a fault: a test changes what it is about. */
export const cluster = (spec: Record<string, unknown> = {}, name = 'docs') => ({
  apiVersion,
  kind: 'QdrantCluster',
  metadata: { name },
  spec: { version: '1.18.3', size: 3, ...spec },
});

export const externalCluster = (spec: Record<string, unknown> = {}) => ({
  apiVersion,
  kind: 'QdrantCluster',
  metadata: { name: 'annex' },
  spec: { external: { url: 'https://annex.example.org:6333' }, ...spec },
});

export const library = (spec: Record<string, unknown> = {}, name = 'guides') => ({
  apiVersion,
  kind: 'DomainLibrary',
  metadata: { name },
  spec: { domain: 'documentation', profile: 'Documentation', placement: { clusterRef: { name: 'docs' } }, ...spec },
});

export const policy = (spec: Record<string, unknown> = {}) => ({
  apiVersion,
  kind: 'RebalancePolicy',
  metadata: { name: 'nightly' },
  spec,
});

export const vectorization = (spec: Record<string, unknown> = {}) => ({
  apiVersion,
  kind: 'VectorizationJob',
  metadata: { name: 'guides' },
  spec: {
    source: { configMap: { name: 'texts' } },
    embedder: { protocol: 'Ollama', url: 'http://ollama.models.svc:11434', model: 'nomic-embed-text' },
    target: { libraryRef: { name: 'guides' } },
    ...spec,
  },
});

export const typedCluster = (spec: QdrantCluster['spec']): QdrantCluster => ({
  apiVersion,
  kind: 'QdrantCluster',
  metadata: { name: 'docs' },
  spec,
});

export const typedLibrary = (spec: DomainLibrary['spec']): DomainLibrary => ({
  apiVersion,
  kind: 'DomainLibrary',
  metadata: { name: 'guides' },
  spec,
});
