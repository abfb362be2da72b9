import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embed } from '../../../sandbox/embedder/hashing.ts';
import { type EmbedderOptions, startEmbedder } from '../../../sandbox/embedder/server.ts';

const TEXTS = ['red apples', 'green pears'];
const RIGHT = TEXTS.map((text) => embed(text, 64));

type Sent = { readonly path: string; readonly body: unknown; readonly headers?: Record<string, string> };

/** Asks a server that is there for one test. */
async function asking(
  options: EmbedderOptions,
  work: (ask: (sent: Sent) => Promise<{ status: number; json: unknown; headers: Headers }>) => Promise<void>,
): Promise<void> {
  const server = await startEmbedder(options);
  try {
    await work(async ({ path, body, headers = {} }) => {
      const answer = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body), headers });
      const text = await answer.text();
      return { status: answer.status, json: text === '' ? undefined : JSON.parse(text), headers: answer.headers };
    });
  } finally {
    await server.stop();
  }
}

test('Ollama: vectors in order and a count of tokens; too long is cut, or refused when asked not to', async () => {
  await asking({ maxTokens: 2 }, async (ask) => {
    const body = { model: 'hashing', input: TEXTS };
    const { json } = await ask({ path: '/api/embed', body });
    assert.deepEqual(json, { model: 'hashing', embeddings: RIGHT, prompt_eval_count: 4 });
    const long = { model: 'hashing', input: 'red apples and more' };
    assert.deepEqual((await ask({ path: '/api/embed', body: long })).json, {
      model: 'hashing',
      embeddings: [RIGHT[0]],
      prompt_eval_count: 4,
    });
    assert.equal((await ask({ path: '/api/embed', body: { ...long, truncate: false } })).status, 400);
    assert.equal((await ask({ path: '/api/embed', body: { model: 'other', input: 'x' } })).status, 404);
  });
});

test('OpenAI: vectors carry their index, and come as base64 when asked for', async () => {
  await asking({}, async (ask) => {
    const body = { model: 'hashing', input: TEXTS };
    const { json } = await ask({ path: '/v1/embeddings', body });
    const { data } = json as { data: { index: number; embedding: number[] }[] };
    for (const { index, embedding } of data) assert.deepEqual(embedding, RIGHT[index]);
    const encoded = await ask({ path: '/v1/embeddings', body: { ...body, encoding_format: 'base64' } });
    const [last] = (encoded.json as { data: { index: number; embedding: string }[] }).data;
    const bytes = Buffer.from(last?.embedding ?? '', 'base64');
    assert.equal(bytes.length, 64 * 4);
    assert.equal(bytes.readFloatLE(0), Math.fround(RIGHT[last?.index ?? 0]?.[0] ?? 9));
  });
});

test('TEI: a list of vectors, and 413 over its batch size and the length of a text', async () => {
  await asking({ maxBatch: 2, maxTokens: 3 }, async (ask) => {
    const { json, headers } = await ask({ path: '/embed', body: { inputs: TEXTS } });
    assert.deepEqual(json, RIGHT);
    assert.equal(headers.get('x-compute-tokens'), '4');
    assert.equal((await ask({ path: '/embed', body: { inputs: [...TEXTS, 'x'] } })).status, 413);
    assert.equal((await ask({ path: '/embed', body: { inputs: 'a b c d' } })).status, 413);
  });
});

test('Gemini: fewer dimensions come without length 1, and a wrong key is a 400', async () => {
  await asking({ apiKey: 'right' }, async (ask) => {
    const path = '/v1beta/models/hashing:batchEmbedContents';
    const request = { model: 'models/hashing', content: { parts: [{ text: 'red apples' }] } };
    const headers = { 'x-goog-api-key': 'right' };
    const whole = await ask({ path, body: { requests: [request] }, headers });
    assert.deepEqual(whole.json, { embeddings: [{ values: RIGHT[0] }] });
    const fewer = await ask({ path, body: { requests: [{ ...request, outputDimensionality: 8 }] }, headers });
    const [{ values } = { values: [] }] = (fewer.json as { embeddings: { values: number[] }[] }).embeddings;
    assert.ok(Math.abs(Math.hypot(...values) - 0.7) < 1e-9);
    assert.equal((await ask({ path, body: { requests: [request] } })).status, 400);
  });
});

test('a fault that was planned by HTTP happens so often and then no more', async () => {
  await asking({}, async (ask) => {
    await ask({ path: '/faults', body: { kind: 'status', status: 429, retryAfter: '7', times: 2 } });
    const sent = { path: '/embed', body: { inputs: ['x'] } };
    const answers = [await ask(sent), await ask(sent), await ask(sent)];
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers.get('retry-after')]),
      [
        [429, '7'],
        [429, '7'],
        [200, null],
      ],
    );
  });
});
