import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gatherDocuments } from '../../../sandbox/run/documents.ts';

test('guides, sources and manifests are copied with their paths, and the table of media types becomes sections', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'documents-'));
  const modules = join(directory, 'modules');
  const files = {
    'apple/package.json': JSON.stringify({
      name: 'apple',
      version: '1.0.0',
      license: 'MIT',
      dependencies: { seed: '1' },
    }),
    'apple/README.md': '# Apple',
    'apple/CHANGELOG.md': '# 1.0.0',
    'apple/docs/api/peel.md': '# Peel',
    'apple/lib/core.js': 'export const core = 1;',
    'apple/dist/bundle.js': 'not a source',
    'apple/node_modules/seed/package.json': JSON.stringify({ name: 'seed', version: '2.0.0' }),
    '@tree/pear/package.json': JSON.stringify({ name: '@tree/pear', version: '3.0.0' }),
    '@tree/pear/src/pear.ts': 'export const pear = 1;',
    'mime-db/db.json': JSON.stringify({
      'image/png': { source: 'iana', compressible: false, extensions: ['png'] },
      'image/x-none': { source: 'apache' },
      'text/markdown': { extensions: ['md', 'markdown'] },
    }),
  };
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(modules, path)), { recursive: true });
      await writeFile(join(modules, path), text);
    }
    const counts = await gatherDocuments(modules, join(directory, 'texts'));
    assert.deepEqual(Object.fromEntries(counts), { documentation: 2, code: 2, dependencies: 3, analytics: 2 });
    const read = (path: string) => readFile(join(directory, 'texts', path), 'utf8');
    assert.equal(await read('documentation/apple/README.md'), '# Apple');
    assert.equal(await read('documentation/apple/docs/api/peel.md'), '# Peel');
    assert.equal(await read('code/@tree/pear/src/pear.ts'), files['@tree/pear/src/pear.ts']);
    assert.equal(
      await read('analytics/image.md'),
      '# image/png\n\nMedia type of files with the extension png. Kind: image. Registered by: iana. Compressible: no.',
    );
    assert.match(await read('analytics/text.md'), /extension md, markdown\. Kind: text\.$/);
  } finally {
    await rm(directory, { recursive: true });
  }
});
