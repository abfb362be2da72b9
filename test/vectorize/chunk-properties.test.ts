import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Chunk, chunkDocument, type Strategy } from '../../src/vectorize/chunk.ts';
import { cut, documentOf, rangeText, tools, words } from './cutting.ts';

const PATHS = ['a.md', 'a.ts', 'a.tsx', 'a.js', 'a.py', 'a.go', 'a.sh', 'a.yaml', 'a.json', 'a.sql', 'a.txt'];
const STRATEGIES: readonly Strategy[] = ['Markdown', 'Code', 'Tasks', 'Text'];

/** What the parsers look for, and what breaks them. */
const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      '\n',
      '\n\n',
      '\r\n',
      '# ',
      '## ',
      '### T',
      '- [ ] ',
      '- [x] ',
      '  - ',
      '1. ',
      '> ',
      '```',
      '~~~\n',
      '| a | b |\n',
    ],
    ...[
      '|---|---|\n',
      '---\n',
      '===\n',
      '<div>',
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      '"',
      "'",
      '`',
      ';',
      ',',
      ': ',
      '/*',
      '*/',
    ],
    ...['--', '$$', '${', 'class A {', 'function f() {', 'def f(x):\n', '    ', '\t', '\ufeff', '\u2028', 'e\u0301'],
    ...[
      '😀',
      '漢字',
      'CREATE TABLE t (',
      'key: value\n',
      'key:\n  a: 1\n',
      '"k": {"a": [1,',
      '# no\n',
      'x'.repeat(300),
    ],
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.lorem({ maxCount: 12 }),
);
const content = fc.array(fragment, { minLength: 1, maxLength: 60 }).map((parts) => parts.join(''));
const asked = fc.record({
  path: fc.constantFrom(...PATHS),
  strategy: fc.constantFrom(...STRATEGIES),
  maxTokens: fc.integer({ min: 16, max: 96 }),
  overlap: fc.double({ min: 0, max: 0.99, noNaN: true }),
});
const isText = (text: string): boolean => !text.includes('\0') && text.replace(/^\ufeff/, '').trim() !== '';

test('property: chunks cover every byte that is not blank, within budget, with no more overlap than asked', () => {
  fc.assert(
    fc.property(content.filter(isText), asked, (text, { path, strategy, maxTokens, overlap }) => {
      const overlapTokens = Math.floor(overlap * maxTokens);
      const chunks = cut(path, text, { strategy, maxTokens, overlapTokens });
      assertCover(text, chunks);
      for (const [at, chunk] of chunks.entries()) {
        assert.ok(chunk.text.trim() !== '');
        assert.ok(chunk.tokens <= maxTokens, `${chunk.tokens} tokens of ${maxTokens}`);
        assert.equal(chunk.tokens, words.count(chunk.text));
        assert.ok(overlapOf(text, chunks[at - 1], chunk) <= overlapTokens);
      }
      assert.equal(new Set(chunks.map(({ id }) => id)).size, chunks.length);
      assert.deepEqual(cut(path, text, { strategy, maxTokens, overlapTokens }), chunks);
    }),
    { numRuns: 300 },
  );
});

test('property: the budget holds though a whole has more tokens than its parts together', () => {
  const grudging = {
    name: 'grudging',
    count: (text: string) => words.count(text) + (text.includes('\n\n') ? 8 : 0) + Math.floor(text.length / 12),
  };
  fc.assert(
    fc.property(content.filter(isText), asked, (text, { path, strategy, maxTokens, overlap }) => {
      const options = { strategy, maxTokens, overlapTokens: Math.floor(overlap * maxTokens) };
      const chunks = chunkDocument(documentOf(path, text), options, { ...tools, tokenizer: grudging });
      assertCover(text, chunks);
      assert.ok(chunks.every((chunk) => grudging.count(chunk.text) <= maxTokens));
    }),
    { numRuns: 100 },
  );
});

function assertCover(text: string, chunks: readonly Chunk[]): void {
  const bytes = new TextEncoder().encode(text);
  let to = text.startsWith('\ufeff') ? 3 : 0;
  const gaps: Uint8Array[] = [];
  for (const { start, end } of chunks) {
    assert.ok(start < end && end <= bytes.length);
    if (start > to) gaps.push(bytes.subarray(to, start));
    assert.ok(end >= to, 'in order');
    to = end;
  }
  gaps.push(bytes.subarray(to));
  assert.equal(
    gaps
      .map((gap) => new TextDecoder('utf-8', { fatal: true }).decode(gap))
      .join('')
      .trim(),
    '',
  );
}

function overlapOf(text: string, before: Chunk | undefined, chunk: Chunk): number {
  if (before === undefined || before.end <= chunk.start) return 0;
  return words.count(rangeText(text, { ...chunk, end: before.end }));
}

const section = fc.record({
  body: fc.array(fc.lorem({ maxCount: 20 }), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('\n\n')),
});
const sections = fc.array(section, { minLength: 2, maxLength: 6 });

test('property: an edit in one section changes the chunks of that section only', () => {
  fc.assert(
    fc.property(sections, fc.nat(), fc.lorem({ maxCount: 30 }), (all, where, added) => {
      const edited = where % all.length;
      const write = (change: string): string =>
        all.map(({ body }, at) => `# Part ${at}\n\n${body}${at === edited ? change : ''}\n`).join('\n');
      const of = (change: string) => elsewhere(cut('a.md', write(change), { overlapTokens: 16 }), `part-${edited}`);
      assert.deepEqual(of(`\n\n${added}`), of(''));
    }),
    { numRuns: 100 },
  );
});

const elsewhere = (chunks: readonly Chunk[], address: string) =>
  chunks.filter((chunk) => chunk.address !== address).map(({ id, hash, text }) => ({ id, hash, text }));

test('property: an edit of one large function leaves the chunks of the others', () => {
  const write = (counts: readonly number[]): string =>
    counts.map((count, at) => `function f${at}() {\n${'  call(one, two);\n'.repeat(count)}}\n`).join('\n');
  const count = fc.integer({ min: 12, max: 60 });
  fc.assert(
    fc.property(fc.array(count, { minLength: 2, maxLength: 5 }), fc.nat(), count, (counts, where, other) => {
      const edited = where % counts.length;
      const of = (all: readonly number[]) =>
        cut('a.ts', write(all))
          .filter(({ address }) => address !== `f${edited}`)
          .map(({ id, hash }) => ({ id, hash }));
      assert.deepEqual(of(counts.with(edited, other)), of(counts));
    }),
    { numRuns: 50 },
  );
});

const word = fc.constantFrom('peer', 'shard', 'alias', 'fence', 'vector', 'point', 'snapshot', 'library');
const phrase = fc.array(word, { minLength: 1, maxLength: 6 }).map((all) => all.join(' '));
const phrases = fc.array(phrase, { minLength: 1, maxLength: 5 });
const fence = phrases.map((lines) => `\`\`\`ts\n${lines.map((line) => `use("${line}");\n\n`).join('')}\`\`\``);
const tableOf = phrases.map((rows) => `| key | value |\n|---|---|\n${rows.map((row) => `| a | ${row} |`).join('\n')}`);
const FUNCTIONS: Readonly<Record<string, (index: number, lines: readonly string[]) => string>> = {
  'a.ts': (index, lines) =>
    `function f${index}(a: number): void {\n${lines.map((line) => `  use(a, "${line}");\n`).join('')}}`,
  'a.js': (index, lines) => `const f${index} = (a) => {\n${lines.map((line) => `  use(a, "${line}");\n`).join('')}};`,
  'a.py': (index, lines) => `def f${index}(a):\n${lines.map((line) => `    use(a, "${line}")\n`).join('')}`.trimEnd(),
  'a.go': (index, lines) => `func f${index}(a int) {\n${lines.map((line) => `\tuse(a, "${line}")\n`).join('')}}`,
  'a.sh': (index, lines) => `f${index}() {\n${lines.map((line) => `  use "${line}"\n`).join('')}}`,
};

/** Blocks that must not be split stand in one chunk each, where half of the budget is enough for them. */
function assertWhole(path: string, text: string, blocks: readonly string[]): void {
  const maxTokens = 96;
  const chunks = cut(path, text, { strategy: path === 'a.md' ? 'Markdown' : 'Code', maxTokens, overlapTokens: 0 });
  let from = 0;
  for (const block of blocks) {
    const start = text.indexOf(block, from);
    from = start + block.length;
    if (words.count(block) > maxTokens / 2) continue;
    const whole = chunks.some((chunk) => chunk.start <= start && chunk.end >= from);
    assert.ok(
      whole,
      `${JSON.stringify(block)} is split: ${chunks.map((chunk) => `${chunk.start}-${chunk.end}`).join()}`,
    );
  }
}

test('property: a fence and a table that fit are never split, whatever stands around them', () => {
  const block = fc.oneof(
    fence.map((text) => ({ text, kept: true })),
    tableOf.map((text) => ({ text, kept: true })),
    fc.lorem({ maxCount: 40 }).map((text) => ({ text, kept: false })),
    phrase.map((text) => ({ text: `## ${text}`, kept: false })),
    phrases.map((items) => ({ text: items.map((item) => `- ${item}`).join('\n'), kept: false })),
  );
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 12 }), (blocks) => {
      const kept = blocks.flatMap(({ text, kept: whole }) => (whole ? [text] : []));
      assertWhole('a.md', blocks.map(({ text }) => text).join('\n\n'), kept);
    }),
    { numRuns: 150 },
  );
});

for (const [path, write] of Object.entries(FUNCTIONS)) {
  test(`property: a function of ${path} that fits is never split, whatever stands around it`, () => {
    fc.assert(
      fc.property(fc.array(phrases, { minLength: 1, maxLength: 10 }), (all) => {
        const functions = all.map((lines, index) => write(index, lines));
        assertWhole(path, `${functions.join('\n\n')}\n`, functions);
      }),
      { numRuns: 60 },
    );
  });
}
