import assert from 'node:assert/strict';
import { test } from 'node:test';
import { volumeContent } from '../../../sandbox/node/volume-content.ts';
import type { Volume } from '../../../sandbox/node/wire.ts';
import { place, podOf, referencesOf } from './pods.ts';

const references = referencesOf({ settings: { a: '1', b: '2' } }, { keys: { key: 'sesame' } });
const pod = podOf('web', { containers: [{ name: 'main' }] });

const contentOf = (volume: Omit<Volume, 'name'>): Record<string, string> | string | undefined => {
  const content = volumeContent({ name: 'v', ...volume }, { pod, place, references });
  if (content === undefined) return undefined;
  if (!content.ok) return content.message;
  return Object.fromEntries([...content.files].map(([path, file]) => [path, Buffer.from(file.content).toString()]));
};

test('a ConfigMap or Secret becomes one file a key, or the items that are named', () => {
  assert.deepEqual(contentOf({ configMap: { name: 'settings' } }), { a: '1', b: '2' });
  assert.deepEqual(contentOf({ secret: { secretName: 'keys', items: [{ key: 'key', path: 'x/y' }] } }), {
    'x/y': 'sesame',
  });
});

test('projected sources share one directory', () => {
  const sources = [
    { configMap: { name: 'settings', items: [{ key: 'a', path: 'a' }] } },
    { secret: { name: 'keys' } },
    { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  ];
  assert.deepEqual(contentOf({ projected: { sources } }), { a: '1', key: 'sesame', labels: 'app="web"' });
});

test('what is missing is named, unless it is optional', () => {
  assert.equal(contentOf({ configMap: { name: 'gone' } }), 'configmap "gone" not found');
  assert.deepEqual(contentOf({ configMap: { name: 'gone', optional: true } }), {});
  const items = [{ key: 'nope', path: 'nope' }];
  assert.equal(contentOf({ secret: { secretName: 'keys', items } }), 'references non-existent secret key: nope');
});

test('a projected token is asked for, with the default time', () => {
  const projected = { sources: [{ serviceAccountToken: { path: 'token' } }] };
  const content = volumeContent({ name: 'v', projected }, { pod, place, references });
  assert.deepEqual(content?.ok === true && content.tokens, [{ path: 'token', expirationSeconds: 3600 }]);
});

test("volumes that are the container's own have no content", () => {
  assert.equal(contentOf({ emptyDir: {} }), undefined);
});
