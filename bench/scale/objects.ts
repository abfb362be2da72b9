import type { DomainLibrary, QdrantCluster } from '../../src/api/index.ts';
import type { KubeObject, Secret } from '../../src/kube/index.ts';

/** One namespace for all: what looks through all objects of a namespace is at its slowest. */
export const NAMESPACE = 'bench';
export const API_KEY = 'key-of-the-benchmark';
const KEY_SECRET = 'engine-api-key';

export function sharedObjects(): KubeObject[] {
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: KEY_SECRET, namespace: NAMESPACE },
    data: { 'api-key': Buffer.from(API_KEY).toString('base64') },
  };
  return [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, secret];
}

export function cluster(number: number, address: string): QdrantCluster {
  return {
    apiVersion: 'qdrant-librarian.io/v1alpha1',
    kind: 'QdrantCluster',
    metadata: { name: clusterName(number), namespace: NAMESPACE },
    spec: { external: { url: `http://${address}:6333`, apiKeySecretRef: { name: KEY_SECRET } } },
  };
}

export function library(number: number, clusterNumber: number): DomainLibrary {
  return {
    apiVersion: 'qdrant-librarian.io/v1alpha1',
    kind: 'DomainLibrary',
    metadata: { name: `library-${number}`, namespace: NAMESPACE },
    spec: {
      domain: `domain-${number}`,
      profile: 'Documentation',
      placement: { clusterRef: { name: clusterName(clusterNumber) } },
      vectors: [{ name: '', size: 384, distance: 'Cosine' }],
      payloadIndexes: [{ field: 'package', type: 'keyword' }],
    },
  };
}

const clusterName = (number: number): string => `cluster-${number}`;
