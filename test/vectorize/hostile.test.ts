import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut } from './cutting.ts';

const MANY = 3000;
const steps = (line: (indent: string, at: number) => string): string =>
  Array.from({ length: 120 }, (_, at) => line(' '.repeat(2 * at), at)).join('\n');

/** What parsers are known to break on: by nesting, by what is never closed, by what has no end. */
const HOSTILE: readonly (readonly [string, string, string])[] = [
  ['quotes in quotes', 'a.md', `${'> '.repeat(MANY)}x`],
  ['lists in lists, on one line', 'a.md', `${'- '.repeat(MANY)}x`],
  ['lists in lists', 'a.md', steps((indent, at) => `${indent}- [ ] n${at}`)],
  ['brackets', 'a.md', '[ '.repeat(MANY)],
  ['stars', 'a.md', '*a_ '.repeat(MANY)],
  ['pipes', 'a.md', '| '.repeat(MANY)],
  ['headings', 'a.md', '# h\n'.repeat(MANY)],
  ['a heading without end', 'a.md', `# ${'x'.repeat(MANY)}`],
  ['a paragraph of many lines', 'a.md', `---\n${'a: b\n'.repeat(8_000)}`],
  ['parentheses', 'a.ts', '('.repeat(MANY)],
  ['blocks', 'a.ts', '{'.repeat(MANY) + '}'.repeat(MANY)],
  ['templates', 'a.ts', '`${'.repeat(MANY)],
  ['functions', 'a.ts', 'f(()=>{'.repeat(MANY)],
  ['a sum without end', 'a.js', `${'a+'.repeat(MANY)}a`],
  ['noise', 'a.py', '@#$%^ ]]'.repeat(MANY)],
  ['blocks by indentation', 'a.py', steps((indent) => `${indent}if x:`)],
  ['templates of C++', 'a.cpp', 'a<b<'.repeat(MANY)],
  ['substitutions', 'a.sh', '$('.repeat(MANY)],
  ['lists of JSON', 'a.json', '['.repeat(MANY)],
  ['objects of JSON', 'a.json', '{"a":'.repeat(MANY)],
  ['keys in keys', 'a.yaml', steps((indent) => `${indent}a:`)],
  ['comments', 'a.yaml', '# c\n'.repeat(MANY)],
  ['quotes', 'a.sql', "'".repeat(MANY + 1)],
  ['statements', 'a.sql', ';'.repeat(MANY)],
  ['a line without blanks', 'a.txt', 'a'.repeat(300_000)],
  ['a line of blanks', 'a.txt', `x${' '.repeat(300_000)}x`],
  ['marks without letters', 'a.txt', '\u0301'.repeat(MANY)],
  ['pairs', 'a.txt', '😀'.repeat(MANY)],
  ['old line ends', 'a.md', '# A\r\rtext\r'.repeat(100)],
];

for (const [what, path, text] of HOSTILE) {
  test(`${path.slice(2)}: ${what} are cut, within the budget and to the end`, () => {
    const chunks = cut(path, text, { strategy: path === 'a.md' ? 'Tasks' : 'Code', maxTokens: 512, overlapTokens: 64 });
    assert.ok(chunks.every(({ tokens }) => tokens <= 512));
    assert.equal(chunks.at(-1)?.end, new TextEncoder().encode(text.trimEnd()).length);
  });
}
