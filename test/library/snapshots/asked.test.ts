import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Asked, leftFiles } from '../../../src/library/snapshots/asked.ts';

const file = (second: number, shard = 0): string =>
  `docs--g1-shard-${shard}-2026-01-31-02-00-${String(second).padStart(2, '0')}.snapshot`;
const asked = (change: Partial<Asked> = {}): Asked => ({
  peer: 'main-0',
  shard: 0,
  collection: 'docs--g1',
  before: [file(1)],
  files: [],
  open: 0,
  ...change,
});

test('what a worker before has made is left, what lay there before or is a part is not', () => {
  const listed = [file(1), file(2), file(3)];
  assert.deepEqual(leftFiles({ asked: asked({ files: [file(2), file(3)] }), listed, kept: [file(3)] }), [file(2)]);
});

test('a file that nobody heard of is taken for the one whose answer is missing', () => {
  const listed = [file(1), file(2)];
  assert.deepEqual(leftFiles({ asked: asked({ open: 1 }), listed, kept: [] }), [file(2)]);
  assert.deepEqual(leftFiles({ asked: asked({ open: 0 }), listed, kept: [] }), [], 'no answer is missing');
  const { open: _open, files: _files, ...old } = asked();
  assert.deepEqual(leftFiles({ asked: old, listed, kept: [] }), [file(2)], 'as earlier versions wrote it down');
});

test('of more new files than answers are missing none is touched: one may be that of a move', () => {
  const listed = [file(1), file(2), file(3)];
  assert.deepEqual(leftFiles({ asked: asked({ open: 1 }), listed, kept: [] }), []);
  assert.deepEqual(leftFiles({ asked: asked({ open: 1, files: [file(3)] }), listed, kept: [] }), [file(2), file(3)]);
});

test('files of other shards, of other collections and of other forms are never touched', () => {
  const listed = [file(4, 1), file(5).replace('docs', 'notes'), 'backup.snapshot', `${file(6)}.old`];
  assert.deepEqual(leftFiles({ asked: asked({ open: 9, files: listed }), listed, kept: [] }), []);
});

test('whatever was asked for, nothing that others are known to have made is ever deleted', () => {
  const seconds = fc.uniqueArray(fc.integer({ min: 2, max: 59 }), { maxLength: 8 });
  fc.assert(
    fc.property(seconds, seconds, fc.integer({ min: 0, max: 3 }), (own, others, open) => {
      const theirs = others.filter((second) => !own.includes(second)).map((second) => file(second));
      const entry = asked({ files: own.map((second) => file(second)), open });
      const left = leftFiles({ asked: entry, listed: [file(1), ...(entry.files ?? []), ...theirs], kept: [] });
      assert.ok(theirs.length <= open || theirs.every((name) => !left.includes(name)));
      assert.ok(!left.includes(file(1)));
    }),
  );
});
