import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS, clusterLabels, FIELD_MANAGERS, FINALIZER } from '../../src/api/index.ts';

// Once objects bear these names in a cluster, another spelling orphans them.
test('names that stand in stored objects stay as they are', () => {
  assert.deepEqual(Object.values(ANNOTATIONS), [
    'qdrant-librarian.io/disable-predicates',
    'qdrant-librarian.io/allow-gap',
    'qdrant-librarian.io/found-again',
    'qdrant-librarian.io/snapshot',
    'qdrant-librarian.io/try-snapshot',
    'qdrant-librarian.io/run',
    'qdrant-librarian.io/discover',
    'qdrant-librarian.io/plan',
    'qdrant-librarian.io/rotate-keys',
  ]);
  assert.equal(FINALIZER, 'qdrant-librarian.io/finalizer');
  assert.deepEqual(FIELD_MANAGERS, { objects: 'qdrant-librarian', status: 'qdrant-librarian-status' });
  assert.deepEqual(clusterLabels('docs'), {
    'app.kubernetes.io/managed-by': 'qdrant-librarian',
    'app.kubernetes.io/name': 'qdrant',
    'app.kubernetes.io/instance': 'docs',
    'qdrant-librarian.io/cluster': 'docs',
  });
});
