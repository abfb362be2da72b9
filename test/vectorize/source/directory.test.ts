import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { directorySource } from '../../../src/vectorize/source/directory.ts';
import { type OpenFile, untilStable, wholeFile } from '../../../src/vectorize/source/read-file.ts';
import { selectionOf } from '../../../src/vectorize/source/selection.ts';
import { directory, listed, MEGABYTE, never, put, textOf } from './files.ts';

const everything = selectionOf([], []);
const source = (root: string, selection = everything) => directorySource({ root, selection });

test('lists what include and exclude leave, in the order of names', async (t) => {
  const root = directory(t, { 'b.md': '', 'a/z.md': '', 'a/c.txt': '', 'a/drafts/d.md': '', '.git/config': '' });
  assert.deepEqual((await listed(source(root))).paths, ['a/c.txt', 'a/drafts/d.md', 'a/z.md', 'b.md']);
  const some = source(root, selectionOf(['**/*.md'], ['**/drafts/**']));
  assert.deepEqual(await listed(some), { paths: ['a/z.md', 'b.md'], end: { complete: true, problems: [] } });
});

test('a directory inside it can be the source', async (t) => {
  const root = directory(t, { 'docs/a.md': 'A', 'b.md': '' });
  const inside = directorySource({ root, below: 'docs', selection: everything });
  assert.deepEqual((await listed(inside)).paths, ['a.md']);
  assert.equal(await textOf(inside, 'a.md'), 'A');
});

test('what is excluded as a whole is not even looked into', () => {
  const { prunes } = selectionOf([], ['**/node_modules/**', 'dist/*.js']);
  assert.deepEqual(['node_modules', 'a/node_modules', 'dist', 'src'].map(prunes), [true, true, false, false]);
});

test('what lies too deep to be listed makes the listing incomplete', async (t) => {
  const { paths, end } = await listed(source(directory(t, { [`${'d/'.repeat(70)}a.md`]: '', 'b.md': '' })));
  assert.deepEqual(paths, ['b.md']);
  assert.equal(end.complete, false);
  assert.match(end.problems[0] ?? '', /deeper than 64 directories$/);
});

test('links are followed inside the root, and neither out of it nor in circles', async (t) => {
  const outside = directory(t, { 'secret.md': 'secret' });
  const root = directory(t, { 'store/x/a.md': 'A' });
  symlinkSync(join(root, 'store/x'), join(root, 'x'));
  symlinkSync(outside, join(root, 'out'));
  symlinkSync(join(outside, 'secret.md'), join(root, 'out.md'));
  symlinkSync('..', join(root, 'store/x/up'));
  symlinkSync('nowhere', join(root, 'dangling'));
  const { paths, end } = await listed(source(root));
  assert.ok(paths.includes('x/a.md') && paths.includes('store/x/a.md'));
  assert.ok(!paths.some((path) => path.includes('out') || path.includes('dangling')));
  assert.equal(end.complete, true);
});

test('a file that becomes a link out of the root after it was listed is not read', async (t) => {
  const outside = directory(t, { 'secret.md': 'secret' });
  const root = directory(t, { 'a.md': 'A' });
  const files = source(root);
  unlinkSync(join(root, 'a.md'));
  symlinkSync(join(outside, 'secret.md'), join(root, 'a.md'));
  const read = files.read({ path: 'a.md' }, { maxBytes: MEGABYTE, signal: never });
  await assert.rejects(read, { reason: 'Unreadable', message: 'a.md leads out of the source' });
});

test('a mounted ConfigMap is its keys', async (t) => {
  const root = directory(t, { '..2026_11_21/a.md': 'A', '..2026_11_21/b.md': 'B' });
  symlinkSync('..2026_11_21', join(root, '..data'));
  for (const name of ['a.md', 'b.md']) symlinkSync(join('..data', name), join(root, name));
  const files = source(root);
  assert.deepEqual((await listed(files)).paths, ['a.md', 'b.md']);
  assert.equal(await textOf(files, 'b.md'), 'B');
});

test('ten thousand files are listed', async (t) => {
  const root = directory(t);
  for (let folder = 0; folder < 100; folder += 1) {
    mkdirSync(join(root, `node_modules/p${folder}`), { recursive: true });
    for (let file = 0; file < 101; file += 1) writeFileSync(join(root, `node_modules/p${folder}/${file}.js`), 'x');
  }
  const listing = await source(root, selectionOf(['node_modules/**/*.js'], [])).list(never);
  assert.equal(listing.total, 10_100);
});

test('a root that is not there, or is no directory, fails the source', async (t) => {
  await assert.rejects(source('/nowhere/at/all').list(never), { reason: 'SourceMissing', message: /ENOENT/ });
  const root = directory(t, { 'a.md': '' });
  await assert.rejects(source(join(root, 'a.md')).list(never), { reason: 'SourceMissing', message: /no directory/ });
});

test('a file that is too large, vanishes, or is none any more is named with the rule', async (t) => {
  const root = directory(t, { 'large.md': 'x'.repeat(100), 'gone.md': '', 'pipe.md': '' });
  const files = source(root);
  rmSync(join(root, 'gone.md'));
  rmSync(join(root, 'pipe.md'));
  mkdirSync(join(root, 'pipe.md'));
  const read = (path: string) => files.read({ path }, { maxBytes: 99, signal: never });
  await assert.rejects(read('large.md'), { reason: 'TooLarge', message: 'large.md has 100 bytes, more than 99' });
  await assert.rejects(read('gone.md'), { reason: 'Vanished' });
  await assert.rejects(read('pipe.md'), { reason: 'Unreadable' });
});

/** An open file that somebody appends to `growing` times while it is read. */
function growingFile(growing: number): () => OpenFile {
  let size = 4;
  return () => ({
    stat: (async () => ({ size, mtimeMs: 0, isFile: () => true })) as unknown as OpenFile['stat'],
    read: (async (buffer: Buffer, offset: number, length: number, position: number) => {
      if (growing > 0 && position === 0) {
        growing -= 1;
        size += 1;
      }
      const bytesRead = Math.max(0, Math.min(length, size - position));
      buffer.fill('x', offset, offset + bytesRead);
      return { bytesRead, buffer };
    }) as unknown as OpenFile['read'],
  });
}

test('a file that changes while it is read is read again until it rests', async () => {
  const twice = growingFile(2);
  const bytes = await untilStable(() => wholeFile(twice(), 'log.md', 99), never, [0, 0]);
  assert.equal(Buffer.from(bytes).toString(), 'xxxxxx');
  const ever = growingFile(99);
  const read = untilStable(() => wholeFile(ever(), 'log.md', 99), never, [0, 0]);
  await assert.rejects(read, { reason: 'Changing', message: 'log.md was written to while it was read' });
});

test('a file that is back in a moment is no failure', async (t) => {
  const root = directory(t, { 'a.md': 'old' });
  rmSync(join(root, 'a.md'));
  setTimeout(() => put(root, 'a.md', 'new'), 30);
  const content = await source(root).read({ path: 'a.md' }, { maxBytes: MEGABYTE, signal: never });
  assert.equal(Buffer.from(content?.bytes ?? []).toString(), 'new');
});
