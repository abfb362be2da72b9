import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circles } from './circles.ts';

const source = (path: string, ...imports: string[]) => ({ path, lines: 1, imports, loads: [] });

test('a circle is found whatever its length, and shown once', () => {
  assert.deepEqual(circles([source('a', 'b'), source('b', 'c', 'node:fs'), source('c', 'a'), source('d', 'a')]), [
    'a -> b -> c -> a',
  ]);
  assert.deepEqual(circles([source('a', 'a')]), ['a -> a']);
});

test('two ways to the same file are no circle', () => {
  assert.deepEqual(circles([source('a', 'b', 'c'), source('b', 'd'), source('c', 'd'), source('d')]), []);
});
