import { PREFIX, type QdrantCluster } from '../api/index.ts';

/** Names, labels and addresses of what belongs to a cluster. All are stable: clients and volumes depend on them. */

export const FINALIZER = `${PREFIX}finalizer`;
export const OBJECT_MANAGER = 'qdrant-librarian';
export const STATUS_MANAGER = 'qdrant-librarian-status';

export const CLUSTER_LABEL = `${PREFIX}cluster`;
/** Pods with the value `true` get client traffic; a peer that is about to go is taken out first. */
export const SERVING_LABEL = `${PREFIX}serving`;

export const annotations = {
  /** Verbs of users. */
  foundAgain: `${PREFIX}found-again`,
  /** Digest of the desired object, on every applied object. */
  digest: `${PREFIX}desired-digest`,
  /** Digest of the pod template, on the pods. */
  template: `${PREFIX}template-digest`,
  /** When a pod was taken out of the client Service. */
  withdrawnAt: `${PREFIX}withdrawn-at`,
  /** Peer that lives on a claim's volume. */
  peer: `${PREFIX}peer-id`,
  /** Peer whose removal was verified; its volume must not be used again. */
  removedPeer: `${PREFIX}removed-peer-id`,
} as const;

export const PORTS = { http: 6333, grpc: 6334, p2p: 6335 } as const;
export const STORAGE_VOLUME = 'qdrant-storage';
export const SNAPSHOTS_VOLUME = 'qdrant-snapshots';

type Named = { readonly metadata: QdrantCluster['metadata'] };

export const namespaceOf = (cluster: Named): string => cluster.metadata.namespace ?? '';
export const headlessName = (cluster: Named): string => `${cluster.metadata.name}-headless`;
export const configName = (cluster: Named): string => `${cluster.metadata.name}-config`;
export const peersName = (cluster: Named): string => `${cluster.metadata.name}-peers`;
export const keysName = (cluster: Named): string => `${cluster.metadata.name}-apikey`;
export const podName = (cluster: Named, ordinal: number): string => `${cluster.metadata.name}-${ordinal}`;
export const claimName = (cluster: Named, ordinal: number, volume: string = STORAGE_VOLUME): string =>
  `${volume}-${podName(cluster, ordinal)}`;

/** What selects the pods; part of the StatefulSet, where it can't change. */
export const selectorLabels = (cluster: Named): Record<string, string> => ({
  'app.kubernetes.io/name': 'qdrant',
  [CLUSTER_LABEL]: cluster.metadata.name,
});

export const ownLabels = (cluster: Named): Record<string, string> => ({
  ...selectorLabels(cluster),
  'app.kubernetes.io/instance': cluster.metadata.name,
  'app.kubernetes.io/managed-by': 'qdrant-librarian',
});

/** Host of the client Service. */
export const serviceHost = (cluster: Named): string => `${cluster.metadata.name}.${namespaceOf(cluster)}.svc`;

/** Address for other peers. Qdrant stores it with a trailing slash. */
export const peerUri = (cluster: Named, ordinal: number): string =>
  `http://${podName(cluster, ordinal)}.${headlessName(cluster)}.${namespaceOf(cluster)}.svc:${PORTS.p2p}`;

/** The ordinal that ends a pod's or a claim's name; undefined for any other name. */
export function ordinalOf(cluster: Named, name: string): number | undefined {
  const prefix = `${cluster.metadata.name}-`;
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^(?:0|[1-9]\d{0,3})$/.test(digits) ? Number(digits) : undefined;
}

/** The ordinal of the pod whose peer address this is; undefined for an address that isn't one of our pods'. */
export function ordinalOfUri(cluster: Named, uri: string): number | undefined {
  const host = URL.canParse(uri) ? new URL(uri).hostname : '';
  const [pod = '', service = '', namespace = ''] = host.split('.');
  if (service !== headlessName(cluster) || namespace !== namespaceOf(cluster)) return undefined;
  return ordinalOf(cluster, pod);
}
