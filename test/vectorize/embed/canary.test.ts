import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CANARY_TEXTS,
  type Canary,
  checkCanary,
  compareCanaries,
  type Embedder,
  takeCanary,
} from '../../../src/vectorize/embed/index.ts';
import { embedderAndClient, failure } from './support.ts';

/** The same endpoint, but for what `change` does to its vectors. */
const altered = (embedder: Embedder, change: (vector: Float32Array, index: number) => Float32Array): Embedder => ({
  info: () => embedder.info(),
  embed: async (texts, options) => (await embedder.embed(texts, options)).map(change),
});

test('there are 32 different canary texts', () => {
  assert.equal(new Set(CANARY_TEXTS).size, 32);
});

test('the same model is the same, kept as JSON in between, and rounding is no change', async (t) => {
  const { client } = await embedderAndClient(t);
  const stored = JSON.parse(JSON.stringify(await takeCanary(client))) as Canary;
  assert.deepEqual(await checkCanary(client, stored), stored);
  const rounded = altered(client, (vector) => vector.map((value) => Math.round(value * 4096) / 4096));
  assert.equal(compareCanaries(stored, await takeCanary(rounded)).same, true);
});

test('one text whose vector moved is enough, and is named', async (t) => {
  const { client } = await embedderAndClient(t);
  const stored = await takeCanary(client);
  const moved = altered(client, (vector, index) =>
    index === 5 ? vector.map((value, place) => value + (place === 0 ? 0.1 : 0)) : vector,
  );
  const verdict = compareCanaries(stored, await takeCanary(moved));
  assert.equal(verdict.same, false);
  assert.match(verdict.same ? '' : verdict.reason, /^canary text 5 has cosine 0\.9/);
});

test('another dimension, fewer texts and damaged vectors are a change', async (t) => {
  const { client } = await embedderAndClient(t);
  const stored = await takeCanary(client);
  const { client: small } = await embedderAndClient(t, { dimensions: 32 });
  const error = await failure(checkCanary(small, stored));
  assert.equal(error.code, 'ModelChanged');
  assert.equal(error.permanent, true);
  assert.match(error.message, /vectors have 32 numbers, before 64/);
  assert.equal(compareCanaries(stored, { ...stored, vectors: stored.vectors.slice(1) }).same, false);
  assert.equal(compareCanaries(stored, { ...stored, vectors: stored.vectors.with(3, '') }).same, false);
});
