import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainLibrary, QdrantCluster } from '../../src/api/index.ts';
import { type Secret, Store } from '../../src/kube/index.ts';
import { claimants, clustersReading, livingOn, ownedBy } from '../../src/library/indexes.ts';
import { cluster, library } from './sim.ts';

function named(name: string, change: object = {}, namespace = 'default'): DomainLibrary {
  const base = library();
  return { ...base, ...change, metadata: { ...base.metadata, name, namespace, uid: `uid-${namespace}-${name}` } };
}

function cacheOf<T extends DomainLibrary | QdrantCluster | Secret>(objects: readonly T[]) {
  const store = new Store<T>();
  store.replaceAll(objects);
  return { store };
}

const names = (objects: readonly { metadata: { name: string } }[]) => objects.map(({ metadata }) => metadata.name);
const on = (name: string) => ({ metadata: { name, namespace: 'default' } }) as QdrantCluster;

test('a cluster concerns libraries that live on it or are to, and those of its namespace that have none yet', () => {
  const spec = { ...library().spec, placement: { clusterRef: { name: 'b' } } };
  const cache = cacheOf([
    named('lives', { status: { cluster: 'a' } }),
    named('moves', { spec, status: { cluster: 'a' } }),
    named('new', { spec }),
    named('elsewhere', { status: { cluster: 'a' } }, 'other'),
  ]);
  assert.deepEqual(names(livingOn(cache, on('a'))), ['lives', 'moves', 'new']);
  assert.deepEqual(names(livingOn(cache, on('b'))), ['moves', 'new']);
  assert.deepEqual(names(livingOn(cache, on('c'))), ['new']);
});

test('claimants are others of the namespace with the same public name', () => {
  const spec = { ...library().spec, collection: 'docs' };
  const cache = cacheOf([named('docs'), named('manual', { spec }), named('notes'), named('docs', {}, 'other')]);
  assert.deepEqual(names(claimants(cache, named('docs'))), ['manual']);
  assert.deepEqual(claimants(cache, named('notes')), []);
});

test('a Secret concerns the clusters that take a key from it', () => {
  const cache = cacheOf([cluster({ spec: { size: 1 } })]);
  const { name, namespace = '' } = cluster({ spec: { size: 1 } }).metadata;
  const secret = (of: string) => ({ metadata: { name: of, namespace } }) as Secret;
  assert.deepEqual(names(clustersReading(cache, secret(`${name}-apikey`))), [name]);
  assert.deepEqual(clustersReading(cache, secret('other')), []);
});

test('what a library owns goes by uid: a namesake that was made anew owns nothing yet', () => {
  const owner = { apiVersion: 'v1', kind: 'DomainLibrary', name: 'docs', uid: 'uid-default-docs', controller: true };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'mine', ownerReferences: [owner] } };
  const cache = cacheOf([secret as Secret]);
  assert.deepEqual(names(ownedBy(named('docs'), cache)), ['mine']);
  const anew = { ...named('docs'), metadata: { name: 'docs', namespace: 'default', uid: 'another' } };
  assert.deepEqual(ownedBy(anew, cache), []);
});
