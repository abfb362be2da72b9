import { API_VERSION, type DomainLibrary, type QdrantCluster } from '../../src/api/index.ts';
import { DIMENSIONS, type Stage } from './stage.ts';

/** A cluster and a library on it, as a user writes them. */
export const deskAndDocs = ({ key, ground }: Stage): { cluster: QdrantCluster; library: DomainLibrary } => ({
  cluster: {
    apiVersion: API_VERSION,
    kind: 'QdrantCluster',
    metadata: key('desk'),
    spec: { version: '1.18.3', size: 1, persistence: { size: '1Gi' }, ...ground.clusters },
  } as QdrantCluster,
  library: {
    apiVersion: API_VERSION,
    kind: 'DomainLibrary',
    metadata: key('docs'),
    spec: {
      domain: 'docs',
      placement: { clusterRef: { name: 'desk' } },
      vectors: [{ name: '', size: DIMENSIONS, distance: 'Cosine' }],
    },
  } as DomainLibrary,
});
