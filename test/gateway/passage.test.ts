import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fencePatch, unfencePatch } from '../../src/migration/fence.ts';
import { type Peer, Peers } from '../sandbox/qdrant/peers.ts';
import { call, codeOf, KEY, NAMESPACE, World } from './world.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
const peers = new Peers({ QDRANT__SERVICE__API_KEY: KEY });
const world = new World();
let one: Peer;
let two: Peer;
let gateway = '';

const direct = async (peer: Peer, method: string, path: string, body?: unknown): Promise<void> => {
  const answer = await call(`${peer.url}${path}`, { method, ...(body === undefined ? {} : { body }) });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
};

async function collection(peer: Peer, name: string, physical = `${name}--g1`): Promise<void> {
  await direct(peer, 'PUT', `/collections/${physical}`, { vectors: { size: 3, distance: 'Dot' } });
  await alias(peer, name, physical);
}
const alias = (peer: Peer, name: string, physical: string): Promise<void> =>
  direct(peer, 'POST', '/collections/aliases', {
    actions: [{ create_alias: { alias_name: name, collection_name: physical } }],
  });

async function library(name: string, peer = one, cluster = 'one'): Promise<void> {
  await collection(peer, name);
  world.putLibrary(name, { cluster, url: peer.url });
}

const mark = (name: string) => ({ uid: 'u', namespace: NAMESPACE, name, generation: 1 });
const fence = { nonce: 'n', at: 0, before: { enabled: false, writeConsistencyFactor: 1 } };
/** As the operator and its worker leave it: closed, and its first token used up. */
async function close(name: string): Promise<void> {
  await direct(one, 'PATCH', `/collections/${name}--g1`, fencePatch(mark(name), fence));
  const drain = { points: ['7f1a2b6c-0000-4000-8000-000000000000'] };
  for (let round = 0; round < 3; round += 1)
    await call(`${one.url}/collections/${name}--g1/points/delete?wait=true`, { method: 'POST', body: drain });
}
const open = (name: string): Promise<void> =>
  direct(one, 'PATCH', `/collections/${name}--g1`, unfencePatch({ ...mark(name), fence }));

const points = (...ids: number[]) => ({ points: ids.map((id) => ({ id, vector: [id, 1, 2], payload: { id } })) });
const write = (name: string, body: unknown, base = gateway) =>
  call(`${base}/collections/${name}/points?wait=true`, { method: 'PUT', body });
const count = async (name: string): Promise<unknown> => {
  const answer = await call(`${gateway}/collections/${name}/points/count`, { method: 'POST', body: { exact: true } });
  return (answer.body as { result: { count: number } }).result.count;
};

before(
  async () => {
    [one, two] = [peers.add(), peers.add()];
    await Promise.all([one.start(), two.start()]);
    world.putCluster('one', one.url);
    world.putCluster('two', two.url);
    gateway = await world.gateway();
  },
  { timeout: 30_000 },
);
after(async () => {
  await world.close();
  await peers.close();
});

test('reads and writes of a library go through, answers as Qdrant gives them', async () => {
  await library('plain');
  const written = await write('plain', points(1, 2));
  assert.equal(written.status, 200);
  assert.equal((written.body as { result: { status: string } }).result.status, 'completed');
  const found = await call(`${gateway}/collections/plain/points/1`);
  assert.deepEqual((found.body as { result: { payload: unknown } }).result.payload, { id: 1 });
  const absent = await call(`${gateway}/collections/plain/points/9`);
  assert.equal(absent.status, 404, 'a point that is not there is no library that is not there');
  const wrong = await write('plain', { points: [{ id: 1, vector: [1] }] });
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /Wrong input/);
  assert.equal((await call(`${gateway}/collections/plain`)).status, 200);
  assert.equal((await call(`${gateway}/collections/plain/exists`)).status, 200);
});

test('a namespace stands before the path, with the same libraries behind it', async () => {
  const under = await call(`${gateway}/namespaces/${NAMESPACE}/collections/plain/points/1`);
  assert.equal(under.status, 200);
  assert.equal((await call(`${gateway}/namespaces/other/collections/plain/points/1`)).status, 401);
  assert.equal((await call(`${gateway}/namespaces/${NAMESPACE}`)).status, 200);
});

test('only the key of the binding opens a library; another key does not learn which names there are', async () => {
  const url = `${gateway}/collections/plain/points/1`;
  assert.equal(codeOf(await call(url, { key: '' })), 'KeyMissing');
  assert.equal(codeOf(await call(url, { key: 'another' })), 'KeyRefused');
  assert.equal(codeOf(await call(`${gateway}/collections/absent/points/1`, { key: 'another' })), 'KeyRefused');
  assert.equal(codeOf(await call(`${gateway}/collections/absent/points/1`)), 'NoSuchLibrary');
  assert.equal((await call(url, { key: '', headers: { authorization: `Bearer ${KEY}` } })).status, 200);
  assert.equal(codeOf(await call(`${gateway}/collections`, { key: 'another' })), 'KeyRefused');
  const names = await call(`${gateway}/collections`);
  assert.deepEqual((names.body as { result: unknown }).result, { collections: [{ name: 'plain' }] });
  const aliases = await call(`${gateway}/aliases`);
  assert.deepEqual((aliases.body as { result: unknown }).result, {
    aliases: [{ alias_name: 'plain', collection_name: 'plain--g1' }],
  });
});

test('a key that was changed in the Secret counts at once', async () => {
  await library('rekeyed');
  world.putSecret('rekeyed-binding', { uri: one.url, collection: 'rekeyed', 'api-key': 'first' });
  assert.equal((await call(`${gateway}/collections/rekeyed/exists`, { key: 'first' })).status, 502);
  await sleep(150);
  world.putSecret('rekeyed-binding', { uri: one.url, collection: 'rekeyed', 'api-key': KEY });
  assert.equal((await call(`${gateway}/collections/rekeyed/exists`)).status, 200);
});

test('what is not for clients is refused by name, and says whose it is', async () => {
  const refused: [string, string][] = [
    ['PUT', '/collections/plain'],
    ['DELETE', '/collections/plain'],
    ['PATCH', '/collections/plain'],
    ['POST', '/collections/aliases'],
    ['PUT', '/collections/plain/index'],
    ['POST', '/collections/plain/snapshots'],
    ['POST', '/snapshots'],
    ['GET', '/cluster'],
    ['GET', '/telemetry'],
    ['GET', '/metrics'],
    ['POST', '/collections/plain/cluster'],
  ];
  for (const [method, path] of refused) {
    const answer = await call(`${gateway}${path}`, { method, ...(method === 'GET' ? {} : { body: {} }) });
    assert.equal(codeOf(answer), 'NotThroughGateway', `${method} ${path}`);
    assert.equal(answer.status, 403);
  }
  assert.equal(codeOf(await call(`${gateway}/elsewhere`)), 'NoSuchPath');
});

test('a write to a fenced library waits, and is acknowledged once the fence opens', async () => {
  await library('held');
  await close('held');
  const began = performance.now();
  const writing = write('held', points(1));
  const reading = await count('held');
  assert.equal(reading, 0, 'reads go on');
  await sleep(600);
  await open('held');
  assert.equal((await writing).status, 200);
  assert.ok(performance.now() - began > 600);
  assert.equal(await count('held'), 1);
});

test('a write that waits longer than it may is answered 503 with Retry-After', async () => {
  await library('closed');
  await close('closed');
  const impatient = await world.gateway({ patience: { hold: 300, retry: 5000, read: 10_000, write: 30_000 } });
  const answer = await write('closed', points(1), impatient);
  assert.equal(answer.status, 503);
  assert.equal(codeOf(answer), 'WritesHeldTooLong');
  assert.equal(answer.headers.get('retry-after'), '1');
});

test('a write waits as long as the change itself says that it may take, and not at all where nobody wants it to', async () => {
  await library('bound');
  const change = { step: 'Fenced', from: 1, to: 2, reason: 'r', startedAt: '2026-01-01T00:00:00Z' } as const;
  await close('bound');
  const patience = { hold: 300, retry: 5000, read: 10_000, write: 30_000 };
  const told = await world.gateway({ patience });
  const never = await world.gateway({ patience: { ...patience, hold: 0 } });
  assert.equal((await write('bound', points(1), told)).status, 503, 'the gateway knows its own setting only');
  world.show(world.change('bound', { change: { ...change, maxFreezeSeconds: 5 } }));
  assert.equal((await write('bound', points(1), never)).status, 503);
  const writing = write('bound', points(1), told);
  await sleep(1200);
  await open('bound');
  assert.equal((await writing).status, 200);
});

test("a user's own limit is passed on", async () => {
  await library('limited');
  await direct(one, 'PATCH', '/collections/limited--g1', {
    strict_mode_config: { enabled: true, write_rate_limit: 1 },
  });
  const statuses: number[] = [];
  for (let id = 0; id < 4; id += 1) statuses.push((await write('limited', points(id, id + 10))).status);
  assert.ok(statuses.includes(429), statuses.join(' '));
});

test('a body too large to be kept is held before it is read, and then streamed', async () => {
  await library('large');
  const small = await world.gateway({ bodies: { largest: 8 << 20, kept: 100, keptInAll: 1000 } });
  const many = points(...Array.from({ length: 2000 }, (_, id) => id));
  assert.equal((await write('large', many, small)).status, 200);
  await close('large');
  const writing = write('large', points(...Array.from({ length: 2000 }, (_, id) => id + 5000)), small);
  await sleep(400);
  await open('large');
  assert.equal((await writing).status, 200);
  assert.equal(await count('large'), 4000);
});

test('a body of several megabytes passes, kept or streamed', async () => {
  await library('heavy');
  const payload = { text: 'x'.repeat(10_000) };
  const body = { points: Array.from({ length: 400 }, (_, id) => ({ id, vector: [id, 1, 2], payload })) };
  const keeping = await world.gateway({ bodies: { largest: 32 << 20, kept: 8 << 20, keptInAll: 16 << 20 } });
  for (const base of [gateway, keeping]) assert.equal((await write('heavy', body, base)).status, 200);
  const answer = await call(`${gateway}/collections/heavy/points/scroll`, { method: 'POST', body: { limit: 400 } });
  assert.ok(answer.text.length > 4_000_000);
});

test('a body larger than is taken at all is refused', async () => {
  const small = await world.gateway({ bodies: { largest: 1000, kept: 100, keptInAll: 1000 } });
  const answer = await write('plain', points(...Array.from({ length: 200 }, (_, id) => id)), small);
  assert.equal(answer.status, 413);
  assert.equal(codeOf(answer), 'BodyTooLarge');
});

test('a library that moved is followed, although the cache has not heard of it', async () => {
  await library('moving');
  await write('moving', points(1));
  await collection(two, 'moving');
  await direct(two, 'PUT', '/collections/moving--g1/points?wait=true', points(1));
  world.change('moving', { cluster: 'two', generation: 2 });
  world.putSecret('moving-binding', { uri: two.url, collection: 'moving', 'api-key': KEY });
  await direct(one, 'POST', '/collections/aliases', { actions: [{ delete_alias: { alias_name: 'moving' } }] });
  assert.equal(await count('moving'), 1);
  assert.equal((await write('moving', points(2))).status, 200);
  const there = await call(`${two.url}/collections/moving/points/2`);
  assert.equal(there.status, 200);
});

test('the key of the cluster that a library left opens it until the copy there is dropped', async () => {
  await library('rehomed');
  const since = { specDigest: 'd', createdAt: '2026-01-01T00:00:00Z' };
  const generations = [
    { number: 1, collection: 'rehomed--g1', cluster: 'two', state: 'Retired' as const, ...since },
    { number: 2, collection: 'rehomed--g2', cluster: 'one', state: 'Active' as const, ...since },
  ];
  world.putSecret('two-key', { 'api-key': 'key-of-the-old-place' });
  const exists = `/collections/rehomed/exists`;
  const fresh = await world.gateway();
  assert.equal((await call(`${fresh}${exists}`, { key: 'key-of-the-old-place' })).status, 401);
  world.show(world.change('rehomed', { generations }));
  assert.equal((await call(`${fresh}${exists}`, { key: 'key-of-the-old-place' })).status, 200);
  const goingBack = generations.map((one) => (one.cluster === 'two' ? { ...one, state: 'Building' as const } : one));
  world.show(world.change('rehomed', { generations: goingBack }));
  assert.equal((await call(`${fresh}${exists}`, { key: 'key-of-the-old-place' })).status, 200, 'while it goes back');
  world.show(world.change('rehomed', { generations: generations.slice(1) }));
  assert.equal((await call(`${fresh}${exists}`, { key: 'key-of-the-old-place' })).status, 401);
  world.putSecret('two-key', { 'api-key': KEY });
});

test('the key of the place that a library came back to opens it, though its binding still leads to the place it left', async () => {
  await collection(two, 'returned');
  const since = { specDigest: 'd', createdAt: '2026-01-01T00:00:00Z' };
  const generations = [
    { number: 2, collection: 'returned--g2', cluster: 'two', state: 'Retired' as const, ...since },
    { number: 3, collection: 'returned--g1', cluster: 'one', state: 'Active' as const, ...since },
  ];
  world.putSecret('one-key', { 'api-key': 'key-of-the-first-place' });
  const back = await world.gateway();
  world.putLibrary('returned', { cluster: 'one', url: two.url }, { status: { generations } });
  const answer = await call(`${back}/collections/returned/exists`, { key: 'key-of-the-first-place' });
  assert.equal(answer.status, 200);
  assert.equal((await call(`${back}/collections/returned/exists`, { key: 'another' })).status, 401);
  world.putSecret('one-key', { 'api-key': KEY });
});

test('as many requests as may be are under way: one more is told to come again, and reads have places of their own', async () => {
  await library('busy');
  await close('busy');
  const narrow = await world.gateway({ most: { reads: 5, writes: 1, searches: 1 } });
  const first = write('busy', points(1), narrow);
  await sleep(100);
  const second = await write('busy', points(2), narrow);
  assert.equal(codeOf(second), 'TooBusy');
  assert.equal((await call(`${narrow}/collections/busy/points/1`)).status, 404, 'a read finds its place');
  await open('busy');
  assert.equal((await first).status, 200);
});

test('a cluster that is away for a moment is waited for; one that stays away is named', async () => {
  const outer = peers.add();
  await outer.start();
  world.putCluster('three', outer.url);
  await library('away', outer, 'three');
  await write('away', points(1));
  await outer.stop('SIGKILL');
  const reading = call(`${gateway}/collections/away/points/1`);
  await sleep(300);
  await outer.start();
  assert.equal((await reading).status, 200);
  await outer.stop('SIGKILL');
  const hasty = await world.gateway({ patience: { hold: 1000, retry: 200, read: 1000, write: 1000 } });
  const answer = await call(`${hasty}/collections/away/points/1`);
  assert.equal(answer.status, 502);
  assert.equal(codeOf(answer), 'ClusterUnreachable');
});

test('a write that a peer did not answer is not sent again; a read is', async () => {
  const asked: string[] = [];
  const hanging = createServer((request) => void asked.push(request.method ?? '')).listen(0, '127.0.0.1');
  hanging.unref();
  await once(hanging, 'listening');
  const url = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`;
  world.putLibrary('hanging', { cluster: 'nowhere', url });
  const hasty = await world.gateway({ patience: { hold: 1000, retry: 3000, read: 200, write: 200 } });
  const answer = await write('hanging', points(1), hasty);
  const written = [...asked];
  const read = await call(`${hasty}/collections/hanging/points/1`);
  hanging.closeAllConnections();
  hanging.close();
  assert.equal(codeOf(answer), 'MaybeApplied');
  assert.deepEqual(written, ['PUT']);
  assert.equal(codeOf(read), 'ClusterUnreachable');
  assert.ok(asked.filter((method) => method === 'GET').length > 1, asked.join(' '));
});

test('a gateway that is asked to stop ends what is under way', async () => {
  await library('ending');
  await close('ending');
  const leaving = await world.gateway();
  const process = world.last;
  const writing = write('ending', points(1), leaving);
  await sleep(100);
  const began = performance.now();
  const closing = process.close(20_000);
  await sleep(100);
  await open('ending');
  assert.equal((await writing).status, 200);
  await closing;
  assert.ok(performance.now() - began < 5000, 'the connection was closed with its answer');
  await assert.rejects(call(`${leaving}/`));
});
