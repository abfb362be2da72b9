import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { NEEDS } from '../../e2e/needs.ts';

test('the page on testing names every need, in the words of the code', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/testing.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, need, text]) => [need, text]);
  const inCode = Object.entries(NEEDS).map(([need, text]) => [need, text]);
  const inPage = rows.filter(([need]) => need !== undefined && need in NEEDS);
  assert.deepEqual(inPage, inCode);
});
