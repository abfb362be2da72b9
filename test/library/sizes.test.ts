import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { collectionLook, type Look } from '../../src/library/look.ts';
import { VectorSizes } from '../../src/library/sizes.ts';
import type { ClusterClient } from '../../src/qdrant/index.ts';
import { library, Sim } from './sim.ts';

/** A cluster that says so many bytes, and how often it was asked. */
function asked(answer: () => number | undefined) {
  let times = 0;
  const clusterTelemetry = async () => {
    times += 1;
    const bytes = answer();
    if (bytes === undefined) throw new Error('refused');
    return { collections: { 'docs--g1': { id: 'docs--g1', shards: [{ replicas: [{ vectors_size_bytes: bytes }] }] } } };
  };
  const client = { peer: () => ({ clusterTelemetry }) } as unknown as ClusterClient;
  return { client, times: () => times };
}

function serving(points: number): { look: Look; collection: NonNullable<ReturnType<typeof collectionLook>> } {
  const sim = new Sim(library());
  sim.settle(8);
  const { active } = sim;
  if (active !== undefined) active.info = { ...active.info, points_count: points };
  const look = sim.look();
  const collection = collectionLook(look, 'docs--g1');
  if (collection === undefined) throw new Error('no collection');
  return { look, collection };
}

test('the size is asked for beside the passes: at once, when points change, and rarely else', async () => {
  let bytes = 100;
  const { client, times } = asked(() => bytes);
  const sizes = new VectorSizes();
  const sizeAt = async (seconds: number, points: number): Promise<number | undefined> => {
    const { look, collection } = serving(points);
    const told = sizes.of(client, look, collection, seconds * 1000);
    await turn();
    return told;
  };
  assert.equal(await sizeAt(0, 10), undefined, 'the first pass does not wait for it');
  assert.equal(await sizeAt(1, 10), 100);
  assert.equal(await sizeAt(250, 10), 100);
  assert.equal(times(), 1);
  bytes = 200;
  await sizeAt(260, 20);
  assert.equal(await sizeAt(261, 30), 200);
  assert.equal(times(), 2, 'not again within 5 s');
  await sizeAt(266, 30);
  assert.equal(times(), 3);
  await sizeAt(500, 30);
  assert.equal(times(), 3);
  await sizeAt(570, 30);
  assert.equal(times(), 4);
});

test('one question is for all libraries of a cluster', async () => {
  const { client, times } = asked(() => 100);
  const sizes = new VectorSizes();
  const { look, collection } = serving(1);
  const names = ['docs--g1', 'code--g1', 'models--g1'];
  for (let pass = 0; pass < 3; pass += 1) {
    for (const name of names) sizes.of(client, look, { ...collection, name }, pass * 10_000);
    await turn();
  }
  assert.equal(times(), 2, 'the first, and one for those that it did not know');
});

test('a question that fails undoes nothing', async () => {
  let bytes: number | undefined = 100;
  const { client } = asked(() => bytes);
  const sizes = new VectorSizes();
  const { look, collection } = serving(1);
  sizes.of(client, look, collection, 0);
  await turn();
  bytes = undefined;
  assert.equal(sizes.of(client, look, { ...collection, points: 2 }, 10_000), 100);
  await turn();
  assert.equal(sizes.of(client, look, { ...collection, points: 2 }, 11_000), 100);
  assert.equal(sizes.of(client, look, { ...collection, name: 'docs--g2' }, 11_000), undefined);
});

test('a size is awaited while its question has no answer, and not where none comes', async () => {
  let bytes: number | undefined = 100;
  const { client } = asked(() => bytes);
  const sizes = new VectorSizes();
  const { look, collection } = serving(1);
  assert.equal(sizes.awaits(client, collection), false, 'nobody asked');
  sizes.of(client, look, collection, 0);
  assert.equal(sizes.awaits(client, collection), true);
  await turn();
  assert.equal(sizes.awaits(client, collection), false, 'told');
  const other = { ...collection, name: 'code--g1' };
  sizes.of(client, look, other, 1000);
  assert.equal(sizes.awaits(client, other), true, 'asked for within 5 s');
  sizes.of(client, look, other, 6000);
  await turn();
  assert.equal(sizes.awaits(client, other), false, 'the answer did not tell it');

  bytes = undefined;
  const mute = asked(() => bytes).client;
  sizes.of(mute, look, collection, 0);
  await turn();
  sizes.of(mute, look, { ...collection, points: 2 }, 1000);
  assert.equal(sizes.awaits(mute, collection), false, 'a server that tells no size is not looked at more often');
});
