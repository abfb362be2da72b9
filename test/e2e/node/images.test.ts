import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../../e2e/grounds/node/command.ts';
import { layOut } from '../../../e2e/grounds/node/image-archive.ts';
import { cachedLayer, writeLayer } from '../../../e2e/grounds/node/layer.ts';

/** Grounds of this kind are for Linux. */
const linux = { skip: process.platform !== 'linux' };

const folder = await mkdtemp(join(tmpdir(), 'images-test-'));
after(() => rm(folder, { recursive: true }));

const from = join(folder, 'from');
await mkdir(join(from, 'src'), { recursive: true });
await writeFile(join(from, 'src/main.ts'), 'main', { mode: 0o600 });
await symlink('main.ts', join(from, 'src/link'));
await writeFile(join(from, 'node-of-this-machine'), 'node', { mode: 0o700 });

const parts = [
  { from, paths: ['src'], to: 'app/' },
  { from, paths: ['node-of-this-machine'], to: 'nodejs/bin/node', renamed: true },
];

test('a layer holds files under their names in the image, for everyone to read', linux, async () => {
  const { file } = await writeLayer(join(folder, 'one.tar'), parts);
  const listed = (await command('tar', ['--list', '--verbose', `--file=${file}`])).trim().split('\n');
  const entries = listed
    .map((line) => line.split(/\s+/))
    .map(([mode, owner, , , , ...name]) => [mode, owner, name.join(' ')]);
  assert.deepEqual(entries, [
    ['drwxr-xr-x', '0/0', 'app/src/'],
    ['lrwxrwxrwx', '0/0', 'app/src/link -> main.ts'],
    ['-rw-r--r--', '0/0', 'app/src/main.ts'],
    ['-rwxr-xr-x', '0/0', 'nodejs/bin/node'],
  ]);
});

test('equal content is an equal layer', linux, async () => {
  const [one, two] = [
    await writeLayer(join(folder, 'one.tar'), parts),
    await writeLayer(join(folder, 'two.tar'), parts),
  ];
  assert.equal(one.digest, two.digest);
  assert.equal(
    one.digest,
    createHash('sha256')
      .update(await readFile(one.file))
      .digest('hex'),
  );
});

test('images that share a layer have it once between them', linux, async () => {
  const layer = await writeLayer(join(folder, 'one.tar'), parts);
  const out = join(folder, 'out');
  await layOut(out, [
    { name: 'localhost/one:1', layers: [layer], config: { User: '1' } },
    { name: 'localhost/two:1', layers: [layer], config: { User: '2' } },
  ]);
  type Manifest = { readonly Config: string; readonly RepoTags: string[]; readonly Layers: string[] };
  const manifest = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')) as Manifest[];
  assert.deepEqual(
    manifest.map(({ RepoTags }) => RepoTags),
    [['localhost/one:1'], ['localhost/two:1']],
  );
  assert.deepEqual(
    manifest.flatMap(({ Layers }) => Layers),
    [`${layer.digest}.tar`, `${layer.digest}.tar`],
  );
  assert.equal((await readdir(out)).length, 4, 'two configurations, one layer, the manifest');
});

test('a layer in the cache is made again only when what it depends on has changed', linux, async (context) => {
  const before = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
  context.after(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
  });
  let made = 0;
  const layer = (key: string) =>
    cachedLayer('some', [key], async (file) => {
      made += 1;
      await writeFile(file, key);
    });
  const [first, second, third] = [await layer('a'), await layer('a'), await layer('b')];
  assert.deepEqual([made, first], [2, second]);
  assert.notEqual(first.digest, third.digest);
  await assert.rejects(
    cachedLayer('some', ['c'], () => Promise.reject(new Error('no room'))),
    /no room/,
  );
  await assert.rejects(
    cachedLayer('some', ['c'], () => Promise.reject(new Error('still none'))),
    /still none/,
  );
});
