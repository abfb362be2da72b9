import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { embed } from '../../../sandbox/embedder/hashing.ts';
import type { Report } from '../../../src/vectorize/quality/report.ts';
import { put } from '../source/files.ts';
import { DIMENSIONS, Ground, page, type World } from './world.ts';

const ground = new Ground();
before(() => ground.start());
after(() => ground.stop());

const filled = async (world: World): Promise<void> => {
  for (let n = 0; n < 20; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  await world.run();
};

async function report(world: World): Promise<{ json: Report; markdown: string }> {
  const [json, markdown] = await Promise.all([world.store.kept('report.json'), world.store.kept('report.md')]);
  return { json: JSON.parse(json ?? '') as Report, markdown: markdown ?? '' };
}

/** The point of a page. */
async function pointOf(world: World, document: string) {
  const point = (await world.points()).find(({ payload }) => payload['document'] === document);
  assert.ok(point);
  return point;
}

/** One of each kind. */
async function damage(world: World): Promise<void> {
  const { client } = world;
  await client.deletePoints('handbook', { ids: [(await pointOf(world, '1.md')).id] });
  const altered = await pointOf(world, '2.md');
  await client.upsert('handbook', [{ ...altered, payload: { ...altered.payload, text: 'not what it was' } }]);
  const outdated = await pointOf(world, '3.md');
  world.put('3.md', page('Page 3', 'rewritten since'));
  const zero = await pointOf(world, '4.md');
  await client.upsert('handbook', [{ ...zero, vector: Array.from({ length: DIMENSIONS }, () => 0) }]);
  const orphan = { ...outdated.payload, document: 'gone.md' };
  const id = '00000000-0000-4000-8000-000000000001';
  await client.upsert('handbook', [{ id, vector: outdated.vector, payload: orphan }]);
}

const DEFECTS = { missing: 1, outdated: 1, altered: 1, badVector: 1, orphan: 1 };

test('Verify finds what is right to be right, and changes nothing', async (t) => {
  const world = await ground.world(t);
  await filled(world);
  const before = await world.points();
  const { result, quality, counts } = await world.run({ mode: 'Verify' });
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.deepEqual([quality?.missing, quality?.orphans, quality?.duplicates], [0, 0, 0]);
  assert.deepEqual([counts.embedded, counts.reused, counts.deleted], [0, 20, 0]);
  assert.deepEqual(await world.points(), before);
});

test('Verify finds every defect that was made, names it, and changes nothing', async (t) => {
  const world = await ground.world(t);
  await filled(world);
  await damage(world);
  const before = await world.points();
  const { result, quality } = await world.run({ mode: 'Verify' });
  assert.deepEqual([result?.result, result?.reason], ['GateClosed', 'GatesClosed'], world.said);
  assert.deepEqual([quality?.missing, quality?.orphans], [4, 1]);
  const { json, markdown } = await report(world);
  assert.deepEqual(json.defects, DEFECTS);
  const where = json.findings.map(({ defect, document }) => `${defect} ${document}`).toSorted();
  assert.deepEqual(where, ['altered 2.md', 'badVector 4.md', 'missing 1.md', 'orphan gone.md', 'outdated 3.md']);
  assert.match(markdown, /\| consistency \| \*\*no\*\* \| 4 points are missing, outdated, altered or orphaned/);
  assert.deepEqual(await world.points(), before);
});

test('Repair mends all of it, and nothing is left for the next Verify', async (t) => {
  const world = await ground.world(t);
  await filled(world);
  await damage(world);
  const mended = await world.run({ mode: 'Repair' });
  assert.equal(mended.result?.result, 'Succeeded', world.said);
  assert.deepEqual([mended.counts.deleted, mended.quality?.missing, mended.quality?.orphans], [1, 0, 0]);
  const { json } = await report(world);
  assert.deepEqual([json.mended, json.defects], [true, DEFECTS]);
  const { result, quality } = await world.run({ mode: 'Verify' });
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.deepEqual([quality?.missing, quality?.orphans], [0, 0]);
  assert.match((await world.texts())['2.md']?.join('') ?? '', /topic 2/);
});

test('vectors that are not those of their texts show in the self-recall', async (t) => {
  const world = await ground.world(t);
  await filled(world);
  const gates = { minSelfRecallPercent: 90 };
  const good = await world.run({ mode: 'Verify', gates });
  assert.equal(good.result?.result, 'Succeeded', world.said);
  const wrong = (await world.points()).map((point, index) => ({
    ...point,
    vector: embed(`something else ${index} entirely ${index * 7}`, DIMENSIONS),
  }));
  await world.client.upsert('handbook', wrong);
  const bad = await world.run({ mode: 'Verify', gates });
  assert.equal(bad.result?.result, 'GateClosed');
  assert.match(
    bad.result?.message ?? '',
    /^selfRecall: \d+ of 20 sampled chunks found by their own text; at least 90 %/,
  );
});

test('golden queries must lead to their documents', async (t) => {
  const world = await ground.world(t);
  put(world.root, 'golden/queries.yaml', '- query: all about topic 7\n  document: 7.md\n  within: 3\n');
  await filled(world);
  const gates = { goldenQueries: true };
  assert.equal((await world.run({ gates })).result?.result, 'Succeeded', world.said);
  put(world.root, 'golden/queries.yaml', '- query: all about topic 7\n  document: nowhere.md\n');
  const closed = await world.run({ gates });
  assert.deepEqual([closed.result?.result, closed.result?.reason], ['GateClosed', 'GatesClosed']);
  assert.equal(closed.result?.message, 'goldenQueries: 0 of 1 golden queries answered; at least 100 % must be');
  put(world.root, 'golden/queries.yaml', '- question: what?\n');
  const invalid = await world.run({ gates });
  assert.deepEqual([invalid.result?.result, invalid.result?.reason], ['Failed', 'ConfigInvalid']);
  assert.match(invalid.result?.message ?? '', /^golden queries queries.yaml: \/0 /);
});

test('gates look at what a run did, and a run that did nothing keeps their answer', async (t) => {
  const world = await ground.world(t);
  await filled(world);
  world.put('binary.md', Buffer.from([0, 1, 2]));
  for (let n = 0; n < 5; n += 1) world.put(`copy${n}.md`, page('Page 0', 'all about topic 0'));
  const gates = { minSuccessPercent: 99, maxDuplicatePercent: 10, minSelfRecallPercent: 50 };
  const closed = await world.run({ gates });
  assert.deepEqual(
    closed.quality?.gates.map(({ name, passed }) => `${name} ${passed}`),
    ['success false', 'duplicates false', 'selfRecall true'],
  );
  world.remove('binary.md');
  for (let n = 0; n < 5; n += 1) world.remove(`copy${n}.md`);
  assert.equal((await world.run({ gates })).result?.result, 'Succeeded', world.said);
  const { requests } = world.embedder.served;
  const quiet = await world.run({ gates });
  assert.equal(quiet.result?.result, 'Succeeded', world.said);
  assert.equal(quiet.quality?.gates.length, 3);
  assert.equal(world.embedder.served.requests, requests);
});
