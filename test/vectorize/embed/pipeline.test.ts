import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Fault } from '../../../sandbox/embedder/faults.ts';
import { startEmbedder } from '../../../sandbox/embedder/server.ts';
import {
  EmbedClient,
  type Embedded,
  embedAll,
  FileCache,
  MemoryCache,
  Meter,
  type VectorCache,
} from '../../../src/vectorize/embed/index.ts';
import { collect, countWords, embedderAndClient, failure, rightVector, sameVector, texts } from './support.ts';

const wanted = (text: string) => ({ text });

function allRight(results: readonly Embedded<string>[], expected: readonly string[]): void {
  assert.deepEqual(
    results.map(({ item }) => item),
    expected,
  );
  for (const { item, vector } of results) sameVector(vector, rightVector(item));
}

const PASSING: readonly Fault[] = [
  { kind: 'status', status: 429, retryAfter: '0' },
  { kind: 'status', status: 500 },
  { kind: 'nan', at: 1 },
  { kind: 'half' },
  { kind: 'cut' },
];

test('every item comes with its own vector, in order, whatever faults pass, whatever repeats, however small the queue', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(60), { maxLength: 150 }),
      fc.array(fc.constantFrom(...PASSING), { maxLength: 6 }),
      fc.record({ batchSize: fc.integer({ min: 1, max: 8 }), queueBatches: fc.integer({ min: 1, max: 6 }) }),
      fc.boolean(),
      async (numbers, faults, { batchSize, queueBatches }, cached) => {
        const server = await startEmbedder();
        const retry = { baseMilliseconds: 1, capMilliseconds: 2, attempts: 9 };
        const client = new EmbedClient({
          protocol: 'OpenAI',
          url: server.url,
          model: 'hashing',
          batchSize,
          retry,
          countTokens: countWords,
        });
        try {
          for (const fault of faults) server.faults.add(fault);
          const items = numbers.map((number) => texts(1, number)[0] ?? '');
          const cache = cached ? { cache: new MemoryCache(1e6) } : {};
          allRight(await collect(embedAll(items, { client, wanted, queueBatches, ...cache })), items);
          const { embedded, hits } = client.meter.usage;
          assert.equal(embedded + hits, items.length);
          if (cached) assert.equal(embedded, new Set(items).size);
          // A `half` answer and a cut one were right, and are asked for again as a whole.
          if (faults.every(({ kind }) => kind === 'status') && cached) {
            assert.ok([...server.served.texts.values()].every((times) => times === 1));
          }
        } finally {
          await server.stop();
          await client.close();
        }
      },
    ),
    { numRuns: 25 },
  );
});

test('a second run embeds nothing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'embed-pipeline-'));
  t.after(() => rm(directory, { recursive: true }));
  const items = texts(300);
  const { server, client } = await embedderAndClient(t);
  for (const run of [1, 2]) {
    const cache = await FileCache.open({ directory, maxBytes: 1e7 });
    const results = await collect(embedAll(items, { client, wanted, cache }));
    await cache.close();
    allRight(results, items);
    assert.equal(
      results.filter((result) => 'source' in result && result.source === 'cache').length,
      run === 1 ? 0 : 300,
    );
  }
  assert.equal(client.meter.usage.embedded, 300);
  assert.equal(server.served.requests, Math.ceil(300 / 32));
});

test('a look into the cache that began before an equal text was kept there embeds nothing again', async (t) => {
  const { server, client } = await embedderAndClient(t, { batchSize: 1 });
  const kept = new MemoryCache(1e6);
  const written = Promise.withResolvers<void>();
  let looks = 0;
  const cache: VectorCache = {
    get: async (keys) => {
      const found = await kept.get(keys);
      looks += 1;
      if (looks === 2) await written.promise;
      return found;
    },
    put: async (entries) => {
      await kept.put(entries);
      setImmediate(written.resolve);
    },
  };
  const results = await collect(embedAll(['apples', 'apples'], { client, wanted, cache, queueBatches: 6 }));
  allRight(results, ['apples', 'apples']);
  assert.equal(looks, 2);
  assert.deepEqual([...server.served.texts.values()], [1]);
  assert.deepEqual(
    results.map((result) => 'source' in result && result.source),
    ['endpoint', 'twin'],
  );
});

test('the prefix goes before every text and into the key', async (t) => {
  const { client } = await embedderAndClient(t);
  const cache = new MemoryCache(1e6);
  await collect(embedAll(['apples'], { client, wanted, cache }));
  const [result] = await collect(embedAll(['apples'], { client, wanted, cache, prefix: 'search_document: ' }));
  sameVector(result?.vector, rightVector('search_document: apples'));
});

test('the source is read only as fast as results are taken', async (t) => {
  const { client } = await embedderAndClient(t, { batchSize: 4 });
  let read = 0;
  async function* endless(): AsyncGenerator<string> {
    for (;;) yield `text number ${read++}`;
  }
  let taken = 0;
  for await (const _ of embedAll(endless(), { client, wanted, queueBatches: 5 })) {
    taken += 1;
    assert.ok(read <= taken + 21, `${read} read, ${taken} taken`);
    if (taken % 50 === 0) await sleep(2);
    if (taken === 400) break;
  }
});

test('a queue is bounded in bytes as well', async (t) => {
  const { client } = await embedderAndClient(t, { batchSize: 4 });
  const text = 'long words '.repeat(40);
  let read = 0;
  function* endless(): Generator<string> {
    for (;;) yield `${read++} ${text}`;
  }
  let taken = 0;
  for await (const _ of embedAll(endless(), { client, wanted, queueBytes: 5 * text.length * 2 })) {
    taken += 1;
    assert.ok(read - taken <= 7);
    if (taken === 30) break;
  }
});

test('memory stays flat over many texts', async (t) => {
  const { client } = await embedderAndClient(t, { serve: { dimensions: 8 } });
  function* many(): Generator<string> {
    for (let index = 0; index < 8000; index += 1) yield `text ${index}`;
  }
  let taken = 0;
  let early = 0;
  for await (const _ of embedAll(many(), { client, wanted })) {
    taken += 1;
    if (taken === 2000) early = process.memoryUsage().heapUsed;
  }
  assert.equal(taken, 8000);
  // The server of this process counts every text that it gave, some 100 bytes each.
  assert.ok(process.memoryUsage().heapUsed - early < 40e6);
});

test('texts that the endpoint refuses come as such, in their place; the others have their vectors', async (t) => {
  const { server, client } = await embedderAndClient(t, { batchSize: 8 });
  const bad = texts(1, 30)[0] ?? '';
  server.faults.add({ kind: 'status', status: 400 }, { when: (sent) => sent.includes(bad), times: 99 });
  const items = [...texts(40), ' '];
  const results = await collect(embedAll(items, { client, wanted }));
  const refused = results.filter(({ error }) => error !== undefined);
  assert.deepEqual(
    refused.map(({ item, error }) => [item, error?.code]),
    [
      [bad, 'BadRequest'],
      [' ', 'EmptyText'],
    ],
  );
  allRight(
    results.filter(({ error }) => error === undefined),
    texts(40).filter((text) => text !== bad),
  );
  assert.equal(client.meter.usage.refused, 2);
});

test('an endpoint that refuses whatever comes is the endpoint, and ends it', async (t) => {
  const { server, client } = await embedderAndClient(t);
  server.faults.add({ kind: 'status', status: 400 }, { times: 10_000 });
  const error = await failure(collect(embedAll(texts(5000), { client, wanted, queueBatches: 2 })));
  assert.equal(error.code, 'BadRequest');
  assert.ok(server.served.requests < 100);
});

test('what was embedded before it failed comes first, and is in the cache: the next run goes on', async (t) => {
  const { server, client } = await embedderAndClient(t, { batchSize: 4, maxConcurrency: 1 });
  const cache = new MemoryCache(1e6);
  const items = texts(100);
  const bad = items[50] ?? '';
  server.faults.add({ kind: 'status', status: 401 }, { when: (sent) => sent.includes(bad), times: 1 });
  const before: Embedded<string>[] = [];
  const error = await failure(
    (async () => {
      for await (const result of embedAll(items, { client, wanted, cache })) before.push(result);
    })(),
  );
  assert.equal(error.code, 'Unauthorized');
  assert.ok(before.length >= 48);
  const results = await collect(embedAll(items, { client, wanted, cache }));
  allRight(results, items);
  assert.ok([...server.served.texts.values()].every((times) => times === 1));
});

test('a budget ends it cleanly: never more than allowed is spent, and what was paid for is given', async (t) => {
  const meter = new Meter({ budget: { maxTokens: 200 } });
  const { server, client } = await embedderAndClient(t, { meter, batchSize: 4 });
  const got: Embedded<string>[] = [];
  const error = await failure(
    (async () => {
      for await (const result of embedAll(texts(200), { client, wanted })) got.push(result);
    })(),
  );
  assert.equal(error.code, 'BudgetUsedUp');
  assert.ok(server.served.tokens <= 200 && server.served.tokens >= 168, `${server.served.tokens}`);
  assert.equal(got.length, server.served.texts.size);
});

test('leaving early ends what is under way and the source', async (t) => {
  const { server, client } = await embedderAndClient(t, { batchSize: 2 });
  let ended = false;
  function* items(): Generator<string> {
    try {
      yield* texts(100);
    } finally {
      ended = true;
    }
  }
  server.faults.add({ kind: 'hang' }, { when: (sent) => sent.includes(texts(1, 9)[0] ?? ''), times: 99 });
  for await (const _ of embedAll(items(), { client, wanted })) break;
  assert.equal(ended, true);
});

test('a caller that aborts gets out, also while the source or the endpoint is silent', async (t) => {
  async function* silent(): AsyncGenerator<string> {
    yield* texts(3);
    await new Promise<never>(() => {});
  }
  for (const source of [silent(), texts(50)]) {
    const { server, client } = await embedderAndClient(t, { batchSize: 2 });
    server.faults.add({ kind: 'hang' }, { times: 99 });
    const signal = AbortSignal.timeout(30);
    const error = await failure(collect(embedAll(source, { client, wanted, signal })));
    assert.equal(error.code, 'Aborted');
  }
});

test('a source that fails ends it with the error of the source', async (t) => {
  const { client } = await embedderAndClient(t);
  async function* broken(): AsyncGenerator<string> {
    yield* texts(5);
    throw new Error('directory is gone');
  }
  await assert.rejects(collect(embedAll(broken(), { client, wanted })), /directory is gone/);
});

test('a cache that fails costs time, not the run; one with vectors of another length is not believed', async (t) => {
  const fails = async (): Promise<never> => {
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  };
  const broken: VectorCache = { get: fails, put: fails };
  const strange: VectorCache = {
    get: async (keys) => keys.map(() => Float32Array.of(1, 2)),
    put: async () => {},
  };
  for (const cache of [broken, strange]) {
    const { client } = await embedderAndClient(t, { dimensions: 64 });
    allRight(await collect(embedAll(texts(40), { client, wanted, cache })), texts(40));
  }
});

test('no run gives vectors of two lengths: what the cache has and the endpoint gives must agree', async (t) => {
  const { client } = await embedderAndClient(t);
  const cached = Float32Array.of(1, 2, 3);
  const [known] = texts(1);
  const cache: VectorCache = {
    get: async (keys) => keys.map((_key, index) => (index === 0 ? cached : undefined)),
    put: async () => {},
  };
  const got: Embedded<string>[] = [];
  const error = await failure(
    (async () => {
      for await (const result of embedAll(texts(9), { client, wanted, cache })) got.push(result);
    })(),
  );
  assert.equal(error.code, 'WrongDimension');
  assert.deepEqual(
    got.map(({ item, vector }) => [item, vector]),
    [[known, cached]],
  );
});
