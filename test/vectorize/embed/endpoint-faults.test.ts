import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fault } from '../../../sandbox/embedder/faults.ts';
import { startEmbedder } from '../../../sandbox/embedder/server.ts';
import { EmbedClient } from '../../../src/vectorize/embed/index.ts';
import { countWords, embedderAndClient, failure, PROTOCOLS, rightVector, sameVector, texts } from './support.ts';

const PASSING: readonly Fault[] = [
  { kind: 'status', status: 429, retryAfter: '0' },
  { kind: 'status', status: 429, retryAfter: '0.01' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 424 },
  { kind: 'status', status: 413 },
  { kind: 'nan' },
  { kind: 'nan', at: 2 },
  { kind: 'zero' },
  { kind: 'half' },
  { kind: 'cut' },
  { kind: 'notJson' },
];

const isTooLarge = (fault: Fault): boolean => fault.kind === 'status' && fault.status === 413;

for (const protocol of PROTOCOLS) {
  test(`${protocol}: whatever faults come and pass, every text has its own right vector, in order`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...PASSING), { maxLength: 5 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (faults, count, batchSize) => {
          const server = await startEmbedder();
          const retry = { baseMilliseconds: 1, capMilliseconds: 2, attempts: 8 };
          const options = { protocol, url: server.url, model: 'hashing', batchSize, retry, countTokens: countWords };
          const client = new EmbedClient(options);
          try {
            // A text alone that answers 413 is too large by itself.
            for (const fault of faults)
              server.faults.add(fault, { when: (sent) => !isTooLarge(fault) || sent.length > 1 });
            const wanted = texts(count);
            const vectors = await client.embed(wanted);
            for (const [index, text] of wanted.entries()) sameVector(vectors[index], rightVector(text));
          } finally {
            await server.stop();
            await client.close();
          }
        },
      ),
      { numRuns: 15 },
    );
  });
}

test('a NaN among good vectors is asked for again alone: the others are not embedded twice', async (t) => {
  const { server, client } = await embedderAndClient(t);
  server.faults.add({ kind: 'nan', at: 3 });
  await client.embed(texts(10));
  assert.equal(server.served.requests, 2);
  assert.deepEqual(new Set(server.served.texts.values()), new Set([1]));
});

test('413 halves the batch until it fits, later batches begin with what fitted, and nothing is embedded twice', async (t) => {
  const { server, client } = await embedderAndClient(t, { batchSize: 32 });
  const refuses = { when: (sent: readonly string[]) => sent.length > 8, times: 1000 };
  server.faults.add({ kind: 'status', status: 413 }, refuses);
  await client.embed(texts(32));
  assert.deepEqual(new Set(server.served.texts.values()), new Set([1]));
  const { requests } = server.served;
  await client.embed(texts(32, 100));
  assert.equal(server.served.requests - requests, 4);
});

test('when one batch fails for good, the others are not sent again by its repeats', async (t) => {
  const { server, client } = await embedderAndClient(t, { batchSize: 4, retry: { attempts: 3 } });
  const bad = 'text number 9 about topic 2';
  server.faults.add({ kind: 'status', status: 500 }, { when: (sent) => sent.includes(bad), times: 99 });
  assert.equal((await failure(client.embed(texts(16)))).code, 'Internal');
  assert.ok([...server.served.texts.values()].every((times) => times === 1));
});

test('a text that the endpoint refuses is found among the others, and named by its index', async (t) => {
  const { server, client } = await embedderAndClient(t, { batchSize: 16 });
  const bad = 'text number 11 about topic 4';
  server.faults.add({ kind: 'status', status: 400 }, { when: (sent) => sent.includes(bad), times: 99 });
  const outcomes = new Map<number, string>();
  const sized = texts(16).map((text) => ({ text, tokens: 1 }));
  await client.run(sized, { settle: (index, { error }) => outcomes.set(index, error?.code ?? 'ok') });
  assert.deepEqual(
    [...outcomes].filter(([, code]) => code !== 'ok'),
    [[11, 'BadRequest']],
  );
  assert.equal(outcomes.size, 16);
  assert.ok([...server.served.texts.values()].every((times) => times === 1));
});

test('what cannot get better is not repeated', async (t) => {
  const faults: readonly [Fault, string][] = [
    [{ kind: 'wrongDimension' }, 'WrongDimension'],
    [{ kind: 'status', status: 401 }, 'Unauthorized'],
    [{ kind: 'status', status: 403 }, 'Forbidden'],
    [{ kind: 'status', status: 302 }, 'Unexpected'],
    [{ kind: 'status', status: 429, body: '{"error":{"code":"insufficient_quota"}}' }, 'QuotaExceeded'],
  ];
  for (const [fault, code] of faults) {
    const { server, client } = await embedderAndClient(t, { dimensions: 64 });
    server.faults.add(fault, { times: 99 });
    const error = await failure(client.embed(texts(4)));
    assert.equal(error.code, code);
    assert.equal(error.permanent, true);
    assert.equal(server.served.requests, 1);
  }
});

test('what never gets better ends with its own name after the last attempt', async (t) => {
  const faults: readonly [Fault, string][] = [
    [{ kind: 'constant' }, 'Constant'],
    [{ kind: 'half' }, 'WrongCount'],
    [{ kind: 'notJson' }, 'Unexpected'],
    [{ kind: 'cut' }, 'Unreachable'],
    [{ kind: 'status', status: 429 }, 'RateLimited'],
    [{ kind: 'status', status: 500 }, 'Internal'],
    [{ kind: 'status', status: 503 }, 'Unavailable'],
  ];
  for (const [fault, code] of faults) {
    const { server, client } = await embedderAndClient(t, { retry: { attempts: 3 } });
    server.faults.add(fault, { times: 99 });
    const error = await failure(client.embed(texts(6)));
    assert.equal(error.code, code);
    assert.equal(error.permanent, false);
    assert.equal(server.served.requests, 3);
  }
});

test('a vector that stays all zero, or NaN, is the fault of that text when the others are right', async (t) => {
  for (const [kind, code] of [
    ['zero', 'AllZero'],
    ['nan', 'NotFinite'],
  ] as const) {
    const { server, client } = await embedderAndClient(t, { encoding: 'base64', retry: { attempts: 2 } });
    server.faults.add({ kind, at: 2 });
    server.faults.add({ kind }, { times: 99 });
    const error = await failure(client.embed(texts(5)));
    assert.equal(error.code, code);
  }
});

test('lengths are looked at only where length 1 is a must', async (t) => {
  const { server, client } = await embedderAndClient(t, { norm: 'unit' });
  server.faults.add({ kind: 'unnormalised' });
  assert.equal((await failure(client.embed(texts(5)))).code, 'NotNormalised');
  const { server: other, client: lax } = await embedderAndClient(t);
  other.faults.add({ kind: 'unnormalised' });
  assert.equal((await lax.embed(texts(5))).length, 5);
});

test('an endpoint that hangs is given up after the time for one attempt, and asked again', async (t) => {
  const { server, client } = await embedderAndClient(t, { timeoutSeconds: 0.1, retry: { attempts: 2 } });
  server.faults.add({ kind: 'hang' });
  assert.equal((await client.embed(texts(2))).length, 2);
  server.faults.add({ kind: 'hang' }, { times: 2 });
  assert.equal((await failure(client.embed(texts(2)))).code, 'Timeout');
});

test('nobody at the address is Unreachable, and costs nothing', async (t) => {
  const { server, client } = await embedderAndClient(t, { retry: { attempts: 2 } });
  await server.stop();
  server.stop = async () => {};
  const error = await failure(client.embed(['a b c']));
  assert.equal(error.code, 'Unreachable');
  assert.equal(client.meter.usage.tokens, 0);
});

test('a caller that aborts gets its answer at once, whatever is under way', async (t) => {
  const { server, client } = await embedderAndClient(t, { batchSize: 1 });
  server.faults.add({ kind: 'hang' }, { times: 99 });
  const controller = new AbortController();
  const work = failure(client.embed(texts(9), { signal: controller.signal }));
  setTimeout(() => controller.abort(), 20);
  assert.equal((await work).code, 'Aborted');
});

test('a short Retry-After is waited for, a long one is given to the caller', async (t) => {
  const { server, client } = await embedderAndClient(t, { batchSize: 2 });
  server.faults.add({ kind: 'status', status: 429, retryAfter: '0.05' });
  assert.equal((await client.embed(texts(8))).length, 8);
  server.faults.add({ kind: 'status', status: 429, retryAfter: '3600' });
  const error = await failure(client.embed(texts(2)));
  assert.equal(error.code, 'RateLimited');
  assert.equal(error.retryAfterSeconds, 3600);
});

test('an empty text is refused here and never sent', async (t) => {
  const { server, client } = await embedderAndClient(t);
  const error = await failure(client.embed(['a', ' \n']));
  assert.equal(error.code, 'EmptyText');
  assert.equal(error.textIndex, 1);
  assert.ok(!server.served.texts.has(' \n'));
});

test('an endpoint that changes its dimension in the middle is found out', async (t) => {
  const { server, client } = await embedderAndClient(t);
  await client.embed(texts(2));
  server.faults.add({ kind: 'wrongDimension' });
  const error = await failure(client.embed(texts(2)));
  assert.equal(error.code, 'WrongDimension');
  assert.match(error.message, /63 numbers where 64 are due/);
});

test('an answer that is larger than any can be is not read to its end', async (t) => {
  const { server, client } = await embedderAndClient(t, { dimensions: 64, retry: { attempts: 1 } });
  server.faults.add({ kind: 'status', status: 200, body: `[${'1,'.repeat(5_000_000)}1]` });
  const error = await failure(client.embed(['a']));
  assert.equal(error.code, 'Unexpected');
  assert.match(error.message, /larger than any can be/);
});
