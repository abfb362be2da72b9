import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { embed } from '../../../sandbox/embedder/hashing.ts';

const dot = (a: number[], b: number[]) => a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

test('a text with a word gives a unit vector of the asked size, the same each time', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.integer({ min: 8, max: 512 }), (text, dimensions) => {
      const vector = embed(`word ${text}`, dimensions);
      assert.equal(vector.length, dimensions);
      assert.deepEqual(vector, embed(`word ${text}`, dimensions));
      const norm = dot(vector, vector);
      assert.ok(Math.abs(norm - 1) < 1e-9 || norm === 0);
    }),
  );
});

test('texts that share words are nearer than texts that share none', () => {
  const question = embed('how to watch resources with bookmarks', 256);
  const near = embed('Watch resources: bookmarks keep the resource version fresh', 256);
  const far = embed('MIT License, copyright the authors', 256);
  assert.ok(dot(question, near) > dot(question, far) + 0.1);
});

test('function words, camel case and endings make no difference', () => {
  assert.deepEqual(embed('parseWatchedEntry', 64), embed('What parses the watched entries?', 64));
  assert.notDeepEqual(embed('who is it', 64), new Array(64).fill(0), 'there are no others');
});

test('a text without a word gives the zero vector', () => {
  assert.deepEqual(embed(' -- !', 4), [0, 0, 0, 0]);
});
