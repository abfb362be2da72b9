import assert from 'node:assert/strict';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';

const scenario = await scenarios();

scenario('a named vector that the spec adds comes into the generation that serves, under load', async (stage) => {
  await stage.createCluster('desk', { size: 3 });
  await stage.clusterReady('desk', 3);
  await stage.createLibrary('docs', 'desk', { shards: { number: 3, replicationFactor: 2 } });
  await stage.libraryReady('docs', 1);
  const load = await stage.load('docs');
  await eventually('there are points', () => load.report.written > 100);

  await stage.changeLibrary('docs', { spec: { sparseVectors: [{ name: 'words', modifier: 'idf' }] } });
  await stage.eventSays('docs', 'VectorAdded');
  const library = await stage.libraryReady('docs', 1);
  assert.equal(library.status?.generations?.length, 1);
  assert.equal(library.status?.collection, 'docs--g1');

  const qdrant = await stage.qdrant('desk');
  for (const peer of qdrant.peers) {
    const { sparse_vectors: sparse } = (await peer.collection('docs')).config.params;
    assert.deepEqual(Object.keys(sparse ?? {}), ['words'], `${peer.name} shows it`);
  }
  // None of those that the load writes.
  const id = '5a0c1d2e-0000-4000-8000-000000000001';
  await qdrant.upsert('docs', [{ id, vector: { words: { indices: [7], values: [1] } }, payload: {} }]);
  for (const peer of qdrant.peers) {
    const query = { indices: [7], values: [1] };
    const found = await peer.query('docs', { query, using: 'words', limit: 9 });
    assert.deepEqual(
      found.map((point) => point.id),
      [id],
    );
  }
  await qdrant.deletePoints('docs', { ids: [id] });
  await load.nothingLostAndNothingFailed();
  await stage.untilLibrary('docs', ({ status }) => (status?.vectorsBytes ?? 0) > 0, 'telling the size of its vectors');
});
