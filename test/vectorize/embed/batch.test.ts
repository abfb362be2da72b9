import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packBatches, tokensOf, wireBytes } from '../../../src/vectorize/embed/batch.ts';
import { estimateTokens } from '../../../src/vectorize/embed/index.ts';

const sized = fc.record({ text: fc.string({ maxLength: 40, unit: 'binary' }), tokens: fc.nat(50) });
const limits = fc.record({
  maxTexts: fc.integer({ min: 1, max: 10 }),
  maxTokens: fc.integer({ min: 1, max: 120 }),
  maxBytes: fc.integer({ min: 1, max: 2000 }),
});

test('batches are the input in order, none is empty, and only a text alone is over a limit', () => {
  fc.assert(
    fc.property(fc.array(sized, { maxLength: 60 }), limits, (texts, limit) => {
      const batches = [...packBatches(texts, limit)];
      assert.deepEqual(batches.flat(), texts);
      for (const batch of batches) {
        assert.ok(batch.length > 0 && batch.length <= limit.maxTexts);
        const bytes = batch.reduce((sum, { text }) => sum + wireBytes(text), 0);
        assert.ok(batch.length === 1 || (tokensOf(batch) <= limit.maxTokens && bytes <= limit.maxBytes));
      }
    }),
  );
});

test('a batch is as full as it can be: the first text of the next one would not have fitted', () => {
  fc.assert(
    fc.property(fc.array(sized, { maxLength: 60 }), limits, (texts, limit) => {
      const batches = [...packBatches(texts, limit)];
      for (const [index, batch] of batches.entries()) {
        const next = batches[index + 1]?.[0];
        if (next === undefined) continue;
        const more = [...batch, next];
        const bytes = more.reduce((sum, { text }) => sum + wireBytes(text), 0);
        assert.ok(more.length > limit.maxTexts || tokensOf(more) > limit.maxTokens || bytes > limit.maxBytes);
      }
    }),
  );
});

test('the bytes of a text are at least those of its JSON, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.ok(wireBytes(text) >= Buffer.byteLength(JSON.stringify(text)));
      assert.ok(estimateTokens(text) >= 1);
    }),
  );
});
