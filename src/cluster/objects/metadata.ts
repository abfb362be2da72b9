import { API_VERSION, type QdrantCluster } from '../../api/index.ts';
import type { ObjectMeta } from '../../kube/index.ts';
import { namespaceOf, ownLabels } from '../names.ts';

/** Metadata of an object that goes when its cluster goes. */
export function ownedMetadata(cluster: QdrantCluster, name: string): ObjectMeta {
  return {
    name,
    namespace: namespaceOf(cluster),
    labels: ownLabels(cluster),
    ownerReferences: [
      {
        apiVersion: API_VERSION,
        kind: 'QdrantCluster',
        name: cluster.metadata.name,
        uid: cluster.metadata.uid ?? '',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}
