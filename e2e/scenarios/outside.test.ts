import assert from 'node:assert/strict';
import { LIBRARIES } from '../../sandbox/run/wait.ts';
import { SECRETS } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['outside-qdrant'] });

const KEY = 'key-of-the-annex';

/** A user's own Qdrant, and the object that adopts it. Its Secret is another matter. */
async function annex(stage: Stage, start: { readonly version?: string } = {}) {
  const server = stage.ground.outsideQdrant();
  await server.start({ apiKey: KEY, ...start });
  await stage.createCluster('annex', { external: { url: server.url, apiKeySecretRef: { name: 'annex-key' } } });
  return server;
}

scenario('the key of an external cluster may come late, be wrong, and change: the cluster follows', async (stage) => {
  const server = await annex(stage);
  await stage.clusterSays('annex', 'Ready', { status: 'False', reason: 'SecretNotFound', message: /annex-key/ });
  await stage.putSecret('annex-key', { 'api-key': 'not-the-key' });
  await stage.clusterSays('annex', 'Ready', { status: 'False', reason: 'KeyRefused' });
  await stage.putSecret('annex-key', { 'api-key': KEY });
  await stage.clusterReady('annex');
  await stage.createLibrary('docs', 'annex');
  await stage.libraryReady('docs', 1);

  await server.stop();
  await server.start({ apiKey: 'key-number-two' });
  await stage.clusterSays('annex', 'Ready', { status: 'False', reason: 'KeyRefused' });
  await stage.librarySays('docs', 'Ready', { status: 'False', reason: 'Unauthorized' });
  await stage.putSecret('annex-key', { 'api-key': 'key-number-two' });
  await stage.clusterReady('annex');
  await stage.libraryReady('docs', 1);
  await eventually('applications are given the new key', async () => {
    const { data } = await stage.admin.get(SECRETS, stage.key('docs-binding'));
    return Buffer.from(data?.['api-key'] ?? '', 'base64').toString() === 'key-number-two';
  });
});

scenario('an external cluster that is away is waited for; its library keeps its data', async (stage) => {
  await stage.putSecret('annex-key', { 'api-key': KEY });
  const server = await annex(stage);
  await stage.clusterReady('annex');
  await stage.createLibrary('docs', 'annex');
  await stage.libraryReady('docs', 1);
  const load = await stage.load('docs');
  await eventually('the application is at work', () => load.report.written > 20);
  await server.stop();
  await stage.clusterSays('annex', 'Ready', { status: 'False', reason: 'Unreachable' });
  await stage.librarySays('docs', 'Ready', { status: 'False', reason: 'Unreachable' });
  await stage.eventSays('annex', 'Unreachable');
  await server.start({ apiKey: KEY });
  await stage.clusterReady('annex');
  await stage.libraryReady('docs', 1);
  await load.nothingLost();
});

const upgraded: Parameters<typeof scenario>[1] = async (stage) => {
  await stage.putSecret('annex-key', { 'api-key': KEY });
  const server = await annex(stage, { version: '1.15.4' });
  await stage.clusterSays('annex', 'Ready', {
    status: 'False',
    reason: 'UnsupportedVersion',
    message: /1\.15\.4.*1\.16/,
  });
  await stage.createLibrary('docs', 'annex');
  await stage.librarySays('docs', 'Ready', { status: 'False', message: /1\.15\.4/ });
  await server.stop();
  await server.start({ apiKey: KEY, version: '1.18.3' });
  await stage.clusterReady('annex');
  await stage.libraryReady('docs', 1);
};
// A real server says which version it is.
scenario('a Qdrant of a version that is not supported is not touched, until it is upgraded', upgraded, [
  'qdrant-faults',
]);

scenario('a collection that the operator did not make is left alone, unless it is adopted', async (stage) => {
  await stage.putSecret('annex-key', { 'api-key': KEY });
  await annex(stage);
  await stage.clusterReady('annex');
  const qdrant = await stage.qdrant('annex');
  await qdrant.createCollection('docs', { vectors: { size: 8, distance: 'Cosine' } });
  await qdrant.upsert('docs', [{ id: 1, vector: [1, 0, 0, 0, 0, 0, 0, 0], payload: { theirs: true } }]);

  await stage.createLibrary('docs', 'annex');
  await stage.librarySays('docs', 'Ready', { status: 'False', reason: 'CollectionExists', message: /docs.*adopt/ });
  assert.deepEqual((await qdrant.collections()).toSorted(), ['docs']);

  await stage.changeLibrary('docs', { spec: { adopt: true } });
  const library = await stage.libraryReady('docs', 0);
  assert.equal(library.status?.collection, 'docs');
  assert.equal(await qdrant.count('docs', { exact: true }), 1);
  await stage.eventSays('docs', 'Adopted');
});

scenario('an adopted collection gets a new generation only when its short gap is allowed', async (stage) => {
  await stage.putSecret('annex-key', { 'api-key': KEY });
  await annex(stage);
  await stage.clusterReady('annex');
  const qdrant = await stage.qdrant('annex');
  await qdrant.createCollection('docs', { vectors: { size: 8, distance: 'Cosine' }, shard_number: 1 });
  const points = Array.from({ length: 40 }, (_, id) => ({ id, vector: [1, id, 0, 0, 0, 0, 0, 0], payload: {} }));
  await qdrant.upsert('docs', points);
  // Fewer points in a minute than there are: the copy must not be held up by it.
  const strict = { enabled: true, max_query_limit: 50, write_rate_limit: 10 };
  await qdrant.updateCollection('docs', { strict_mode_config: strict });
  await stage.createLibrary('docs', 'annex', { adopt: true });
  await stage.libraryReady('docs', 0);
  await stage.changeLibrary('docs', { spec: { shards: { number: 2 } } });
  await stage.untilLibrary(
    'docs',
    ({ status }) => status?.change?.blockedBy?.some(({ name }) => name === 'gap-is-allowed') === true,
    'blocked by gap-is-allowed',
  );
  assert.equal(await qdrant.count('docs', { exact: true }), 40);
  await stage.changeLibrary('docs', { metadata: { annotations: { 'qdrant-librarian.io/allow-gap': '1' } } });
  await stage.libraryReady('docs', 1);
  assert.equal(await qdrant.count('docs', { exact: true }), 40);
  assert.deepEqual((await qdrant.collection('docs')).config.strict_mode_config, strict);
});

scenario(
  'two libraries that claim one collection: the older one has it, the other says so and gets it later',
  async (stage) => {
    await stage.putSecret('annex-key', { 'api-key': KEY });
    await annex(stage);
    await stage.clusterReady('annex');
    await stage.createLibrary('first', 'annex', { collection: 'shelf', deletionPolicy: 'Delete' });
    await stage.libraryReady('first', 1);
    await stage.createLibrary('second', 'annex', { collection: 'shelf' });
    await stage.librarySays('second', 'Ready', { status: 'False', reason: 'CollectionClaimed', message: /first/ });
    await stage.libraryReady('first', 1);
    await stage.changeLibrary('first', { spec: { hnsw: { m: 24 } } });
    await stage.libraryReady('first', 1);
    await stage.admin.delete(LIBRARIES, stage.key('first'));
    await stage.gone('library', 'first');
    await stage.libraryReady('second', 1);
  },
);
