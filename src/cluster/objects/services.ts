import type { QdrantCluster } from '../../api/index.ts';
import type { Service } from '../../kube/index.ts';
import { headlessName, PORTS, SERVING_LABEL, selectorLabels } from '../names.ts';
import { ownedMetadata } from './metadata.ts';

const port = (name: keyof typeof PORTS) => ({ name, port: PORTS[name], targetPort: name, protocol: 'TCP' });

/** Where clients connect: ready pods only, and none that is about to be stopped. */
export function clientService(cluster: QdrantCluster): Service {
  const { type = 'ClusterIP', annotations } = cluster.spec.service ?? {};
  const metadata = ownedMetadata(cluster, cluster.metadata.name);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: annotations === undefined ? metadata : { ...metadata, annotations },
    spec: {
      type,
      selector: { ...selectorLabels(cluster), [SERVING_LABEL]: 'true' },
      ports: [port('http'), port('grpc')],
    },
  };
}

/** Names of the pods, for each other and for the operator; also of those that aren't ready, or none could join. */
export function headlessService(cluster: QdrantCluster): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: ownedMetadata(cluster, headlessName(cluster)),
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorLabels(cluster),
      ports: [port('http'), port('grpc'), port('p2p')],
    },
  };
}
