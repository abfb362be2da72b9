import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { code, dependencies, documentation } from '../../../sandbox/run/corpus.ts';

async function withFiles(files: Record<string, string>, body: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'corpus-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, path), text);
    }
    await body(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

const long = 'word '.repeat(40);

test('Markdown is cut at headings, with path, package and heading in the payload', async () => {
  await withFiles({ '@scope/tool/README.md': `# Tool\n${long}\n## Install\n${long}` }, async (root) => {
    const passages = await documentation(root, 10);
    assert.deepEqual(
      passages.map(({ payload }) => payload),
      [
        { path: '@scope/tool/README.md', package: '@scope/tool', heading: 'Tool' },
        { path: '@scope/tool/README.md', package: '@scope/tool', heading: 'Install' },
      ],
    );
    assert.match(passages[0]?.id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(await documentation(root, 10), passages, 'ids are the same each time');
  });
});

test('sources are cut at top-level declarations', async () => {
  const body = `  ${'x += 1;'.repeat(30)}`;
  await withFiles({ 'tool/lib/a.js': `function one() {\n${body}\n}\nfunction two() {\n${body}\n}` }, async (root) => {
    assert.equal((await code(root, 10)).length, 2);
    assert.equal((await code(root, 1)).length, 1);
  });
});

test('manifests give name and version; broken ones are passed over', async () => {
  await withFiles(
    {
      'tool/package.json': '{"name":"tool","version":"1.2.3","description":"does it","license":"MIT"}',
      'tool/test/package.json': '{',
    },
    async (root) => {
      const [only, ...others] = await dependencies(root, 10);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [only?.payload['package'], only?.payload['version'], only?.payload['license']],
        ['tool', '1.2.3', 'MIT'],
      );
    },
  );
});
