import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Ground } from './world.ts';

const ground = new Ground();
before(() => ground.start());
after(() => ground.stop());

const page = (title: string, body: string): string => `# ${title}\n\n${body}\n`;

test('documents become points with their texts, places and marks', async (t) => {
  const world = await ground.world(t);
  world.put('a.md', page('Alpha', 'first letter'));
  world.put('b/c.md', `${page('Beta', 'second letter')}\n## Deeper\n\nmore of it\n`);
  const { result, counts, percent, total, cursor } = await world.run();
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.deepEqual(counts, {
    documents: 2,
    chunks: 3,
    embedded: 3,
    reused: 0,
    deleted: 0,
    failed: 0,
    tokens: counts.tokens,
  });
  assert.deepEqual({ percent, total, cursor }, { percent: 100, total: 2, cursor: 'b/c.md' });
  const texts = await world.texts();
  assert.deepEqual(Object.keys(texts).toSorted(), ['a.md', 'b/c.md']);
  const [point] = (await world.points()).filter(({ payload }) => payload['document'] === 'a.md');
  const { source, _librarian: mark } = point?.payload ?? {};
  assert.equal(source, 'docs/handbook');
  assert.deepEqual(Object.keys(Object(mark)).toSorted(), ['chunks', 'hash', 'job', 'revision']);
});

test('a second run embeds nothing and asks the embedder nothing', async (t) => {
  const world = await ground.world(t);
  for (let n = 0; n < 40; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  await world.run();
  const { requests } = world.embedder.served;
  const { result, counts } = await world.run();
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.deepEqual(counts, { documents: 40, chunks: 40, embedded: 0, reused: 40, deleted: 0, failed: 0, tokens: 0 });
  assert.equal(world.embedder.served.requests, requests);
});
