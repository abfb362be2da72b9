import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainLibrary, QdrantCluster } from '../../src/api/index.ts';
import { claimsOf, clustersReading, librariesOn, podsOf } from '../../src/cluster/indexes.ts';
import { type KubeObject, type PersistentVolumeClaim, type Pod, Store } from '../../src/kube/index.ts';

const object = (name: string, rest: object = {}, metadata: object = {}) =>
  ({ metadata: { name, namespace: 'team', uid: name, ...metadata }, ...rest }) as never;
const cluster = (name: string, spec: object = { size: 1 }) => object(name, { spec }) as QdrantCluster;

function cacheOf<T extends KubeObject>(...objects: NoInfer<T>[]) {
  const store = new Store<T>();
  store.replaceAll(objects);
  return { store };
}

const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name);

test("claims are found by name: those of a cluster whose name begins with another's are not taken for its own", () => {
  const claims = cacheOf<PersistentVolumeClaim>(
    object('qdrant-storage-docs-0'),
    object('qdrant-snapshots-docs-12'),
    object('qdrant-storage-docs-1-0'),
    object('qdrant-storage-docs-0', {}, { namespace: 'other' }),
    object('data-docs-0'),
  );
  assert.deepEqual(names(claimsOf(claims, cluster('docs'))), ['qdrant-storage-docs-0', 'qdrant-snapshots-docs-12']);
  assert.deepEqual(names(claimsOf(claims, cluster('docs-1'))), ['qdrant-storage-docs-1-0']);
});

test('pods are those of the StatefulSet of its name', () => {
  const owned = (kind: string, name: string) => ({ ownerReferences: [{ kind, name, uid: 'u', controller: true }] });
  const pods = cacheOf<Pod>(
    object('docs-0', {}, owned('StatefulSet', 'docs')),
    object('docs-abc', {}, owned('ReplicaSet', 'docs')),
    object('docs-1'),
  );
  assert.deepEqual(names(podsOf(pods, cluster('docs'))), ['docs-0']);
});

test('libraries are on the clusters that spec, status and assignment name, once each', () => {
  const placement = { clusterRef: { name: 'a' } };
  const libraries = cacheOf<DomainLibrary>(
    object('one', { spec: { placement }, status: { cluster: 'a', assignment: { cluster: 'b' } } }),
    object('two', { spec: {} }),
  );
  assert.deepEqual(names(librariesOn(libraries, cluster('a'))), ['one']);
  assert.deepEqual(names(librariesOn(libraries, cluster('b'))), ['one']);
});

test('a Secret concerns the clusters that take a key or a certificate from it', () => {
  const external = { url: 'https://cloud', apiKeySecretRef: { name: 'key' }, caSecretRef: { name: 'ca' } };
  const clusters = cacheOf<QdrantCluster>(cluster('docs'), cluster('cloud', { external }));
  assert.deepEqual(names(clustersReading(clusters, object('docs-apikey'))), ['docs']);
  assert.deepEqual(names(clustersReading(clusters, object('ca'))), ['cloud']);
  assert.deepEqual(clustersReading(clusters, object('other')), []);
});
