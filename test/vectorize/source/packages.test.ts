import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageOf, packagesOfLock, packageText } from '../../../src/vectorize/source/manifest.ts';
import { packagesSource } from '../../../src/vectorize/source/packages.ts';
import { selectionOf } from '../../../src/vectorize/source/selection.ts';
import { directory, listed, never, textOf } from './files.ts';

const manifest = (name: string, version: string, more: object = {}): string =>
  JSON.stringify({ name, version, ...more });

test('each package is one document, however often it is installed', async (t) => {
  const root = directory(t, {
    'package.json': manifest('app', '1.0.0', { private: true }),
    'node_modules/a/package.json': manifest('a', '2.0.0', { license: 'MIT', dependencies: { b: '^1' } }),
    'node_modules/b/package.json': manifest('b', '1.1.0'),
    'node_modules/c/node_modules/b/package.json': manifest('b', '1.1.0'),
    'node_modules/a/esm/package.json': '{"type":"module"}',
    'node_modules/a/readme.md': '# no manifest',
  });
  const source = packagesSource({ root, selection: selectionOf([], []) });
  const { paths, end } = await listed(source);
  assert.deepEqual(paths, ['a@2.0.0', 'app@1.0.0', 'b@1.1.0']);
  assert.equal(end.complete, true);
  assert.equal(await textOf(source, 'a@2.0.0'), '# a 2.0.0\n\nLicence: MIT.\n\nDependencies: b ^1.');
});

test('its name, version, licence and dependencies can be filtered by', async (t) => {
  const root = directory(t, { 'package.json': manifest('a', '2.0.0', { license: 'MIT', dependencies: { b: '^1' } }) });
  const listing = await packagesSource({ root, selection: selectionOf([], []) }).list(never);
  for await (const { content } of listing.entries) {
    const payload = { kind: 'package', name: 'a', version: '2.0.0', licence: 'MIT', dependencies: ['b'] };
    assert.deepEqual(content?.payload, payload);
  }
});

test('what only a lock file tells of is a document too', async (t) => {
  const lock = {
    lockfileVersion: 3,
    packages: {
      '': { name: 'app', version: '1.0.0' },
      'node_modules/@s/x': { version: '3.0.0', license: 'ISC', dependencies: { y: '~2' } },
      'node_modules/linked': { resolved: 'packages/linked', link: true },
      'node_modules/a/node_modules/y': { version: '2.4.0' },
    },
  };
  assert.deepEqual(
    packagesOfLock(lock).map(({ name, version }) => `${name}@${version}`),
    ['@s/x@3.0.0', 'y@2.4.0'],
  );
  const root = directory(t, { 'package-lock.json': JSON.stringify(lock), 'node_modules/y/package.json': '{"a":1}' });
  const { paths } = await listed(packagesSource({ root, selection: selectionOf([], []) }));
  assert.deepEqual(paths, ['@s/x@3.0.0', 'y@2.4.0']);
});

test('a manifest that is no JSON is a failure of its own', async (t) => {
  const root = directory(t, { 'package.json': '{', 'x/package.json': manifest('x', '1.0.0') });
  const listing = await packagesSource({ root, selection: selectionOf([], []) }).list(never);
  const failures: string[] = [];
  for await (const { failure } of listing.entries) if (failure !== undefined) failures.push(failure.message);
  assert.deepEqual(failures, ['package.json is not JSON']);
  assert.equal(listing.end().complete, true);
});

test('fields of other types than npm has are as good as none', () => {
  assert.equal(packageOf(['a']), undefined);
  assert.equal(packageOf({ name: 7, version: '1' }), undefined);
  const odd = packageOf({ name: 'a', version: '1', license: { type: 'BSD' }, keywords: 'x', dependencies: ['b'] });
  assert.deepEqual(odd, { name: 'a', version: '1', licence: 'BSD', keywords: [], dependencies: [] });
  assert.equal(odd === undefined ? '' : packageText(odd), '# a 1\n\nLicence: BSD.');
});
