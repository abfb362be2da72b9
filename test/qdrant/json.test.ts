import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Double, type Json, parseJson, stringifyJson } from '../../src/qdrant/index.ts';
import { json } from './support/arbitraries.ts';

test('integers beyond 2^53 survive in both directions', () => {
  const text = '{"id":18446744073709551615,"low":-9223372036854775808,"list":[9007199254740993]}';
  assert.deepEqual(parseJson(text), {
    id: 18446744073709551615n,
    low: -9223372036854775808n,
    list: [9007199254740993n],
  });
  assert.equal(stringifyJson(parseJson(text)), text);
});

test('digits in a text stay a text', () => {
  assert.deepEqual(parseJson('{"isbn":"[18446744073709551615]","n":1}'), { isbn: '[18446744073709551615]', n: 1 });
});

test('an integral float stays a float where that was asked for', () => {
  const parsed = parseJson('{"a":1.0,"b":1,"c":1e3,"d":-0.0,"e":1e20,"f":0.5}', { doubles: true });
  assert.deepEqual(parsed, {
    a: new Double(1),
    b: 1,
    c: new Double(1000),
    d: new Double(-0),
    e: new Double(1e20),
    f: 0.5,
  });
  assert.equal(stringifyJson(parsed), '{"a":1.0,"b":1,"c":1000.0,"d":-0.0,"e":100000000000000000000.0,"f":0.5}');
});

test('without asking, floats are plain numbers', () => {
  assert.deepEqual(parseJson('[1.0,18446744073709551615]'), [1, 18446744073709551615n]);
});

test('a Double is a number in arithmetic', () => {
  assert.equal(Number(new Double(2)) + 1, 3);
});

test('any JSON is the same after writing and reading it', () => {
  fc.assert(
    fc.property(json, (value: Json) => {
      assert.deepEqual(parseJson(stringifyJson(value), { doubles: true }), value);
    }),
  );
});
