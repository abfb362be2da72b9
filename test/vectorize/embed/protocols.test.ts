import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialectOf } from '../../../src/vectorize/embed/protocols/index.ts';
import { embedderAndClient, failure, PROTOCOLS, rightVector, sameVector, texts } from './support.ts';

for (const protocol of PROTOCOLS) {
  test(`${protocol}: every text gets its own vector, in order, over many requests`, async (t) => {
    const { server, client } = await embedderAndClient(t, { protocol, batchSize: 7 });
    const wanted = texts(50);
    const vectors = await client.embed(wanted);
    for (const [index, text] of wanted.entries()) sameVector(vectors[index], rightVector(text));
    assert.equal(server.served.requests, 8);
    assert.equal(client.dimensions, 64);
  });

  test(`${protocol}: dimensions are asked for, and come with length 1`, async (t) => {
    const { client } = await embedderAndClient(t, { protocol, dimensions: 16, norm: 'unit' });
    for (const [index, vector] of (await client.embed(texts(3))).entries()) {
      sameVector(vector, rightVector(texts(3)[index] ?? '', 16));
    }
  });

  test(`${protocol}: nothing to embed asks for nothing`, async (t) => {
    const { server, client } = await embedderAndClient(t, { protocol });
    assert.deepEqual(await client.embed([]), []);
    assert.equal(server.served.requests, 0);
  });

  test(`${protocol}: a wrong key is Unauthorized at once`, async (t) => {
    const { server, client } = await embedderAndClient(t, { protocol, apiKey: 'wrong', serve: { apiKey: 'right' } });
    const error = await failure(client.embed(['a']));
    assert.equal(error.code, 'Unauthorized');
    assert.equal(error.permanent, true);
    assert.equal(server.served.requests, 0);
  });

  test(`${protocol}: a text that is too long is refused by its index, and never cut`, async (t) => {
    const serve = { maxTokens: 20 };
    const { client } = await embedderAndClient(t, { protocol, serve });
    const long = protocol === 'Gemini' ? 'word '.repeat(2049) : 'word '.repeat(21);
    const error = await failure(client.embed([...texts(5), long, ...texts(2)]));
    assert.equal(error.code, 'TooLarge');
    assert.equal(error.textIndex, 5);
    assert.equal(error.permanent, true);
  });
}

test('a model that the endpoint does not have is named as such', async (t) => {
  for (const protocol of ['Ollama', 'OpenAI', 'Gemini'] as const) {
    const { client } = await embedderAndClient(t, { protocol, model: 'other' });
    const error = await failure(client.embed(['a']));
    assert.equal(error.code, 'NotFound');
    assert.match(error.message, /answered 404/);
  }
});

test('OpenAI: numbers as text and as base64 give the same vectors', async (t) => {
  const { client: asText } = await embedderAndClient(t, { encoding: 'float' });
  const { client: asBase64 } = await embedderAndClient(t, { encoding: 'base64' });
  assert.deepEqual(await asText.embed(texts(5)), await asBase64.embed(texts(5)));
});

test('the base URL may end in /, /v1 or a path', async (t) => {
  const { server } = await embedderAndClient(t);
  for (const end of ['/', '/v1', '/v1/']) {
    const { client } = await embedderAndClient(t, { url: server.url + end });
    assert.equal((await client.embed(['a'])).length, 1);
  }
});

test('TEI: the limits of a request are read from /info, the smaller of them and the own counts', async (t) => {
  const { server, client } = await embedderAndClient(t, { protocol: 'TEI', batchSize: 100, serve: { maxBatch: 8 } });
  await client.embed(texts(32));
  assert.equal(server.served.requests, 4);
  assert.deepEqual(await client.info(), { maxBatch: 8, maxTokens: 512, maxBatchTokens: 16_384, dimensions: 64 });
});

test('Ollama and Gemini tell what they know of the model', async (t) => {
  const { client: ollama } = await embedderAndClient(t, { protocol: 'Ollama' });
  assert.deepEqual(await ollama.info(), { maxBatch: 2048, dimensions: 64, maxTokens: 512 });
  const { client: gemini } = await embedderAndClient(t, { protocol: 'Gemini' });
  assert.deepEqual(await gemini.info(), { maxBatch: 100, maxTokens: 512 });
  const { client: openai } = await embedderAndClient(t, { protocol: 'OpenAI' });
  assert.deepEqual(await openai.info(), { maxBatch: 2048, maxTokens: 8192 });
});

test('what is not of the protocol is not taken for a vector', () => {
  const heard = (json: unknown) => ({ json, headers: {} });
  const strange: unknown[] = [null, 1, 'x', {}, [1], [[1], 2], { data: 1 }, { data: [1] }, { embeddings: [1] }];
  for (const protocol of PROTOCOLS) {
    const dialect = dialectOf(protocol, { model: 'm', encoding: 'float' });
    for (const json of strange)
      assert.equal(dialect.read(heard(json)), undefined, `${protocol} ${JSON.stringify(json)}`);
  }
  const openai = dialectOf('OpenAI', { model: 'm', encoding: 'base64' });
  for (const data of [
    [
      { index: 0, embedding: [1] },
      { index: 0, embedding: [1] },
    ],
    [{ index: 1, embedding: [1] }],
    [{ index: 0, embedding: 'AAA=' }],
    [{ index: 'length', embedding: [1] }],
  ]) {
    assert.equal(openai.read(heard({ data })), undefined, JSON.stringify(data));
  }
});

test('null and text inside a vector come as NaN, never as 0', () => {
  const tei = dialectOf('TEI', { model: 'm', encoding: 'float' });
  const answer = tei.read({ json: [[1, null, '2']], headers: {} });
  assert.deepEqual(answer?.vectors, [Float32Array.of(1, Number.NaN, Number.NaN)]);
});
