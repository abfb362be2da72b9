import type { Condition, DomainLibrary, DomainLibrarySpec, QdrantCluster } from '../../src/api/index.ts';
import { FINALIZER } from '../../src/api/index.ts';
import type { DiscoveryWorld } from '../../src/library/discovery/world.ts';
import type { ReverseWorld } from '../../src/library/reverse/world.ts';
import type { SnapshotWorld } from '../../src/library/snapshots/world.ts';
import type { LibrarySettings } from '../../src/library/world.ts';

export const NO_SNAPSHOTS: SnapshotWorld = {
  kept: [],
  restores: new Map(),
  restoreObjects: [],
  snapshotObjects: [],
  tidying: undefined,
  credentialsProblem: undefined,
};

export const NO_REVERSE: ReverseWorld = { progress: [], objects: false };

export const NO_DISCOVERY: DiscoveryWorld = { progress: undefined, objects: false };

export const settings: LibrarySettings = {
  resyncSeconds: 30,
  busySeconds: 1,
  workerImage: 'qdrant-librarian',
  workerPullSecrets: [],
  workerEnvironment: {},
  maxFreezeSeconds: 20,
  greenSeconds: 2,
  retireSeconds: 300,
  copyAttempts: 10,
};

export const cluster = (change: Partial<QdrantCluster> = {}): QdrantCluster => ({
  apiVersion: 'qdrant-librarian.io/v1alpha1',
  kind: 'QdrantCluster',
  metadata: { name: 'main', namespace: 'team', uid: 'cluster-uid' },
  spec: { size: 2 },
  status: {
    founded: { at: '2026-01-01T00:00:00Z', peerId: 1 },
    endpoints: { rest: 'http://main.team.svc:6333', grpc: 'http://main.team.svc:6334' },
    conditions: [ready('True')],
  },
  ...change,
});

export const ready = (status: Condition['status']): Condition => ({
  type: 'Ready',
  status,
  reason: 'Ready',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

export const library = (spec: Partial<DomainLibrarySpec> = {}): DomainLibrary => ({
  apiVersion: 'qdrant-librarian.io/v1alpha1',
  kind: 'DomainLibrary',
  metadata: {
    name: 'docs',
    namespace: 'team',
    uid: 'library-uid',
    generation: 1,
    creationTimestamp: '2026-01-02T00:00:00Z',
    finalizers: [FINALIZER],
  },
  spec: {
    domain: 'documentation',
    placement: { clusterRef: { name: 'main' } },
    vectors: [{ name: '', size: 3, distance: 'Cosine' }],
    ...spec,
  },
});
