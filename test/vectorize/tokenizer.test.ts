import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { countTokens } from 'gpt-tokenizer/encoding/cl100k_base';
import { chunkDocument, loadTokenizer } from '../../src/vectorize/chunk.ts';
import { windowed } from '../../src/vectorize/tokenizer.ts';
import { documentOf } from './cutting.ts';

const tokenizer = await loadTokenizer('cl100k_base');
const prose = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

test('long prose has as many tokens in windows as it has in one', () => {
  assert.equal(tokenizer.count(prose), countTokens(prose));
});

test('the names of special tokens are text like any other', () => {
  assert.ok(tokenizer.count('<|endoftext|>') > 1);
});

test('counting stops soon after the limit, and says that there are more', () => {
  let asked = 0;
  const letters = windowed('letters', (text) => {
    asked += text.length;
    return text.length;
  });
  assert.ok(letters.count('a b '.repeat(10_000), 100) > 100);
  assert.ok(asked <= 1024);
});

test('windows end between characters, and leave nothing out', () => {
  const windows: string[] = [];
  const text = `${'x'.repeat(1023)}${'😀'.repeat(2000)} and ${'y'.repeat(900)} z`;
  windowed('windows', (part) => windows.push(part)).count(text);
  assert.equal(windows.join(''), text);
  assert.ok(windows.every((part) => part.isWellFormed() && part.length <= 1024));
});

test('chunks keep the budget as the model counts', () => {
  const options = { strategy: 'Markdown', maxTokens: 100, overlapTokens: 20 } as const;
  const chunks = chunkDocument(documentOf('a.md', prose), options, { tokenizer });
  assert.ok(chunks.length > 5);
  for (const { text, tokens } of chunks) {
    assert.equal(countTokens(text), tokens);
    assert.ok(tokens <= 100);
  }
});
