import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadTokenizer } from '../../src/vectorize/chunk.ts';
import { cutterHere, cutterThread } from '../../src/vectorize/cutter.ts';
import { DocumentError } from '../../src/vectorize/document.ts';

const options = { strategy: 'Markdown', maxTokens: 32, overlapTokens: 0 } as const;
const document = (path: string, text: string | Uint8Array) => ({ source: 's', path, bytes: Buffer.from(text) });

test('a thread cuts as it would be cut here, several documents at a time, and refuses by the same names', async (t) => {
  const thread = await cutterThread();
  t.after(() => thread.close());
  const here = cutterHere({ tokenizer: await loadTokenizer() });
  assert.equal(thread.tokenizer, here.tokenizer);
  const documents = Array.from({ length: 5 }, (_, n) =>
    document(`${n}.md`, `# Page ${n}\n\n${'some words '.repeat(50)}`),
  );
  const cut = await Promise.all(documents.map((one) => thread.cut(one, options)));
  assert.deepEqual(cut, await Promise.all(documents.map((one) => here.cut(one, options))));
  const refused = thread.cut(document('b.md', new Uint8Array([35, 0])), options);
  await assert.rejects(refused, (error) => error instanceof DocumentError && error.reason === 'Binary');
  await assert.rejects(thread.cut(document('a.md', 'x'), { ...options, maxTokens: 1 }), /maxTokens is 1, less than 16/);
});

test('documents that a thread leaves behind are told so', async () => {
  const thread = await cutterThread();
  const cutting = thread.cut(document('a.md', 'word '.repeat(100_000)), options);
  await Promise.all([assert.rejects(cutting, /has ended/), thread.close()]);
});
