import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate } from '../../src/api/index.ts';
import { cluster, externalCluster, library } from './objects.ts';

const rulesOf = (object: unknown, old: unknown): string[] => validate(object, { old }).map(({ rule }) => rule);

const sized = (size: string) => cluster({ persistence: { size } });
const classed = (storageClassName: string) => cluster({ persistence: { storageClassName } });

test('a volume may grow, in any unit', () => {
  assert.deepEqual(rulesOf(sized('2Gi'), sized('1Gi')), []);
  assert.deepEqual(rulesOf(sized('1Ti'), sized('999Gi')), []);
  assert.deepEqual(rulesOf(sized('1024Mi'), sized('1Gi')), []);
});

test('a volume never shrinks', () => {
  assert.match(rulesOf(sized('1G'), sized('1Gi'))[0] ?? '', /persistence.size may grow, never shrink/);
});

test('silence about a volume means the default size, also when it comes or goes', () => {
  assert.match(rulesOf(sized('9Gi'), cluster())[0] ?? '', /never shrink/);
  assert.match(rulesOf(cluster(), sized('11Gi'))[0] ?? '', /never shrink/);
  assert.deepEqual(rulesOf(cluster(), sized('10Gi')), []);
});

test('the volume for snapshots never shrinks, either', () => {
  const old = cluster({ snapshotPersistence: { size: '5Gi' } });
  assert.match(rulesOf(cluster({ snapshotPersistence: { size: '4Gi' } }), old)[0] ?? '', /snapshotPersistence.size/);
});

test("a storage class can't be changed, set or dropped", () => {
  const refusal = /storageClassName can't be changed/;
  assert.match(rulesOf(classed('fast'), classed('slow'))[0] ?? '', refusal);
  assert.match(rulesOf(classed('fast'), cluster())[0] ?? '', refusal);
  assert.match(rulesOf(cluster(), classed('fast'))[0] ?? '', refusal);
  assert.deepEqual(rulesOf(classed('fast'), classed('fast')), []);
});

test('a cluster stays managed or external', () => {
  assert.match(rulesOf(externalCluster(), cluster())[0] ?? '', /external can't be added or removed/);
  assert.match(rulesOf(cluster(), externalCluster())[0] ?? '', /external can't be added or removed/);
});

test('the address and key of an external cluster may change', () => {
  const moved = externalCluster({ external: { url: 'https://other.example.org', apiKeySecretRef: { name: 'key' } } });
  assert.deepEqual(rulesOf(moved, externalCluster()), []);
});

test("the public name of a library can't be changed, set or dropped", () => {
  const refusal = /collection can't be changed/;
  assert.match(rulesOf(library({ collection: 'a' }), library({ collection: 'b' }))[0] ?? '', refusal);
  assert.match(rulesOf(library({ collection: 'a' }), library())[0] ?? '', refusal);
  assert.match(rulesOf(library(), library({ collection: 'a' }))[0] ?? '', refusal);
  assert.deepEqual(rulesOf(library({ collection: 'a', description: 'new' }), library({ collection: 'a' })), []);
});

test('what was stored before a rule existed stays writable elsewhere', () => {
  const old = library({ placement: {}, description: 'old' });
  assert.deepEqual(rulesOf(library({ placement: {}, description: 'new' }), old), []);
});
