import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { generatedFiles } from '../../scripts/generate/files.ts';

const root = new URL('../../', import.meta.url);

test('committed files are those that src/api gives', async () => {
  for (const [path, text] of generatedFiles()) {
    assert.equal(await readFile(new URL(path, root), 'utf8'), text, `${path}: run npm run generate`);
  }
});
