import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Change, CONFIG_MAPS, type ConfigMap, Informer } from '../../src/kube/index.ts';
import { ConfigMapServer } from './config-map-server.ts';
import { hastyClock, until } from './scripted-server.ts';

async function started(prepare: (server: ConfigMapServer) => void = () => undefined) {
  const server = await ConfigMapServer.start();
  prepare(server);
  const informer = new Informer({
    client: server.http.client({ maxRetries: 0 }),
    type: CONFIG_MAPS,
    namespace: 'ns',
    clock: hastyClock,
    indexes: { colour: ({ data }) => (data?.['colour'] === undefined ? [] : [data['colour']]) },
  });
  const changes: Change<ConfigMap>[] = [];
  informer.onChange((change) => changes.push(change));
  const stop = new AbortController();
  const running = informer.start(stop.signal);
  await informer.whenSynced();
  return {
    server,
    informer,
    changes,
    seen: () => changes.map(({ type, object }) => `${type} ${object.metadata.name}`),
    equal: () => JSON.stringify(versionsOf(informer)) === JSON.stringify(sorted(server.versions())),
    stop: async () => {
      stop.abort();
      await running;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      await server.http[Symbol.asyncDispose]();
    },
  };
}

const sorted = (record: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => a.localeCompare(b)));
const versionsOf = (informer: Informer<ConfigMap>) =>
  sorted(Object.fromEntries(informer.store.list().map(({ metadata }) => [metadata.name, metadata.resourceVersion])));

test('the first list comes as additions marked initial, with kind and without managed fields', async () => {
  await using world = await started((server) => server.put('a'));
  assert.deepEqual(
    world.changes.map(({ type, initial, object }) => [type, initial, object.kind, object.metadata.managedFields]),
    [['added', true, 'ConfigMap', undefined]],
  );
  assert.equal(world.informer.hasSynced, true);
});

test('changes on the server reach the store, its indexes and the handlers', async () => {
  await using world = await started();
  world.server.put('a', { colour: 'red' });
  await until('the addition', () => world.equal());
  world.server.put('a', { colour: 'blue' });
  await until('the update', () => world.equal());
  assert.deepEqual(world.informer.store.byIndex('colour', 'red'), []);
  assert.equal(world.informer.store.byIndex('colour', 'blue').length, 1);
  world.server.remove('a');
  await until('the deletion', () => world.informer.store.size === 0);
  assert.deepEqual(world.seen(), ['added a', 'updated a', 'deleted a']);
  assert.deepEqual(world.informer.store.byIndex('colour', 'blue'), []);
});

test('more objects than fit on a page are all listed', async () => {
  await using world = await started((server) => {
    for (let index = 0; index < 1201; index += 1) server.put(`object-${index}`);
  });
  assert.equal(world.informer.store.size, 1201);
  assert.equal(world.server.lists, 3);
});

for (const [name, breakIt] of [
  ['ends in order', (server: ConfigMapServer) => server.endWatches()],
  ['is cut', (server: ConfigMapServer) => server.cut()],
  ['brings an error other than 410', (server: ConfigMapServer) => server.error(500, 'InternalError')],
  ['brings a line that is no JSON', (server: ConfigMapServer) => server.write('{"type":')],
] as const) {
  test(`a watch that ${name} goes on where it was, without a new list`, async () => {
    await using world = await started((server) => server.put('a'));
    await until('a watch', () => world.server.openWatches === 1);
    breakIt(world.server);
    world.server.put('b');
    await until('b', () => world.equal());
    assert.equal(world.server.lists, 1);
    assert.deepEqual(world.seen(), ['added a', 'added b']);
  });
}

test('a version that is compacted away leads to a new list, which finds what was deleted meanwhile', async () => {
  await using world = await started((server) => {
    server.put('a');
    server.put('b');
  });
  await until('a watch', () => world.server.openWatches === 1);
  world.server.cut();
  await until('the cut', () => world.server.openWatches === 0);
  world.server.remove('a');
  world.server.put('c');
  world.server.compact();
  await until('c', () => world.equal());
  assert.equal(world.server.lists, 2);
  assert.deepEqual(world.seen().slice(2), ['deleted a', 'added c']);
});

test('410 inside the stream leads to a new list as well', async () => {
  await using world = await started((server) => server.put('a'));
  await until('a watch', () => world.server.openWatches === 1);
  world.server.error(410, 'Expired');
  await until('a second list', () => world.server.lists === 2);
  world.server.put('b');
  await until('b', () => world.equal());
});

test('a bookmark carries the version over a compaction', async () => {
  await using world = await started();
  await until('a watch', () => world.server.openWatches === 1);
  world.server.put('a');
  world.server.remove('a');
  world.server.bookmark();
  await until('the bookmark', () => world.informer.resourceVersion === world.server.version);
  world.server.compact();
  world.server.cut();
  world.server.put('b');
  await until('b', () => world.equal());
  assert.equal(world.server.lists, 1);
});

test('an object deleted and made again under its name is a deletion and an addition', async () => {
  await using world = await started((server) => server.put('a'));
  await until('a watch', () => world.server.openWatches === 1);
  world.server.cut();
  await until('the cut', () => world.server.openWatches === 0);
  world.server.remove('a');
  world.server.put('a');
  world.server.compact();
  await until('the new a', () => world.equal());
  assert.deepEqual(world.seen(), ['added a', 'deleted a', 'added a']);
});

test('a handler that throws or rejects neither stops the watch nor the other handlers', async () => {
  await using world = await started();
  const reached: string[] = [];
  world.informer.onChange(() => {
    throw new Error('handler');
  });
  // oxlint-disable-next-line typescript/no-misused-promises -- what a careless user does
  world.informer.onChange(async () => {
    await Promise.resolve();
    throw new Error('async handler');
  });
  world.informer.onChange(({ object }) => reached.push(object.metadata.name));
  world.server.put('a');
  world.server.put('b');
  await until('both', () => reached.length === 2);
});

test('a handler that comes late is told what the store holds', async () => {
  await using world = await started((server) => server.put('a'));
  const late: string[] = [];
  const end = world.informer.onChange(({ type, object }) => late.push(`${type} ${object.metadata.name}`));
  end();
  assert.deepEqual(late, ['added a']);
});

test('a list that fails is tried again until it works', async () => {
  const server = await ConfigMapServer.start();
  await using _ = server.http;
  server.put('a');
  server.faults.push(
    (response) => void response.writeHead(500).end(),
    (response) => void response.destroy(),
    (response) => void response.writeHead(403).end(),
  );
  const informer = new Informer({
    client: server.http.client({ maxRetries: 0 }),
    type: CONFIG_MAPS,
    clock: hastyClock,
  });
  const stop = new AbortController();
  const running = informer.start(stop.signal);
  await informer.whenSynced();
  assert.equal(informer.store.size, 1);
  stop.abort();
  await running;
});

test('stopping ends the watch at once and leaves no connection in use', async () => {
  await using world = await started();
  await until('a watch', () => world.server.openWatches === 1);
  await world.stop();
  await until('no watch', () => world.server.openWatches === 0);
  const before = world.informer.store.size;
  world.server.put('a');
  assert.equal(world.informer.store.size, before);
});

test('stopping works while the watch is still connecting', async () => {
  const server = await ConfigMapServer.start();
  await using _ = server.http;
  const informer = new Informer({
    client: server.http.client({ maxRetries: 0 }),
    type: CONFIG_MAPS,
    clock: hastyClock,
  });
  const stop = new AbortController();
  server.faults.push(() => undefined);
  const running = informer.start(stop.signal);
  await until('the request', () => server.http.requests.length === 1);
  stop.abort();
  await running;
  assert.equal(informer.hasSynced, false);
});
