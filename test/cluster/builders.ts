import type { QdrantCluster, QdrantClusterSpec, QdrantClusterStatus } from '../../src/api/index.ts';

type Change = {
  readonly spec?: Partial<QdrantClusterSpec>;
  readonly status?: QdrantClusterStatus;
  readonly metadata?: Partial<QdrantCluster['metadata']>;
};

/** A managed cluster `docs` of three peers in `team-a`; a test changes what it is about. */
export function clusterObject({ spec, status, metadata }: Change = {}): QdrantCluster {
  return {
    apiVersion: 'qdrant-librarian.io/v1alpha1',
    kind: 'QdrantCluster',
    metadata: {
      name: 'docs',
      namespace: 'team-a',
      uid: 'uid-docs',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { version: '1.18.3', size: 3, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}
