import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostPathOf, longestFirst, rewritePaths } from '../../../sandbox/node/mount-paths.ts';

const mappings = longestFirst([
  { containerPath: '/qdrant', hostPath: '/H/root' },
  { containerPath: '/qdrant/storage/', hostPath: '/H/storage' },
  { containerPath: '/qdrant-librarian/peers', hostPath: '/H/peers' },
]);
const rewritten = (text: string): string => rewritePaths(text, mappings);

test('a mount path and what lies below it go to the host directory', () => {
  assert.equal(rewritten('/qdrant/storage'), '/H/storage');
  assert.equal(rewritten('/qdrant-librarian/peers/founder'), '/H/peers/founder');
});

test('the longest mount path wins', () => {
  assert.equal(rewritten('/qdrant/storage/x:/qdrant/config'), '/H/storage/x:/H/root/config');
});

test('paths that only begin with the same letters are left alone', () => {
  const texts = [
    '/qdrant-other',
    '/qdrants',
    '/qdrant.yaml',
    '/srv/qdrant',
    'http://host/qdrant',
    './qdrant --x',
    'qdrant/qdrant',
  ];
  for (const text of texts) assert.equal(rewritten(text), text);
});

test('paths inside a shell script are found at every boundary', () => {
  const script =
    'f=$(cat "/qdrant-librarian/peers/founder"); [ -e /qdrant/storage ] && exec ./qdrant --dir=/qdrant/storage;';
  const expected = 'f=$(cat "/H/peers/founder"); [ -e /H/storage ] && exec ./qdrant --dir=/H/storage;';
  assert.equal(rewritten(script), expected);
});

test('text in which no mount path stands is never changed', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('/', 'q', '-', 'x', '.', ' ', ':') }), (text) => {
      assert.equal(rewritten(text), text);
    }),
  );
});

test('a container path has the host path of the mount that holds it', () => {
  assert.equal(hostPathOf('/qdrant/storage/raft', mappings), '/H/storage/raft');
  assert.equal(hostPathOf('/qdrant', mappings), '/H/root');
  assert.equal(hostPathOf('/etc', mappings), undefined);
});
