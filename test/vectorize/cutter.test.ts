import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadTokenizer } from '../../src/vectorize/chunk.ts';
import { cutterHere } from '../../src/vectorize/cutter.ts';
import { cutterThreads, cuttingThread } from '../../src/vectorize/cutting-threads.ts';
import { DocumentError } from '../../src/vectorize/document.ts';

const options = { strategy: 'Markdown', maxTokens: 32, overlapTokens: 0 } as const;
const document = (path: string, text: string | Uint8Array) => ({ source: 's', path, bytes: Buffer.from(text) });

test('a thread cuts as it would be cut here, several documents at a time, and refuses by the same names', async (t) => {
  const thread = await cutterThreads();
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

test('several threads cut as one does', async (t) => {
  const threads = await cutterThreads(3);
  t.after(() => threads.close());
  const here = cutterHere({ tokenizer: await loadTokenizer() });
  const documents = Array.from({ length: 12 }, (_, n) => document(`${n}.md`, `# ${n}\n\n${'words '.repeat(n * 90)}`));
  const cut = await Promise.all(documents.map((one) => threads.cut(one, options)));
  assert.deepEqual(cut, await Promise.all(documents.map((one) => here.cut(one, options))));
});

/** Takes seconds. */
const endless = document('endless.md', '*a **b `c [d](e) '.repeat(120_000));
const script = new URL('./ending-thread.ts', import.meta.url);

for (const [limits, message] of [
  [{ seconds: 0.3 }, /^endless\.md takes longer than 0\.3 s to cut$/],
  [{ script }, /^endless\.md ended the thread that cut it: too much$/],
] as const) {
  test(`a document that asks too much fails alone, and the others are cut: ${message.source}`, async (t) => {
    const thread = await cuttingThread(limits);
    t.after(() => thread.close());
    const before = document('before.md', '# Before\n\nsome words');
    const after = document('after.md', '# After\n\nsome words');
    const whole = await thread.cut(before, options);
    const cutting = [before, endless, after].map((one) => thread.cut(one, options));
    const [cut, failed, next] = await Promise.allSettled(cutting);
    assert.deepEqual(cut?.status === 'fulfilled' && cut.value, whole);
    assert.ok(failed?.status === 'rejected' && failed.reason instanceof DocumentError, failed?.status);
    assert.equal(failed.reason.reason, 'Uncuttable');
    assert.match(failed.reason.message, message);
    assert.equal(next?.status === 'fulfilled' && next.value[0]?.document, 'after.md');
    assert.deepEqual(await thread.cut(before, options), whole);
  });
}

test('documents that a thread leaves behind are told so', async () => {
  const thread = await cutterThreads(2);
  const cutting = thread.cut(document('a.md', 'word '.repeat(100_000)), options);
  await Promise.all([assert.rejects(cutting, /has ended/), thread.close()]);
});
