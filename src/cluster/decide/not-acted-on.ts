import { ANNOTATIONS, parseQuantity } from '../../api/index.ts';
import { isExternal, type World } from '../world.ts';

type Field = { readonly path: string; readonly set: (world: World) => boolean };

const BUILT_STRATEGIES = new Set<string | undefined>([undefined, 'by_count', 'disabled']);

/** Fields, and verbs, that are set but that nothing acts on yet. */
const FIELDS: readonly Field[] = [
  { path: 'spec.keyRotation', set: ({ cluster }) => cluster.spec.keyRotation !== undefined },
  { path: 'spec.tls', set: ({ cluster }) => cluster.spec.tls !== undefined },
  { path: 'spec.metrics.serviceMonitor', set: ({ cluster }) => cluster.spec.metrics?.serviceMonitor?.enabled === true },
  { path: 'spec.rebalanceStrategy', set: ({ cluster }) => !BUILT_STRATEGIES.has(cluster.spec.rebalanceStrategy) },
  { path: 'spec.version', set: ({ cluster, statefulSet }) => imageChanged(cluster, statefulSet?.image) },
  { path: 'spec.persistence', set: (world) => claimChanged(world, 'qdrant-storage') },
  { path: 'spec.snapshotPersistence', set: (world) => claimChanged(world, 'qdrant-snapshots') },
  {
    path: `metadata.annotations[${ANNOTATIONS.rotateKeys}]`,
    set: ({ cluster }) => cluster.metadata.annotations?.[ANNOTATIONS.rotateKeys] !== undefined,
  },
];

/** Paths of those fields, in the order of the spec. */
export const fieldsNotActedOn = (world: World): string[] =>
  FIELDS.filter(({ set }) => set(world)).map(({ path }) => path);

/** The image that the spec asks for. */
export function imageOf({ spec }: World['cluster']): string {
  return `${spec.image?.repository ?? 'qdrant/qdrant'}:${spec.image?.tag ?? `v${spec.version}`}`;
}

/** Upgrades go minor by minor by a procedure of their own: until it's there the running image stays. */
const imageChanged = (cluster: World['cluster'], running: string | undefined): boolean =>
  !isExternal(cluster) &&
  cluster.status?.founded !== undefined &&
  running !== undefined &&
  running !== imageOf(cluster);

/** Kubernetes doesn't let a StatefulSet change its claim templates. */
function claimChanged({ cluster, statefulSet }: World, volume: string): boolean {
  if (statefulSet === undefined) return false;
  const wanted = volume === 'qdrant-storage' ? cluster.spec.persistence : cluster.spec.snapshotPersistence;
  const enabled = volume === 'qdrant-storage' || cluster.spec.snapshotPersistence?.enabled === true;
  const live = statefulSet.claims.find(({ name }) => name === volume);
  if (live === undefined) return enabled;
  return (
    !enabled || !sameQuantity(live.size, wanted?.size ?? '10Gi') || live.storageClassName !== wanted?.storageClassName
  );
}

/** The server writes 1024Mi as 1Gi. */
const sameQuantity = (a: string, b: string): boolean => a === b || parseQuantity(a) === parseQuantity(b);
