import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { CANARY_TEXTS } from '../../../src/vectorize/embed/index.ts';
import type { VectorizeProgress } from '../../../src/vectorize/progress.ts';
import { Ground, page, type World } from './world.ts';

const ground = new Ground();
before(() => ground.start());
after(() => ground.stop());

/** The process is gone at some moment: nothing that it would still say is heard. */
async function killedRun(world: World, config: ReturnType<World['config']>, after: () => boolean): Promise<boolean> {
  const controller = new AbortController();
  const watching = setInterval(() => {
    if (!after()) return;
    world.store.dead = true;
    controller.abort(new Error('killed'));
  }, 1);
  try {
    await world.run(config, { signal: controller.signal });
  } catch {
    // It had not even written that it began.
  } finally {
    clearInterval(watching);
    world.store.revive();
  }
  return controller.signal.aborted;
}

/** Texts that went out more than once, canary texts aside. */
const twice = (world: World): number =>
  [...world.embedded].filter(([text, times]) => times > 1 && !CANARY_TEXTS.includes(text)).length;

test('a run that is killed goes on where it was, and embeds again only what was on its way', async (t) => {
  const world = await ground.world(t, { latency: () => 20, parallel: 2 });
  for (let n = 0; n < 200; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  const config = world.config({ embedder: { maxConcurrency: 2 } });
  let killed = 0;
  for (const limit of [40, 80, 120, 160]) {
    if (await killedRun(world, config, () => world.embedded.size - CANARY_TEXTS.length >= limit)) killed += 1;
  }
  assert.equal(killed, 4);
  const { result, counts } = await world.run(config);
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.equal(counts.chunks, 200);
  assert.equal((await world.points()).length, 200);
  // Two requests of eight texts, and two writes of what came before.
  assert.ok(twice(world) <= killed * 32, `${twice(world)} texts were embedded twice`);
});

for (const step of ['Listing', 'Embedding', 'Deleting', 'Verifying'] as const) {
  test(`killed at the step ${step}, the next pod brings the run to the same end`, async (t) => {
    const world = await ground.world(t);
    for (let n = 0; n < 20; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
    await world.run();
    for (let n = 0; n < 5; n += 1) world.remove(`${n}.md`);
    world.put('new.md', page('New', 'never seen'));
    const config = world.config({ mode: 'Repair' });
    const controller = new AbortController();
    world.store.onWrite = (progress) => {
      if (progress.run !== config.run || progress.step !== step) return;
      world.store.dead = true;
      controller.abort(new Error('killed'));
    };
    await world.run(config, { signal: controller.signal });
    assert.ok(controller.signal.aborted);
    world.store.revive();
    world.store.onWrite = () => {};
    const { result, counts, quality } = await world.run(config);
    assert.equal(result?.result, 'Succeeded', world.said);
    assert.deepEqual([counts.chunks, quality?.missing, quality?.orphans], [16, 0, 0]);
    assert.deepEqual(Object.keys(await world.texts()).length, 16);
  });
}

test('a run that has ended is not begun again by a pod that comes late', async (t) => {
  const world = await ground.world(t);
  world.put('a.md', page('Alpha', 'first letter'));
  const config = world.config();
  const first = await world.run(config);
  world.put('b.md', page('Beta', 'second letter'));
  const second = await world.run(config);
  assert.deepEqual(second.result, first.result);
  assert.deepEqual(Object.keys(await world.texts()), ['a.md']);
});

test('a second pod waits until the first one is surely gone', async (t) => {
  const world = await ground.world(t, { latency: () => 30, parallel: 1 });
  for (let n = 0; n < 60; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  const config = world.config({ leaseSeconds: 2 });
  const first = world.run(config);
  await sleep(100);
  const second = await world.run(config);
  await first;
  assert.equal(second.result?.result, 'Succeeded');
  assert.equal(twice(world), 0);
  assert.equal((await world.points()).length, 60);
});

test('progress tells the truth at every moment: it never goes back, and never beyond', async (t) => {
  const world = await ground.world(t, { latency: () => 80, parallel: 1 });
  for (let n = 0; n < 400; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
  await world.run({ embedder: { maxConcurrency: 1 } });
  const { seen } = world.store;
  assert.ok(seen.length >= 4, `${seen.length} writes`);
  for (const [index, progress] of seen.entries()) {
    const before: VectorizeProgress | undefined = seen[index - 1];
    assert.ok(progress.percent >= (before?.percent ?? 0));
    assert.ok(progress.counts.documents >= (before?.counts.documents ?? 0));
    assert.ok(progress.counts.embedded + progress.counts.reused <= 400);
  }
  const middle = seen.find(({ percent }) => percent > 20 && percent < 90);
  assert.ok(middle !== undefined && middle.chunksPerMinute > 0 && middle.expectedAt !== undefined);
});

const edits = fc.array(
  fc.record({ page: fc.nat({ max: 7 }), body: fc.option(fc.nat({ max: 5 }), { nil: undefined }) }),
  { minLength: 1, maxLength: 6 },
);
const story = fc.array(fc.record({ edits, killAt: fc.option(fc.nat({ max: 12 }), { nil: undefined }) }), {
  minLength: 1,
  maxLength: 4,
});

test('whatever happens to documents and pods, the library ends up with exactly the texts of the documents', async (t) => {
  const world = await ground.world(t, { latency: () => 2 });
  world.put('always.md', page('Always', 'is there'));
  const body = (n: number): string =>
    Array.from({ length: n + 1 }, (_, i) => `## Part ${i}\n\nbody ${n} of ${i}\n`).join('\n');
  await fc.assert(
    fc.asyncProperty(story, fc.constantFrom(0, 50_000), async (chapters, mostKnown) => {
      world.mostKnown = mostKnown;
      const there = new Map<string, number>();
      for (const { edits: some, killAt } of chapters) {
        for (const edit of some) {
          const path = `${edit.page}.md`;
          if (edit.body === undefined) {
            if (there.delete(path)) world.remove(path);
          } else {
            there.set(path, edit.body);
            world.put(path, body(edit.body));
          }
        }
        const config = world.config({ deletionGuardPercent: 100 });
        const { requests } = world.embedder.served;
        if (killAt !== undefined) {
          await killedRun(world, config, () => world.embedder.served.requests - requests >= killAt / 3);
        }
        const { result } = await world.run(config);
        assert.equal(result?.result, 'Succeeded', world.said);
        const texts = await world.texts();
        const expected = Object.fromEntries(
          [...there].map(([path, n]) => [path, Array.from({ length: n + 1 }, (_, i) => `Part ${i}|body ${n} of ${i}`)]),
        );
        const { 'always.md': _, ...found } = texts;
        const told = Object.fromEntries(
          Object.entries(found).map(([path, some]) => [
            path,
            some.map((text) => text.replace(/^(Part \d+)[\s\S]*?(body \d+ of \d+)\s*$/, '$1|$2')).toSorted(),
          ]),
        );
        assert.deepEqual(told, expected);
      }
      for (const path of there.keys()) world.remove(path);
      await world.run({ deletionGuardPercent: 100 });
    }),
    { numRuns: 12 },
  );
});
