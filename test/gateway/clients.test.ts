import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { QdrantClient } from '@qdrant/js-client-rest';
import { type Peer, Peers, REAL_BINARY } from '../sandbox/qdrant/peers.ts';
import { call, KEY, NAMESPACE, World } from './world.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
const peers = new Peers({ QDRANT__SERVICE__API_KEY: KEY });
const world = new World();
let peer: Peer;
let gateway = '';

/** Names a Python that has qdrant-client. */
const PYTHON = process.env['QDRANT_CLIENT_PYTHON'] ?? '';
const noPython =
  PYTHON === '' || spawnSync(PYTHON, ['-c', 'import qdrant_client']).status !== 0
    ? 'QDRANT_CLIENT_PYTHON names no Python with qdrant-client'
    : false;
const onReal = REAL_BINARY === undefined ? 'the embedded engine answers 501' : false;

before(
  async () => {
    peer = peers.add();
    await peer.start();
    world.putCluster('one', peer.url);
    for (const name of ['books', 'films']) {
      const made = { vectors: { size: 4, distance: 'Cosine' } };
      const actions = [{ create_alias: { alias_name: name, collection_name: `${name}--g1` } }];
      for (const [method, path, body] of [
        ['PUT', `/collections/${name}--g1`, made],
        ['POST', '/collections/aliases', { actions }],
        ['PUT', `/collections/${name}--g1/index?wait=true`, { field_name: 'city', field_schema: 'keyword' }],
      ] as const) {
        assert.equal((await call(`${peer.url}${path}`, { method, body })).status, 200);
      }
      world.putLibrary(name, { cluster: 'one', url: peer.url });
    }
    gateway = await world.gateway();
  },
  { timeout: 30_000 },
);
after(async () => {
  await world.close();
  await peers.close();
});

const vectors = [
  [0.05, 0.61, 0.76, 0.74],
  [0.19, 0.81, 0.75, 0.11],
  [0.36, 0.55, 0.47, 0.94],
  [0.18, 0.01, 0.85, 0.8],
];
const CITIES = ['Berlin', 'London', 'Berlin', 'Moscow'];
const points = vectors.map((vector, at) => ({
  id: at + 1,
  vector,
  payload: { city: CITIES[at], count: 10 ** (at * 5) },
}));

test('the official TypeScript client works unchanged', async () => {
  const client = new QdrantClient({ url: gateway, apiKey: KEY, checkCompatibility: false });
  assert.equal((await client.versionInfo()).version, '1.18.3');
  assert.deepEqual((await client.getCollections()).collections, [{ name: 'books' }, { name: 'films' }]);
  assert.deepEqual((await client.getCollectionAliases('books')).aliases, [
    { alias_name: 'books', collection_name: 'books--g1' },
  ]);
  assert.equal((await client.collectionExists('books')).exists, true);
  assert.equal((await client.getCollection('books')).config.params.vectors?.['size'], 4);

  assert.equal((await client.upsert('books', { wait: true, points })).status, 'completed');
  assert.equal((await client.count('books', { exact: true })).count, 4);
  const [first] = await client.retrieve('books', { ids: [1], with_vector: true });
  assert.deepEqual(first?.payload, points[0]?.payload);
  const page = await client.scroll('books', { limit: 2 });
  assert.deepEqual([page.points.map(({ id }) => id), page.next_page_offset], [[1, 2], 3]);
  const near = await client.query('books', { query: vectors[2] ?? [], limit: 1, with_payload: true });
  assert.equal(near.points[0]?.id, 3);
  const filter = { must: [{ key: 'city', match: { value: 'Berlin' } }] };
  const batch = await client.queryBatch('books', {
    searches: [
      { query: 1, limit: 2 },
      { query: vectors[3] ?? [], filter },
    ],
  });
  assert.deepEqual(
    batch.map((found) => found.points.length),
    [2, 2],
  );
  assert.deepEqual((await client.facet('books', { key: 'city' })).hits[0], { value: 'Berlin', count: 2 });

  await client.setPayload('books', { wait: true, payload: { seen: true }, points: [1] });
  await client.overwritePayload('books', { wait: true, payload: { city: 'Rome' }, points: [4] });
  await client.deletePayload('books', { wait: true, keys: ['count'], points: [1] });
  assert.deepEqual(
    (await client.retrieve('books', { ids: [1, 4] })).map(({ payload }) => payload),
    [{ city: 'Berlin', seen: true }, { city: 'Rome' }],
  );
  await client.clearPayload('books', { wait: true, points: [4] });
  await client.updateVectors('books', { wait: true, points: [{ id: 4, vector: [1, 0, 0, 0] }] });
  await client.batchUpdate('books', {
    wait: true,
    operations: [{ upsert: { points: [{ id: 5, vector: [0, 0, 0, 1] }] } }, { delete: { points: [2] } }],
  });
  await client.delete('books', { wait: true, filter: { must: [{ has_id: [5] }] } });
  assert.equal((await client.count('books', { exact: true })).count, 3);

  await assert.rejects(client.deleteCollection('books'), /Forbidden/);
  await assert.rejects(client.createSnapshot('books'), /Forbidden/);
  await assert.rejects(client.upsert('books', { points: [{ id: 1, vector: [1] }] }), /Bad Request/);
});

/** How docs/gateway.md says that a client is made; its address and namespace are the test's. */
function exampleOf(language: string): string {
  const page = readFileSync(new URL('../../docs/gateway.md', import.meta.url), 'utf8');
  const [, block = ''] = page.split(`\`\`\`${language}\n`);
  const [example = ''] = block.split('```');
  const here = example
    .replace('http://qdrant-librarian-gateway.qdrant-librarian-system.svc:6333', gateway)
    .replace('team-a', NAMESPACE)
    .trim();
  assert.ok(here.includes(gateway) && here.includes(NAMESPACE), here);
  return here;
}

test('clients that are made as docs/gateway.md says see the libraries of their namespace', async () => {
  const source = `export default (QdrantClient, apiKey) => ${exampleOf('ts')}`;
  const made = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
    readonly default: (client: typeof QdrantClient, apiKey: string) => QdrantClient;
  };
  const { collections } = await made.default(QdrantClient, KEY).getCollections();
  assert.deepEqual(collections, [{ name: 'books' }, { name: 'films' }]);
});

test('so does the one for Python', { skip: noPython, timeout: 60_000 }, async () => {
  const script = `from qdrant_client import QdrantClient\nimport os\nkey = os.environ["KEY"]\nclient = ${exampleOf('python')}\nprint([c.name for c in client.get_collections().collections])`;
  const { stdout } = await promisify(execFile)(PYTHON, ['-W', 'ignore', '-c', script], {
    env: { ...process.env, KEY },
  });
  assert.match(stdout, /\['books', 'films'\]/);
});

test('groups and matrices of the TypeScript client', { skip: onReal }, async () => {
  const client = new QdrantClient({ url: gateway, apiKey: KEY, checkCompatibility: false });
  await client.upsert('books', { wait: true, points });
  const groups = await client.queryGroups('books', { query: vectors[0] ?? [], group_by: 'city', limit: 3 });
  assert.equal(groups.groups.length, 3);
  assert.ok((await client.searchMatrixPairs('books', { sample: 4, limit: 2 })).pairs.length > 0);
  const recommended = await client.query('books', { query: { recommend: { positive: [1] } }, limit: 2 });
  assert.equal(recommended.points.length, 2);
});

test('a prefix leads the TypeScript client to a namespace', async () => {
  const client = new QdrantClient({
    url: gateway,
    apiKey: KEY,
    prefix: `/namespaces/${NAMESPACE}`,
    checkCompatibility: false,
  });
  await client.upsert('films', { wait: true, points });
  assert.equal((await client.count('films')).count, 4);
  const elsewhere = new QdrantClient({
    url: gateway,
    apiKey: KEY,
    prefix: '/namespaces/other',
    checkCompatibility: false,
  });
  await assert.rejects(elsewhere.count('films'), /Unauthorized/);
});

const SCRIPT = `
import os, sys
from qdrant_client import QdrantClient, models
client = QdrantClient(url=os.environ["GATEWAY"], prefix=os.environ["PREFIX"], api_key=os.environ["KEY"])
name = "films"
assert [c.name for c in client.get_collections().collections] == ["books", "films"]
assert client.collection_exists(name)
assert client.get_collection(name).config.params.vectors.size == 4
points = [models.PointStruct(id=i, vector=[0.1 * i, 0.2, 0.3, 0.4], payload={"city": "Berlin" if i % 2 else "Rome"}) for i in range(1, 41)]
client.upsert(name, points, wait=True)
client.upload_points(name, (models.PointStruct(id=i, vector=[0.1, 0.1 * i, 0.3, 0.4]) for i in range(41, 201)), batch_size=32, wait=True)
assert client.count(name, exact=True).count == 200
found = client.query_points(name, query=[4.0, 0.2, 0.3, 0.4], limit=3, with_payload=True).points
assert len(found) == 3 and found[0].id == 40, found
city = models.Filter(must=[models.FieldCondition(key="city", match=models.MatchValue(value="Berlin"))])
assert client.count(name, count_filter=city, exact=True).count == 20
page, after = client.scroll(name, limit=50)
assert len(page) == 50 and after == 51
assert client.retrieve(name, ids=[7])[0].payload == {"city": "Berlin"}
assert client.facet(name, key="city").hits[0].count == 20
client.set_payload(name, payload={"seen": 1}, points=[7], wait=True)
client.update_vectors(name, points=[models.PointVectors(id=7, vector=[1, 0, 0, 0])], wait=True)
client.delete(name, points_selector=models.FilterSelector(filter=city), wait=True)
assert client.count(name, exact=True).count == 180
try:
    client.delete_collection(name)
except Exception as error:
    assert "NotThroughGateway" in str(error), error
else:
    sys.exit("a collection could be dropped")
print("done")
`;

test('the official Python client works unchanged', { skip: noPython, timeout: 60_000 }, async () => {
  const env = { ...process.env, GATEWAY: gateway, PREFIX: `/namespaces/${NAMESPACE}`, KEY };
  const { stdout } = await promisify(execFile)(PYTHON, ['-W', 'ignore', '-c', SCRIPT], { env });
  assert.match(stdout, /done/);
});
