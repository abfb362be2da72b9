import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut } from './cutting.ts';

const told = (path: string, text: string, maxTokens = 64) =>
  cut(path, text, { maxTokens }).map((chunk) => [chunk.address, chunk.text]);

test('YAML is cut between top-level keys, with the comments above them', () => {
  const image = `# which image\nimage:\n${'  # a comment\n  name: thing\n'.repeat(5)}`;
  const env = `env:\n${'  - name: A\n    value: "b: c"\n'.repeat(4)}`;
  assert.deepEqual(told('values.yaml', `replicas: 1\n\n${image}\n${env}`), [
    ['replicas', 'replicas: 1'],
    ['image', image.trim()],
    ['env', env.trim()],
  ]);
});

test('a key over the budget is cut between the keys inside it, and each part is told the keys around it', () => {
  const inner = (name: string) => `    ${name}:\n${'      - one two three\n'.repeat(8)}`;
  const chunks = told('a.yml', `spec:\n  inner:\n${inner('first')}${inner('second')}`);
  assert.deepEqual(
    chunks.map(([address]) => address),
    ['spec/inner/first', 'spec/inner/second'],
  );
  assert.match(chunks[1]?.[1] ?? '', /^spec > inner\n\n {4}second:\n/);
});

test('JSON is cut between members, whatever strings and comments hold', () => {
  const list = (name: string) => `  "${name}": [\n${'    "}, [\\" {",\n'.repeat(4)}    1\n  ]`;
  assert.deepEqual(told('a.jsonc', `{\n  // first {\n${list('one')},\n${list('two')}\n}\n`, 80), [
    ['one', `{\n  // first {\n${list('one')},`],
    ['two', `${list('two')}\n}`],
  ]);
});

test('a member over the budget is cut inside, and each part is told the members around it', () => {
  const chunks = told('a.json', JSON.stringify({ a: { b: Array.from({ length: 90 }, (_, at) => at) } }), 64);
  assert.ok(chunks.length > 2);
  for (const [, text] of chunks.slice(1)) assert.match(text ?? '', /^a > b\n\n\d+,/);
});

test('SQL is cut between statements, whatever quotes, comments and bodies hold', () => {
  const table = `-- all; orders\nCREATE TABLE IF NOT EXISTS "shop"."orders" (\n${"  a text DEFAULT ';',\n".repeat(5)}  b int\n);`;
  const body = `CREATE OR REPLACE FUNCTION f() RETURNS void AS $body$\n${'BEGIN; END;\n'.repeat(8)}$body$ LANGUAGE sql;`;
  assert.deepEqual(told('schema.sql', `SET x = 1;\n\n${table}\n\n${body}\n`, 80), [
    ['_', 'SET x = 1;'],
    ['table:shop.orders', table],
    ['function:f', body],
  ]);
});

test('a table over the budget is cut by lines, and each part is told which table', () => {
  const chunks = told('a.sql', `create table t (\n${'  column_name text not null,\n'.repeat(30)}  z int\n);`, 64);
  assert.ok(chunks.length > 3);
  for (const [, text] of chunks.slice(1, -1)) assert.match(text ?? '', /^create table t\n\n {2}/);
});

test('text is cut between paragraphs, then sentences, then words', () => {
  const paragraph = (word: string) => `${word} ${'says so. '.repeat(8)}`.trim();
  assert.deepEqual(
    told('a.txt', `${paragraph('One')}\n\n${paragraph('Two')}\n`, 48).map(([, text]) => text),
    [paragraph('One'), paragraph('Two')],
  );
  const sentences = told('a.txt', 'One two three. Four five six! 七八九。'.repeat(6), 16).map(([, text]) => text ?? '');
  for (const text of sentences.slice(0, -1)) assert.match(text, /[.!。]$/);
  for (const [, text] of told('a.txt', 'word '.repeat(100), 16)) assert.match(text ?? '', /^(word ?)+$/);
});

test('an edit of one paragraph leaves what begins at later anchors', () => {
  const paragraphs = Array.from({ length: 200 }, (_, at) => `Paragraph ${at} says a few words of its own.`);
  const of = (all: readonly string[]) => new Set(cut('a.txt', all.join('\n\n')).map(({ id, hash }) => `${id} ${hash}`));
  const before = of(paragraphs);
  const after = of(paragraphs.with(100, 'Changed. And longer than it was, by far more than one word or two.'));
  const kept = [...before].filter((chunk) => after.has(chunk)).length;
  assert.ok(kept > 0.8 * before.size, `${kept} of ${before.size} kept`);
});
