import type { QdrantCluster } from '../../api/index.ts';
import type { NetworkPolicy, PodDisruptionBudget } from '../../kube/index.ts';
import { PORTS, selectorLabels } from '../names.ts';
import { ownedMetadata } from './metadata.ts';

/** Keeps node drains to so many pods at once, to none while they aren't evictable; undefined where the spec wants none. */
export function disruptionBudget(cluster: QdrantCluster, evictable: boolean): PodDisruptionBudget | undefined {
  const { enabled = true, maxUnavailable = 1 } = cluster.spec.podDisruptionBudget ?? {};
  if (!enabled) return undefined;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: ownedMetadata(cluster, cluster.metadata.name),
    spec: { maxUnavailable: evictable ? maxUnavailable : 0, selector: { matchLabels: selectorLabels(cluster) } },
  };
}

/** The operator and its workers, which must get in whoever else may. */
const OURS = [
  { namespaceSelector: {}, podSelector: { matchLabels: { 'app.kubernetes.io/name': 'qdrant-librarian' } } },
  { namespaceSelector: {}, podSelector: { matchLabels: { 'app.kubernetes.io/managed-by': 'qdrant-librarian' } } },
];

const ports = (...numbers: number[]) => numbers.map((port) => ({ port, protocol: 'TCP' }));

/**
 * Peers reach each other on all ports: shards travel over REST, too. Clients reach REST and gRPC; undefined where the
 * spec wants no policy. Source: reference/qdrant-api.md 1.2.
 */
export function networkPolicy(cluster: QdrantCluster): NetworkPolicy | undefined {
  const { enabled = true, from } = cluster.spec.networkPolicy ?? {};
  if (!enabled) return undefined;
  const podSelector = { matchLabels: selectorLabels(cluster) };
  const clients = ports(PORTS.http, PORTS.grpc);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: ownedMetadata(cluster, cluster.metadata.name),
    spec: {
      podSelector,
      policyTypes: ['Ingress'],
      ingress: [
        { from: [{ podSelector }], ports: ports(PORTS.http, PORTS.grpc, PORTS.p2p) },
        from === undefined ? { ports: clients } : { from: [...from, ...OURS], ports: clients },
      ],
    },
  } as NetworkPolicy;
}
