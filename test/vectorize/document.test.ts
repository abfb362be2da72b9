import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentHash, DocumentError, formOf } from '../../src/vectorize/chunk.ts';
import { normalise, uuid5 } from '../../src/vectorize/identity.ts';
import { cut, rangeText } from './cutting.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const refused = (reason: DocumentError['reason']) => (error: unknown) =>
  error instanceof DocumentError && error.reason === reason && error.path === 'a.md';

test('what is no text is refused, with the reason', () => {
  assert.throws(() => cut('a.md', bytes(0x61, 0, 0x62)), refused('Binary'));
  assert.throws(() => cut('a.md', bytes(0xff, 0xfe, 0x61, 0)), refused('NotUtf8'));
  assert.throws(() => cut('a.md', bytes(0x61, 0xc3)), refused('NotUtf8'));
  assert.throws(() => cut('a.md', bytes(0xed, 0xa0, 0x80)), refused('NotUtf8'), 'half of a surrogate pair');
  assert.throws(() => cut('a.md', ''), refused('Empty'));
  assert.throws(() => cut('a.md', '\ufeff \r\n\t\n'), refused('Empty'));
  assert.throws(() => cut('a.md', 'x'.repeat(101), { maxBytes: 100 }), refused('TooLarge'));
  assert.throws(() => cut('a.md', new Uint8Array(100 * 1024 * 1024)), refused('TooLarge'));
});

test('options that no chunk can keep are refused', () => {
  assert.throws(() => cut('a.md', 'x', { maxTokens: 15 }), RangeError);
  assert.throws(() => cut('a.md', 'x', { maxTokens: Number.NaN }), RangeError);
  assert.throws(() => cut('a.md', 'x', { maxTokens: 32, overlapTokens: 32 }), RangeError);
});

test('offsets count bytes, behind a byte order mark and characters of one to four of them', () => {
  const text = '\ufeff# Größe\r\n\r\né漢😀\r\n\r\n## Nächste 😀\r\n\r\nÜber\r\n';
  const chunks = cut('a.md', text);
  assert.deepEqual(
    chunks.map((chunk) => rangeText(text, chunk)),
    ['# Größe\r\n\r\né漢😀', '## Nächste 😀\r\n\r\nÜber'],
  );
  assert.deepEqual(
    chunks.map(({ start, text: said }) => [start, said]),
    [
      [3, 'Größe\n\né漢😀'],
      [29, 'Größe > Nächste 😀\n\nÜber'],
    ],
  );
});

test('a chunk keeps its id and hash when lines end otherwise', () => {
  const of = (text: string) => cut('a.md', text).map(({ id, hash }) => ({ id, hash }));
  assert.deepEqual(of('# A\r\n\r\none  \r\ntwo\r\n'), of('# A\n\none\ntwo\n'));
  assert.equal(normalise(' e\u0301 \r\n\r\nb\t\n'), 'é\n\nb');
  assert.equal(contentHash('a \n'), contentHash('a'));
});

test('ids are UUIDs of version 5 over source, path, address and ordinal', () => {
  const dns = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');
  assert.equal(uuid5(dns, 'www.example.com'), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
  const [first] = cut('a.md', '# A\n\nx');
  const [other] = cut('b.md', '# A\n\nx');
  assert.equal(first?.hash, other?.hash);
  assert.notEqual(first?.id, other?.id);
});

test('a document is read by its ending, then by its media type, then by the strategy', () => {
  const kind = (path: string, strategy: 'Markdown' | 'Code' | 'Text', mediaType?: string) =>
    formOf({ path, ...(mediaType === undefined ? {} : { mediaType }) }, strategy).kind;
  assert.equal(kind('a.md', 'Text'), 'text');
  assert.equal(kind('a.md', 'Code'), 'markdown');
  assert.equal(kind('src/a.TS', 'Markdown'), 'code');
  assert.equal(kind('values.yml', 'Code'), 'yaml');
  assert.equal(kind('index', 'Code', 'text/markdown; charset=utf-8'), 'markdown');
  assert.equal(kind('LICENSE', 'Code'), 'text');
  assert.equal(kind('LICENSE', 'Markdown'), 'markdown');
  assert.equal(kind('a.constructor', 'Code'), 'text');
});
