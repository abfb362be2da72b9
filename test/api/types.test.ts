import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainLibrary, QdrantCluster } from '../../src/api/index.ts';

test('a typo in a manifest written in TypeScript is a compile error', () => {
  const cluster: QdrantCluster = {
    apiVersion: 'qdrant-librarian.io/v1alpha1',
    kind: 'QdrantCluster',
    metadata: { name: 'stacks', namespace: 'library' },
    spec: {
      version: '1.18.3',
      size: 3,
      // @ts-expect-error replicas is not a field of a QdrantCluster
      replicas: 3,
    },
  };
  const library: DomainLibrary = {
    apiVersion: 'qdrant-librarian.io/v1alpha1',
    kind: 'DomainLibrary',
    metadata: { name: 'docs' },
    spec: {
      domain: 'documentation',
      placement: { clusterRef: { name: cluster.metadata.name } },
      vectors: [
        {
          name: '',
          size: 384,
          // @ts-expect-error turbo4 stops a cluster for good (S1)
          datatype: 'turbo4',
        },
      ],
    },
  };
  assert.equal(library.spec.vectors?.[0]?.size, 384);
});
