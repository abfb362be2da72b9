import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkDocument } from '../../src/vectorize/chunk.ts';
import { cut, documentOf, words } from './cutting.ts';

const body = (indent: string, line: string, count: number): string => `${indent}${line}\n`.repeat(count);

test('a definition is kept whole with the comment above it', () => {
  const one = `/** Says one. */\nexport function one(): string {\n${body('  ', "say('one');", 6)}}\n`;
  const two = `// two\n// lines\nconst two = () => {\n${body('  ', "say('two');", 6)}};\n`;
  const chunks = cut('a.ts', `import { say } from './say.ts';\n\n${one}\n${two}`, { maxTokens: 80 });
  assert.deepEqual(
    chunks.map(({ address, text }) => [address, text]),
    [
      ['_', "import { say } from './say.ts';"],
      ['one', one.trim()],
      ['two', two.trim()],
    ],
  );
  assert.deepEqual(chunks[1]?.metadata, { kind: 'code', language: 'typescript', syntax: 'Whole', lines: [3, 11] });
});

test('small neighbours are merged', () => {
  const source = Array.from({ length: 6 }, (_, at) => `export const value${at} = ${at};`).join('\n');
  assert.deepEqual(
    cut('a.js', source).map(({ text }) => text),
    [source],
  );
});

const METHODS: readonly { path: string; source: string; enclosing: string; address: string }[] = [
  {
    path: 'a.ts',
    source: `export class Box<T> extends Thing {\n  first() {\n${body('    ', 'call(one);', 8)}  }\n\n  async second(value: T) {\n${body('    ', 'call(two);', 8)}  }\n}\n`,
    enclosing: 'export class Box<T> extends Thing',
    address: 'Box/second',
  },
  {
    path: 'a.tsx',
    source: `export const Box = (props: Props) => {\n  function first() {\n${body('    ', 'call(one);', 8)}  }\n  function second() {\n${body('    ', 'call(two);', 8)}  }\n  return <a>{first()}</a>;\n};\n`,
    enclosing: 'export const Box = (props: Props)',
    address: 'Box/second',
  },
  {
    path: 'a.py',
    source: `@once\nclass Box(Thing):\n    def first(self):\n${body('        ', 'call(one)', 12)}\n    def second(self):\n${body('        ', 'call(two)', 12)}`,
    enclosing: '@once class Box(Thing)',
    address: 'Box/second',
  },
  {
    path: 'A.java',
    source: `class Box {\n  void first() {\n${body('    ', 'call(one);', 8)}  }\n  void second() {\n${body('    ', 'call(two);', 8)}  }\n}\n`,
    enclosing: 'class Box',
    address: 'Box/second',
  },
  {
    path: 'a.rs',
    source: `impl Thing for Box {\n  fn first() {\n${body('    ', 'call(one);', 8)}  }\n  fn second() {\n${body('    ', 'call(two);', 8)}  }\n}\n`,
    enclosing: 'impl Thing for Box',
    address: 'Box/second',
  },
  {
    path: 'a.cpp',
    source: `class Box {\n  void first() {\n${body('    ', 'call(one);', 8)}  }\n  void second() {\n${body('    ', 'call(two);', 8)}  }\n};\n`,
    enclosing: 'class Box',
    address: 'Box/second',
  },
];

for (const { path, source, enclosing, address } of METHODS) {
  test(`${path}: a class over the budget is cut between its methods, and each part is told the class`, () => {
    const chunks = cut(path, source, { maxTokens: 88 });
    const second = chunks.find((chunk) => chunk.address === address);
    assert.ok(
      second?.text.startsWith(`${enclosing}\n\n`) === true,
      chunks.map(({ address: at, text }) => `${at}: ${text}`).join('\n\n'),
    );
    assert.deepEqual(second?.metadata['enclosing'], [enclosing]);
    assert.ok(chunks.length <= 3);
  });
}

const FUNCTIONS = {
  'a.go': `package a\n\nfunc (b *Box) First() error {\n${body('\t', 'call(one)', 16)}}\n\nfunc Second() {\n${body('\t', 'call(two)', 16)}}\n`,
  'a.sh': `#!/bin/sh\nset -e\n\nFirst() {\n${body('  ', 'call one two', 20)}}\n\nSecond() {\n${body('  ', 'call one two', 20)}}\n`,
};

for (const [path, source] of Object.entries(FUNCTIONS)) {
  test(`${path}: functions are chunks of their own`, () => {
    const addresses = cut(path, source, { maxTokens: 96 }).map(({ address }) => address);
    assert.deepEqual(addresses, ['_', 'First', 'Second']);
  });
}

test('a function over the budget is cut between its statements, and each part is told the signature', () => {
  const source = `function long(first: string) {\n${body('  ', 'call(first, second);', 40)}}\n`;
  const chunks = cut('a.ts', source);
  assert.ok(chunks.length > 3);
  for (const { text } of chunks.slice(1)) assert.match(text, /^function long\(first: string\)\n\n {2}call\(/);
});

test('code with errors is cut all the same, and says so', () => {
  const chunks = cut('a.ts', `function one() {\n${body('  ', 'call(', 60)}\nclass {{{ "`);
  assert.equal(chunks[0]?.metadata['syntax'], 'Broken');
});

test('code without a grammar is cut by lines, and says so', () => {
  const options = { strategy: 'Code', maxTokens: 16, overlapTokens: 0 } as const;
  const chunks = chunkDocument(documentOf('a.ts', body('', 'call(one);', 8)), options, { tokenizer: words });
  assert.equal(chunks[0]?.metadata['syntax'], 'None');
  for (const { text } of chunks) assert.match(text, /^(call\(one\);\n?)+$/);
});
