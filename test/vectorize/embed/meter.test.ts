import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Meter } from '../../../src/vectorize/embed/index.ts';
import { embedderAndClient, failure, texts } from './support.ts';

test('with honest estimates no budget of tokens or money is ever exceeded, however requests overlap', () => {
  const request = fc.record({
    tokens: fc.integer({ min: 1, max: 100 }),
    outcome: fc.constantFrom('told', 'lost', 'free'),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), fc.nat(2000), fc.nat(20), (requests, maxTokens, open) => {
      const meter = new Meter({ budget: { maxTokens, maxCost: maxTokens / 1e6 }, pricePerMillionTokens: 1 });
      const waiting: (() => void)[] = [];
      for (const { tokens, outcome } of requests) {
        if (meter.refusal(tokens) !== undefined) continue;
        const reservation = meter.reserve(tokens, false);
        waiting.push(() =>
          outcome === 'free' ? reservation.free() : reservation.spent(outcome === 'told' ? tokens : undefined),
        );
        if (waiting.length > open) waiting.shift()?.();
      }
      for (const end of waiting) end();
      assert.ok(meter.usage.tokens <= maxTokens);
      assert.ok(meter.usage.cost <= maxTokens / 1e6 + 1e-12);
    }),
  );
});

test('an endpoint that counts more than estimated makes later reservations larger', () => {
  const meter = new Meter({ budget: { maxTokens: 100 } });
  meter.reserve(10, false).spent(20);
  assert.equal(meter.refusal(40), undefined);
  assert.match(meter.refusal(41) ?? '', /20 of 100 tokens are used/);
});

test('a reservation counts once', () => {
  const meter = new Meter({ budget: { maxTokens: 10 } });
  const reservation = meter.reserve(10, false);
  reservation.spent(10);
  reservation.spent(10);
  reservation.free();
  assert.equal(meter.usage.tokens, 10);
});

test('tokens are those that the endpoint counts, calls and repeats are counted, and money follows', async (t) => {
  const meter = new Meter({ pricePerMillionTokens: 2 });
  const { server, client } = await embedderAndClient(t, { meter, batchSize: 2, countTokens: () => 100 });
  server.faults.add({ kind: 'status', status: 500 });
  await client.embed(texts(4));
  assert.equal(meter.usage.tokens, 24);
  assert.equal(meter.usage.estimatedTokens, 0);
  assert.equal(meter.usage.cost, (24 * 2) / 1e6);
  assert.deepEqual([meter.usage.calls, meter.usage.retries, meter.usage.embedded], [3, 1, 4]);
});

test('an answer that was lost on the way counts as paid for', async (t) => {
  const { server, client } = await embedderAndClient(t);
  server.faults.add({ kind: 'cut' });
  await client.embed(texts(2));
  assert.equal(client.meter.usage.tokens, 24);
  assert.equal(client.meter.usage.estimatedTokens, 12);
});

test('a budget stops before it is exceeded: the request that would is not sent', async (t) => {
  const meter = new Meter({ budget: { maxTokens: 30 } });
  const { server, client } = await embedderAndClient(t, { meter, batchSize: 2 });
  const error = await failure(client.embed(texts(10)));
  assert.equal(error.code, 'BudgetUsedUp');
  assert.equal(error.permanent, true);
  assert.equal(server.served.tokens, 24);
});
