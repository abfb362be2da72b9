import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut } from './cutting.ts';

const GUIDE = `---
title: Guide
tags: [a, b]
---
# Guide

## Install

Run *this*:

\`\`\`sh
# no heading
npm ci
\`\`\`

| key | value |
|-----|-------|
| a   | 1     |

## Install

Twice.
`;

test('a section is a chunk, told by the headings above it; a bare heading goes with the section below', () => {
  assert.deepEqual(
    cut('guide.md', GUIDE).map(({ address, ordinal, text, metadata }) => ({ address, ordinal, text, metadata })),
    [
      {
        address: 'front-matter',
        ordinal: 0,
        text: '---\ntitle: Guide\ntags: [a, b]\n---',
        metadata: { kind: 'front-matter', values: { title: 'Guide', tags: ['a', 'b'] }, lines: [1, 4] },
      },
      {
        address: 'guide/install',
        ordinal: 0,
        text:
          'Guide > Install\n\nRun *this*:\n\n```sh\n# no heading\nnpm ci\n```\n\n' +
          '| key | value |\n|-----|-------|\n| a   | 1     |',
        metadata: { kind: 'section', headings: ['Guide', 'Install'], lines: [5, 18] },
      },
      {
        address: 'guide/install~2',
        ordinal: 0,
        text: 'Guide > Install\n\nTwice.',
        metadata: { kind: 'section', headings: ['Guide', 'Install'], lines: [20, 22] },
      },
    ],
  );
});

test('a fence and a table are kept whole while they fit alone', () => {
  const fence = `\`\`\`\n${'a b c d\n'.repeat(10)}\`\`\``;
  const table = `| a | b |\n|---|---|\n${'| 1 | 2 |\n'.repeat(6)}`.trim();
  const texts = cut('a.md', `# T\n\n${'Some words. '.repeat(10)}\n\n${fence}\n\n${table}\n`).map(({ text }) => text);
  assert.deepEqual(texts, [`T\n\n${'Some words. '.repeat(10).trim()}`, `T\n\n${fence}`, `T\n\n${table}`]);
});

test('a table over the budget is cut between rows, and each part is told the header', () => {
  const rows = Array.from({ length: 30 }, (_, row) => `| ${row} | x |`);
  const chunks = cut('a.md', ['# T', '', '| a | b |', '|---|---|', ...rows].join('\n'));
  assert.ok(chunks.length > 2);
  for (const { text } of chunks.slice(1)) assert.match(text, /^T > \| a \| b \|\n\n\| \d+ \| x \|\n/);
});

test('headings below the text and with marks are read; what is nested in quotes and lists is none', () => {
  const addresses = (text: string) => cut('a.md', text).map(({ address }) => address);
  assert.deepEqual(addresses('One\n===\n\na\n\n`Two` & **more**\n---\n\nb'), ['one', 'one/two-more']);
  assert.deepEqual(addresses('# A #\n\n> # quoted\n\n- # listed\n'), ['a']);
});

test('an unclosed fence goes to the end, however long it is', () => {
  const short = cut('a.md', '# A\n\n```\n# no heading\n');
  assert.deepEqual(
    short.map(({ address }) => address),
    ['a'],
  );
  const long = cut('a.md', `# A\n\n\`\`\`\n${'# no heading\n'.repeat(20_000)}`, { maxTokens: 4096 });
  assert.deepEqual([...new Set(long.map(({ address }) => address))], ['a']);
});

test('overlap repeats the end of the chunk before, inside a section only', () => {
  const sentence = (part: string, at: number) => `Sentence ${at} of ${part} says some words.`;
  const body = (part: string) => Array.from({ length: 12 }, (_, at) => sentence(part, at)).join(' ');
  const chunks = cut('a.md', `# A\n\n${body('one')}\n\n# B\n\n${body('two')}\n`, { overlapTokens: 16 });
  for (const [at, chunk] of chunks.entries()) {
    const before = chunks[at - 1];
    if (before === undefined) continue;
    assert.equal(chunk.start < before.end, chunk.address === before.address);
  }
  assert.ok(chunks.length > 4);
});

test('front matter that can not be read, or may grow by references, is kept as text', () => {
  for (const front of ['a: &x [1]\nb: *x', 'a: [', '- list']) {
    const [chunk] = cut('a.md', `---\n${front}\n---\ntext\n`);
    assert.deepEqual(chunk?.metadata['values'], {});
    assert.equal(chunk?.text, `---\n${front}\n---`);
  }
  assert.deepEqual(
    cut('a.md', '---\nno end').map(({ address }) => address),
    [''],
  );
});
