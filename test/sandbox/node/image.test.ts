import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageRepository } from '../../../sandbox/node/image.ts';

test('the repository has neither tag nor digest nor the prefix that Docker Hub implies', () => {
  const repositories = [
    'qdrant/qdrant:v1.18.3',
    'docker.io/qdrant/qdrant',
    'qdrant/qdrant@sha256:ab',
    'qdrant/qdrant:v1@sha256:ab',
  ];
  assert.deepEqual(repositories.map(imageRepository), Array(4).fill('qdrant/qdrant'));
  assert.equal(imageRepository('docker.io/library/busybox:1'), 'busybox');
});

test('a port of a registry is no tag', () => {
  assert.equal(imageRepository('registry.local:5000/team/app:2'), 'registry.local:5000/team/app');
});
