import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type Change, Ground, page } from './world.ts';

const ground = new Ground();
before(() => ground.start());
after(() => ground.stop());

test('package manifests become documents that can be filtered by name, version and licence', async (t) => {
  const world = await ground.world(t);
  const put = (path: string, manifest: object): void => world.put(`${path}/package.json`, JSON.stringify(manifest));
  put('node_modules/left-pad', {
    name: 'left-pad',
    version: '1.3.0',
    license: 'WTFPL',
    description: 'Pads to the left',
  });
  put('node_modules/app', { name: 'app', version: '1.0.0', license: 'MIT', dependencies: { 'left-pad': '^1.3.0' } });
  const packages: Change = { include: [], chunking: { strategy: 'Packages' } };
  const { result, counts } = await world.run(packages);
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.deepEqual([counts.documents, counts.chunks], [2, 2]);
  const filter = { must: [{ key: 'dependencies', match: { value: 'left-pad' } }] };
  const { points } = await world.client.scroll('handbook', { filter });
  assert.deepEqual(
    points.map(({ payload }) => [payload['document'], payload['licence']]),
    [['app@1.0.0', 'MIT']],
  );
  const again = await world.run(packages);
  assert.deepEqual([again.counts.embedded, again.counts.reused], [0, 2]);
});

test('another collection is embedded anew: ids and payloads stay, vectors are new', async (t) => {
  const world = await ground.world(t);
  const { client } = world;
  await client.createCollection('old', { vectors: { size: 3, distance: 'Dot' } });
  const uuid = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
  await client.upsert('old', [
    { id: 1, vector: [1, 2, 3], payload: { body: { en: 'the first text' }, lang: 'en', weight: 3 } },
    { id: 2n ** 63n, vector: [1, 2, 3], payload: { body: { en: 'the second text' } } },
    { id: uuid, vector: [1, 2, 3], payload: { body: { en: 'the third text' } } },
    { id: 4, vector: [1, 2, 3], payload: { body: {} } },
  ]);
  const peers = [{ name: 'a', rest: world.url }];
  const source = {
    kind: 'collection',
    collection: 'old',
    peers,
    apiKey: false,
    ca: false,
    textField: 'body.en',
  } as const;
  const change: Change = { source, include: [], chunking: { strategy: 'Text' } };
  const { result, counts, failures } = await world.run(change);
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.deepEqual([counts.chunks, counts.failed], [3, 1]);
  assert.deepEqual(failures, [{ path: '4', reason: 'Unreadable', message: '4 has no text in body.en' }]);
  const points = await world.points();
  assert.deepEqual(
    points.map(({ id }) => id),
    [1, 2n ** 63n, uuid],
  );
  const { lang, weight, text, document } = points[0]?.payload ?? {};
  assert.deepEqual({ lang, weight, text, document }, { lang: 'en', weight: 3, text: 'the first text', document: '1' });
  assert.ok(points.every(({ vector }) => Array.isArray(vector) && vector.length === 32));
  const again = await world.run(change);
  assert.deepEqual([again.counts.embedded, again.counts.reused], [0, 3]);
  await client.upsert('old', [{ id: 1, vector: [1, 2, 3], payload: { body: { en: 'the first text' }, lang: 'de' } }]);
  const relabelled = await world.run(change);
  assert.deepEqual([relabelled.counts.embedded, relabelled.counts.reused], [0, 3]);
  const [first] = await client.retrieve('handbook', [1]);
  assert.deepEqual([first?.payload['lang'], first?.payload['weight']], ['de', undefined]);
});

test('pages are read with their titles; one that says it is the same is not read again', async (t) => {
  const world = await ground.world(t);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const same = request.headers['if-none-match'] === '"1"';
    asked.push(`${request.url} ${same}`);
    response.writeHead(same ? 304 : 200, { 'content-type': 'text/html', etag: '"1"' });
    response.end(same ? undefined : `<title>About ${request.url}</title><h1>Page</h1><p>all about ${request.url}</p>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const urls = [`${url}/a`, `${url}/b`];
  const source = { kind: 'http', urls, followLinks: false, maxDepth: 1, authorization: false } as const;
  const { result, counts } = await world.run({ source, include: [] });
  assert.equal(result?.result, 'Succeeded', world.said);
  assert.deepEqual([counts.documents, counts.chunks], [2, 2]);
  const titles = new Set((await world.points()).map(({ payload }) => payload['title']));
  assert.deepEqual(titles, new Set(['About /a', 'About /b']));
  const again = await world.run({ source, include: [] });
  assert.deepEqual([again.counts.embedded, again.counts.reused], [0, 2]);
  assert.deepEqual(asked.toSorted(), ['/a false', '/a true', '/b false', '/b true']);
  assert.equal((await world.run({ source, include: [], mode: 'Verify' })).result?.result, 'Succeeded', world.said);
});

test('a source of ten thousand files is one run, and nothing for the second one', async (t) => {
  const world = await ground.world(t, { parallel: 4 });
  for (let n = 0; n < 10_000; n += 1) world.put(`p${n % 100}/${n}.md`, page(`Page ${n % 500}`, `all about ${n % 500}`));
  const first = await world.run({ embedder: { batchSize: 32 } });
  assert.equal(first.result?.result, 'Succeeded', world.said);
  assert.deepEqual([first.counts.chunks, first.counts.embedded], [10_000, 500]);
  const second = await world.run({ embedder: { batchSize: 32 } });
  assert.deepEqual([second.counts.embedded, second.counts.reused, second.counts.deleted], [0, 10_000, 0]);
});
