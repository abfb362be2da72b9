import assert from 'node:assert/strict';
import { existsSync, renameSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, type TestContext, test } from 'node:test';
import { CANARY_TEXTS } from '../../../src/vectorize/embed/index.ts';
import { put } from '../source/files.ts';
import { Ground, page, type World } from './world.ts';

const ground = new Ground();
before(() => ground.start());
after(() => ground.stop());

const fill = (world: World, count: number): void => {
  for (let n = 0; n < count; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `all about topic ${n}`));
};
const ofCanary = (texts: readonly string[]): boolean => texts.some((text) => CANARY_TEXTS.includes(text));
const ofDocuments = (texts: readonly string[]): boolean => !ofCanary(texts);

/** Every vector that is stored has length 1 and the right number of numbers. */
async function onlyGoodVectors(world: World): Promise<void> {
  for (const { vector } of await world.points()) {
    const numbers = vector as readonly number[];
    assert.equal(numbers.length, 32);
    assert.ok(Math.abs(Math.hypot(...numbers) - 1) < 1e-3);
  }
}

const PASSING = [
  { kind: 'status', status: 500 },
  { kind: 'status', status: 429, retryAfter: '0' },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 413 },
  { kind: 'half' },
  { kind: 'cut' },
  { kind: 'nan' },
  { kind: 'zero' },
  { kind: 'constant' },
  { kind: 'notJson' },
] as const;

for (const fault of PASSING) {
  const name = 'status' in fault ? String(fault.status) : fault.kind;
  test(`an embedder that answers ${name} for a while costs time only`, async (t) => {
    const world = await ground.world(t);
    fill(world, 20);
    world.embedder.faults.add(fault, { times: 5, when: ofDocuments });
    const { result, counts } = await world.run();
    assert.equal(result?.result, 'Succeeded', world.said);
    assert.equal(counts.chunks, 20);
    assert.equal((await world.points()).length, 20);
    await onlyGoodVectors(world);
  });
}

test('an embedder that hangs is given up on in time, and asked again', async (t) => {
  const world = await ground.world(t);
  fill(world, 20);
  world.embedder.faults.add({ kind: 'hang' }, { times: 2, when: ofDocuments });
  const { result } = await world.run({ embedder: { timeoutSeconds: 1 } });
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.equal((await world.points()).length, 20);
});

test('a worker whose embedder is silent lives on and tells that it gets nowhere; with the answer it gets on', async (t) => {
  const world = await ground.world(t);
  fill(world, 20);
  world.embedder.faults.add({ kind: 'hang' }, { times: 2, when: ofDocuments });
  const { result } = await world.run({ embedder: { timeoutSeconds: 7 } });
  assert.equal(result?.result, 'Succeeded', world.said);
  const told = world.store.seen.map(({ holder, activity = -1 }) => ({ beat: holder.beat, activity }));
  const still = told.filter(
    ({ activity }, at) => activity === told[at - 1]?.activity && activity === told[at - 2]?.activity,
  );
  assert.ok(still.length > 0, `beats without getting on: ${JSON.stringify(told)}`);
  for (const [at, { beat, activity }] of told.entries()) {
    const before = told[at - 1];
    if (before !== undefined) assert.ok(beat > before.beat && activity >= before.activity, JSON.stringify(told));
  }
  assert.ok((told.at(-1)?.activity ?? 0) > (still[0]?.activity ?? 0));
});

const LASTING = [
  [{ kind: 'status', status: 401 }, 'EmbedderUnauthorized'],
  [{ kind: 'status', status: 404 }, 'EmbedderRefused'],
  [{ kind: 'wrongDimension' }, 'TargetUnsuitable'],
  [{ kind: 'status', status: 500 }, 'EmbedderUnreachable'],
  [{ kind: 'nan' }, 'EmbedderWrong'],
  [{ kind: 'constant' }, 'EmbedderWrong'],
  [{ kind: 'half' }, 'EmbedderWrong'],
] as const;

for (const [fault, reason] of LASTING) {
  const name = 'status' in fault ? String(fault.status) : fault.kind;
  test(`an embedder that always answers ${name} ends the run as ${reason}, with nothing stored`, async (t) => {
    const world = await ground.world(t);
    fill(world, 20);
    world.embedder.faults.add(fault, { times: 100_000 });
    const failed = await world.run({ patienceSeconds: 1 });
    assert.deepEqual([failed.result?.result, failed.result?.reason], ['Failed', reason], world.said);
    assert.deepEqual(await world.points(), []);
    world.embedder.faults.clear();
    const { result } = await world.run();
    assert.equal(result?.result, 'Succeeded', world.said);
    assert.equal((await world.points()).length, 20);
  });
}

for (const status of [400, 413]) {
  test(`a text that the embedder refuses with ${status} fails its document alone, which keeps what it had`, async (t) => {
    const world = await ground.world(t);
    fill(world, 10);
    await world.run();
    world.put('4.md', page('Page 4', 'poison'));
    world.embedder.faults.add(
      { kind: 'status', status },
      { times: 1000, when: (texts) => texts.some((text) => text.includes('poison')) },
    );
    const { result, counts, failures } = await world.run();
    assert.equal(result?.result, 'Succeeded', world.said);
    assert.equal(counts.failed, 1);
    assert.deepEqual(
      failures.map(({ path, reason }) => [path, reason]),
      [['4.md', 'EmbedderRefused']],
    );
    assert.match((await world.texts())['4.md']?.join('') ?? '', /topic 4/);
  });
}

test('a model that was exchanged behind the same name is noticed before anything is stored', async (t) => {
  const world = await ground.world(t);
  fill(world, 5);
  await world.run();
  const before = await world.texts();
  world.put('new.md', page('New', 'never seen'));
  const swapped = await swappedModel(t, world);
  const changed = await world.run({ embedder: { url: swapped } });
  assert.deepEqual([changed.result?.result, changed.result?.reason], ['Failed', 'ModelChanged'], world.said);
  assert.deepEqual(await world.texts(), before);
  const full = await world.run({ mode: 'Full', embedder: { url: swapped } });
  assert.equal(full.result?.result, 'Succeeded', world.said);
  assert.deepEqual([full.counts.embedded, full.counts.reused], [6, 0]);
  const again = await world.run({ embedder: { url: swapped } });
  assert.deepEqual([again.counts.embedded, again.counts.reused], [0, 6]);
});

/** Another model behind a proxy: each vector turned around. */
async function swappedModel(t: TestContext, world: World): Promise<string> {
  const server = createServer((incoming, response) => {
    void (async () => {
      const body = (await Array.fromAsync(incoming as AsyncIterable<Buffer>)).join('');
      const asked = { ...(JSON.parse(body) as object), encoding_format: 'float' };
      const answer = await fetch(world.embedder.url + (incoming.url ?? ''), {
        method: 'POST',
        body: JSON.stringify(asked),
      });
      const json = (await answer.json()) as { data: { embedding: number[] }[] };
      for (const item of json.data) item.embedding.reverse();
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    })();
  });
  return await listening(t, server);
}

async function listening(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Refusal = { readonly status: number; readonly after?: string; readonly words?: string } | 'gone' | undefined;
type Gate = { refuse: ((method: string, path: string) => Refusal) | undefined };

/** Qdrant behind a proxy that refuses as it is told. */
async function guarded(t: TestContext, world: World): Promise<{ url: string; gate: Gate }> {
  const gate: Gate = { refuse: undefined };
  const { hostname, port } = new URL(world.url);
  const server = createServer((incoming, response) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const refusal = gate.refuse?.(method, url);
    if (refusal === 'gone') {
      incoming.destroy();
      return;
    }
    if (refusal !== undefined) {
      incoming.resume();
      const retry = refusal.after === undefined ? {} : { 'retry-after': refusal.after };
      response.writeHead(refusal.status, { 'content-type': 'application/json', ...retry });
      response.end(JSON.stringify({ status: { error: refusal.words ?? 'refused as planned' }, time: 0 }));
      return;
    }
    const outgoing = httpRequest({ host: hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.once('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  return { url: await listening(t, server), gate };
}

const isWrite = (method: string, path: string): boolean => method === 'PUT' && path.includes('/points?');

test('writes that a fence refuses wait, and are written when it is lifted', async (t) => {
  const world = await ground.world(t);
  const { url, gate } = await guarded(t, world);
  world.bind(url);
  fill(world, 30);
  gate.refuse = (method, path) => (isWrite(method, path) ? { status: 429, after: '1' } : undefined);
  setTimeout(() => {
    gate.refuse = undefined;
  }, 3500);
  const { result } = await world.run();
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.equal((await world.points()).length, 30);
  const notes = world.store.seen.map(({ note }) => note ?? '');
  assert.ok(
    notes.some((note) => note.startsWith('writes are held back')),
    notes.join('|'),
  );
  assert.equal(world.store.progress?.note, undefined);
});

test('a library that moves in mid-run is followed to where its binding leads', async (t) => {
  const world = await ground.world(t);
  const { url, gate } = await guarded(t, world);
  world.bind(url);
  fill(world, 200);
  let writes = 0;
  gate.refuse = (method, path) => {
    if (!isWrite(method, path)) return writes > 1 ? { status: 404 } : undefined;
    writes += 1;
    if (writes <= 1) return undefined;
    // The move is over a little later, and the mounted Secret says so.
    setTimeout(() => world.bind(world.url), 400);
    return { status: 404 };
  };
  const { result } = await world.run();
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.ok(writes > 1);
  assert.equal((await world.points()).length, 200);
});

for (const [status, reason] of [
  [429, 'TargetHeldBack'],
  [404, 'TargetMissing'],
  [401, 'TargetUnauthorized'],
  [500, 'TargetUnreachable'],
  [507, 'TargetFull'],
] as const) {
  test(`a target that answers ${status} for longer than the run is patient ends it as ${reason}`, async (t) => {
    const world = await ground.world(t);
    const { url, gate } = await guarded(t, world);
    world.bind(url);
    fill(world, 5);
    gate.refuse = (method, path) => (isWrite(method, path) ? { status } : undefined);
    const failed = await world.run({ patienceSeconds: 1 });
    assert.deepEqual([failed.result?.result, failed.result?.reason], ['Failed', reason], world.said);
    gate.refuse = undefined;
    assert.equal((await world.run()).result?.result, 'Succeeded');
    assert.equal((await world.points()).length, 5);
  });
}

test('a full disk is told by its words, which Qdrant sends with 500', async (t) => {
  const world = await ground.world(t);
  const { url, gate } = await guarded(t, world);
  world.bind(url);
  fill(world, 5);
  const words = 'Service internal error: No space left on device: WAL buffer size exceeds available disk space';
  gate.refuse = (method, path) => (isWrite(method, path) ? { status: 500, words } : undefined);
  const { result } = await world.run({ patienceSeconds: 1 });
  assert.deepEqual([result?.result, result?.reason], ['Failed', 'TargetFull'], world.said);
  assert.match(result?.message ?? '', /No space left on device/);
  gate.refuse = undefined;
  assert.equal((await world.run()).result?.result, 'Succeeded', 'it goes on when there is room');
  assert.equal((await world.points()).length, 5);
});

test('a collection that is full by its own limit fails the run by name; with more room it goes on from there', async (t) => {
  const world = await ground.world(t);
  const { url, gate } = await guarded(t, world);
  world.bind(url);
  fill(world, 60);
  let writes = 0;
  gate.refuse = (method, path) => {
    if (!isWrite(method, path)) return undefined;
    writes += 1;
    return writes < 3 ? undefined : { status: 400, words: 'Wrong input: Max points count limit of 20 reached!' };
  };
  const failed = await world.run();
  assert.deepEqual([failed.result?.result, failed.result?.reason], ['Failed', 'TargetFull'], world.said);
  assert.match(failed.result?.message ?? '', /limit of 20 reached/);
  // Two requests are under way at a time.
  assert.ok(writes <= 4, `${writes} writes: nothing is halved`);
  assert.equal(failed.counts.failed, 0, 'no document is to blame');
  const kept = (await world.points()).length;
  assert.ok(kept > 0 && kept < 60, `${kept} of 60`);
  gate.refuse = undefined;
  const { result, counts } = await world.run();
  assert.deepEqual([result?.result, counts.embedded, counts.reused], ['Succeeded', 60 - kept, kept], world.said);
  assert.equal((await world.points()).length, 60);
});

test('a cluster that is gone in the middle fails the run by name; when it is back, only the rest is embedded', async (t) => {
  const world = await ground.world(t);
  const { url, gate } = await guarded(t, world);
  world.bind(url);
  fill(world, 60);
  let writes = 0;
  gate.refuse = (method, path) => {
    if (isWrite(method, path)) writes += 1;
    return writes < 3 ? undefined : 'gone';
  };
  const failed = await world.run({ patienceSeconds: 1 });
  assert.deepEqual([failed.result?.result, failed.result?.reason], ['Failed', 'TargetUnreachable'], world.said);
  gate.refuse = undefined;
  const kept = (await world.points()).length;
  assert.ok(kept > 0 && kept < 60, `${kept} of 60`);
  const { result, counts } = await world.run();
  assert.deepEqual([result?.result, counts.embedded, counts.reused], ['Succeeded', 60 - kept, kept], world.said);
  assert.equal((await world.points()).length, 60);
});

test('a directory that vanishes in the middle fails the run by name, and takes no point with it', async (t) => {
  const world = await ground.world(t);
  fill(world, 300);
  await world.run();
  for (let n = 0; n < 300; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `rewritten ${n}`));
  const hidden = `${world.documents}.away`;
  let asked = 0;
  world.embedder.faults.add(
    { kind: 'status', status: 503 },
    {
      times: 1,
      when: (texts) => {
        asked += ofCanary(texts) ? 0 : 1;
        if (asked === 1 && existsSync(world.documents)) renameSync(world.documents, hidden);
        return false;
      },
    },
  );
  const failed = await world.run({ embedder: { batchSize: 4, maxConcurrency: 1 } });
  assert.deepEqual([failed.result?.result, failed.result?.reason], ['Failed', 'SourceMissing'], world.said);
  assert.equal((await world.points()).length, 300, 'no point is gone');
  renameSync(hidden, world.documents);
  const { result } = await world.run();
  assert.equal(result?.result, 'Succeeded', world.said);
  const texts = Object.values(await world.texts()).flat();
  assert.equal(texts.filter((text) => text.includes('rewritten')).length, 300);
});

test('documents that are gone or change while they are read are tried again by themselves, and keep their points', async (t) => {
  const world = await ground.world(t);
  fill(world, 300);
  await world.run();
  for (let n = 0; n < 300; n += 1) world.put(`${n}.md`, page(`Page ${n}`, `rewritten ${n}`));
  let asked = 0;
  world.embedder.faults.add(
    { kind: 'status', status: 503 },
    {
      times: 1,
      when: (texts) => {
        asked += ofCanary(texts) ? 0 : 1;
        if (asked === 1 && existsSync(`${world.documents}/99.md`)) world.remove('99.md');
        return false;
      },
    },
  );
  const told = await world.run({ embedder: { batchSize: 4, maxConcurrency: 1 } });
  assert.deepEqual([told.result?.result, told.result?.again, told.counts.failed], ['Succeeded', true, 1], world.said);
  assert.deepEqual(
    told.failures.map(({ path, reason }) => [path, reason]),
    [['99.md', 'Vanished']],
  );
  assert.equal((await world.points()).length, 300);
  const { result, counts } = await world.run();
  assert.deepEqual([result?.result, result?.again, counts.deleted], ['Succeeded', undefined, 1]);
});

test('a target of another shape is refused before anything is embedded', async (t) => {
  const world = await ground.world(t);
  await world.client.deleteCollection('handbook--g1');
  await world.createLibrary({ size: 16, distance: 'Cosine' });
  fill(world, 3);
  const small = await world.run();
  assert.deepEqual([small.result?.reason, small.counts.embedded], ['TargetUnsuitable', 0]);
  assert.match(small.result?.message ?? '', /have 32 numbers, those of the library 16/);
  await world.client.deleteCollection('handbook--g1');
  await world.createLibrary({ a: { size: 32, distance: 'Dot' }, b: { size: 32, distance: 'Dot' } });
  const two = await world.run();
  assert.match(two.result?.message ?? '', /target.vector must say which vector is written; the collection has a, b/);
  const wrong = await world.run({ target: { vector: 'c' } });
  assert.match(wrong.result?.message ?? '', /no vector c; the collection has a, b/);
  const right = await world.run({ target: { vector: 'b' } });
  assert.equal(right.result?.result, 'Succeeded', world.said);
  assert.deepEqual(Object.keys((await world.points())[0]?.vector ?? {}), ['b']);
});

test('no key stands in what is logged or told', async (t) => {
  const world = await ground.world(t, { apiKey: 'canary-4711' });
  fill(world, 3);
  const missing = await world.run({ embedder: { apiKey: true } });
  assert.deepEqual([missing.result?.reason, missing.result?.message], ['ConfigInvalid', 'api-key is not mounted']);
  put(world.root, 'keys/api-key', 'canary-4712\n');
  const refused = await world.run({ embedder: { apiKey: true } });
  assert.equal(refused.result?.reason, 'EmbedderUnauthorized');
  assert.doesNotMatch(world.said + JSON.stringify(world.store.seen), /canary-471/);
  put(world.root, 'keys/api-key', 'canary-4711\n');
  assert.equal((await world.run({ embedder: { apiKey: true } })).result?.result, 'Succeeded');
  assert.doesNotMatch(world.said + JSON.stringify(world.store.seen), /canary-471/);
});
