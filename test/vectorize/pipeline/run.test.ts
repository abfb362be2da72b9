import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Ground, page } from './world.ts';

const ground = new Ground();
before(() => ground.start());
after(() => ground.stop());

test('documents become points with their texts, places and marks', async (t) => {
  const world = await ground.world(t);
  world.put('a.md', page('Alpha', 'first letter'));
  world.put('b/c.md', `${page('Beta', 'second letter')}\n## Deeper\n\nmore of it\n`);
  const { result, counts, percent, total, cursor } = await world.run();
  assert.equal(result?.result, 'Succeeded', world.said);
  const { tokens, ...rest } = counts;
  assert.deepEqual(rest, { documents: 2, chunks: 3, embedded: 3, reused: 0, deleted: 0, failed: 0 });
  assert.ok(tokens > 10);
  assert.deepEqual({ percent, total, cursor }, { percent: 100, total: 2, cursor: 'b/c.md' });
  assert.deepEqual(Object.keys(await world.texts()).toSorted(), ['a.md', 'b/c.md']);
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

test('what changed is embedded, what is gone is deleted, the rest is left', async (t) => {
  const world = await ground.world(t);
  for (let n = 0; n < 10; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  await world.run();
  world.put('3.md', page('Page 3', 'something else'));
  world.put('new.md', page('New', 'never seen'));
  world.remove('5.md');
  const { counts } = await world.run();
  const { embedded, reused, deleted, documents } = counts;
  assert.deepEqual({ embedded, reused, deleted, documents }, { embedded: 2, reused: 8, deleted: 1, documents: 10 });
  const texts = await world.texts();
  assert.equal(texts['5.md'], undefined);
  assert.match(texts['3.md']?.join('') ?? '', /something else/);
});

test('a document that moves takes its vectors along', async (t) => {
  const world = await ground.world(t);
  for (let n = 0; n < 10; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  await world.run();
  world.remove('3.md');
  world.put('moved/3.md', page('Page 3', 'all about topic 3'));
  const { counts } = await world.run();
  assert.deepEqual([counts.embedded, counts.reused, counts.deleted], [0, 10, 1]);
  assert.match((await world.texts())['moved/3.md']?.join('') ?? '', /topic 3/);
});

test('a section that only moves down its page keeps its vector and learns its new lines', async (t) => {
  const world = await ground.world(t);
  const second = '## Second\n\nit stays as it is\n';
  world.put('a.md', `# First\n\none\n\n${second}`);
  await world.run();
  world.put('a.md', `# First\n\none\n\ntwo\n\nthree\n\n${second}`);
  const { counts } = await world.run();
  assert.deepEqual([counts.embedded, counts.reused], [1, 1]);
  const point = (await world.points()).find(({ payload }) => JSON.stringify(payload).includes('it stays'));
  assert.deepEqual(point?.payload['lines'], [9, 11]);
});

test('equal texts are embedded once', async (t) => {
  const world = await ground.world(t);
  for (let n = 0; n < 30; n += 1) world.put(`${n}.md`, page('Same', 'the very same text'));
  const { counts } = await world.run();
  assert.deepEqual([counts.chunks, counts.embedded, counts.reused], [30, 1, 29]);
  assert.equal((await world.points()).length, 30);
});

test('what somebody else keeps in the library is neither counted nor touched', async (t) => {
  const world = await ground.world(t);
  const vector = Array.from({ length: 32 }, () => 0.5);
  const payload = { document: 'a.md', source: 'docs/handbook', text: 'mine' };
  await world.client.upsert('handbook', [{ id: 7, vector, payload }]);
  world.put('a.md', page('Alpha', 'first letter'));
  await world.run();
  world.remove('a.md');
  world.put('b.md', page('Beta', 'second letter'));
  await world.run({ deletionGuardPercent: 100 });
  assert.deepEqual(Object.keys(await world.texts()).toSorted(), ['a.md', 'b.md']);
  assert.deepEqual((await world.texts())['a.md'], ['mine']);
});

test('documents that can not be cut are named, and keep what the target has of them', async (t) => {
  const world = await ground.world(t);
  for (const name of ['binary.md', 'utf16.md', 'huge.md']) world.put(name, page(name, `about ${name}`));
  world.put('empty.md', '');
  await world.run();
  world.put('binary.md', Buffer.from([35, 32, 0, 1, 2]));
  world.put('utf16.md', Buffer.from('\ufeff# hello', 'utf16le'));
  world.put('huge.md', 'x'.repeat(2000));
  const { result, counts, failures } = await world.run({ maxDocumentBytes: 1000 });
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.equal(counts.failed, 3);
  assert.deepEqual(failures.map(({ path, reason }) => `${path} ${reason}`).toSorted(), [
    'binary.md Binary',
    'huge.md TooLarge',
    'utf16.md NotUtf8',
  ]);
  assert.deepEqual(Object.keys(await world.texts()).toSorted(), ['binary.md', 'huge.md', 'utf16.md']);
});

test('a document that becomes empty loses its points', async (t) => {
  const world = await ground.world(t);
  world.put('a.md', page('Alpha', 'first letter'));
  world.put('b.md', page('Beta', 'second letter'));
  await world.run();
  world.put('a.md', '\n');
  const { counts } = await world.run();
  assert.deepEqual([counts.deleted, counts.failed], [1, 0]);
  assert.deepEqual(Object.keys(await world.texts()), ['b.md']);
});

test('a run that would delete more than the guard allows deletes nothing, and says so', async (t) => {
  const world = await ground.world(t);
  for (let n = 0; n < 10; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  await world.run();
  for (let n = 0; n < 6; n += 1) world.remove(`${n}.md`);
  world.put('new.md', page('New', 'never seen'));
  const stopped = await world.run();
  assert.deepEqual([stopped.result?.result, stopped.result?.reason], ['Stopped', 'DeletionGuard']);
  assert.equal(stopped.result?.message, '6 of 11 points would be deleted, more than 50 %: none was');
  assert.equal((await world.points()).length, 11);
  const { counts } = await world.run({ deletionGuardPercent: 60 });
  assert.equal(counts.deleted, 6);
  assert.equal((await world.points()).length, 5);
});

test('an empty source deletes nothing while the job has points: a volume may not be mounted', async (t) => {
  const world = await ground.world(t);
  world.put('a.md', page('Alpha', 'first letter'));
  await world.run();
  world.remove('a.md');
  const { result } = await world.run({ deletionGuardPercent: 99 });
  assert.deepEqual([result?.result, result?.reason], ['Failed', 'SourceEmpty']);
  assert.equal((await world.points()).length, 1);
});

test('an incomplete listing deletes nothing', async (t) => {
  const world = await ground.world(t);
  for (const name of ['a', 'b', 'c']) world.put(`${name}.md`, page(name, `about ${name}`));
  await world.run();
  world.remove('a.md');
  world.put(`${'deep/'.repeat(70)}x.md`, page('Deep', 'far below'));
  const { result } = await world.run();
  assert.deepEqual([result?.result, result?.reason], ['Stopped', 'ListingIncomplete']);
  assert.match(result?.message ?? '', /deeper than 64 directories/);
  assert.equal((await world.points()).length, 3);
});

test('a source that is not there fails the run by name', async (t) => {
  const world = await ground.world(t);
  const { result } = await world.run({ source: { kind: 'directory', below: 'nowhere' } });
  assert.deepEqual([result?.result, result?.reason], ['Failed', 'SourceMissing']);
});

test('a budget that is used up stops the run; the next one goes on where it stopped', async (t) => {
  const world = await ground.world(t, { parallel: 1 });
  for (let n = 0; n < 60; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  const maxTokens = 700;
  const first = await world.run({ budget: { maxTokens } });
  assert.deepEqual([first.result?.result, first.result?.reason], ['Stopped', 'BudgetUsedUp'], world.said);
  assert.ok(first.counts.tokens <= maxTokens, `${first.counts.tokens} tokens`);
  const { embedded } = first.counts;
  assert.ok(embedded > 0 && embedded < 60, `${embedded}`);
  assert.equal((await world.points()).length, embedded);
  const second = await world.run();
  assert.deepEqual([second.counts.embedded, second.counts.reused], [60 - embedded, embedded]);
  assert.equal(second.result?.result, 'Succeeded');
});

test('a budget of money stops the run before it is exceeded, over all of its pods', async (t) => {
  const world = await ground.world(t);
  for (let n = 0; n < 40; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n} `.repeat(8)));
  const budget = { pricePerMillionTokens: 1000, maxCost: 0.7 };
  const embedder = { batchSize: 2, maxConcurrency: 1 };
  const config = world.config({ budget, embedder });
  const { result, counts } = await world.run(config);
  assert.deepEqual([result?.result, result?.reason], ['Stopped', 'BudgetUsedUp'], world.said);
  assert.match(result?.message ?? '', /\d\.\d{4} of 0\.7 is spent, and the next request would go over/);
  assert.ok(counts.tokens > 500 && counts.tokens <= 700, `${counts.tokens} tokens at 0.001`);
  // Another pod of the same run, after a kill: what was spent before counts.
  const { progress } = world.store;
  assert.ok(progress);
  const { result: _, ...open } = progress;
  await world.store.write({ ...open, holder: { ...open.holder, released: true } }, (await world.store.read()).version);
  const second = await world.run(config);
  assert.equal(second.result?.reason, 'BudgetUsedUp');
  assert.ok(second.counts.tokens <= 700, `${second.counts.tokens} tokens at 0.001`);
  const { result: last } = await world.run({ embedder });
  assert.equal(last?.result, 'Succeeded', world.said);
  assert.equal((await world.points()).length, 40);
});

test('another way of cutting gives other points, and leaves none of the old ones', async (t) => {
  const world = await ground.world(t);
  world.put('a.md', page('Alpha', Array.from({ length: 90 }, (_, n) => `word${n} of it.`).join(' ')));
  const long = await world.run({ chunking: { maxTokens: 64 } });
  const short = await world.run({ chunking: { maxTokens: 32 }, deletionGuardPercent: 100 });
  assert.ok(short.counts.chunks > long.counts.chunks);
  assert.equal((await world.points()).length, short.counts.chunks);
});

test('another model in the spec embeds everything anew, in place', async (t) => {
  const world = await ground.world(t);
  for (let n = 0; n < 5; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  await world.run();
  const { counts } = await world.run({ embedder: { documentPrefix: 'passage: ' } });
  assert.deepEqual([counts.embedded, counts.reused, counts.deleted], [5, 0, 0]);
  assert.equal((await world.points()).length, 5);
});
