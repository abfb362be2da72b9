import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Peers, REAL_BINARY } from '../sandbox/qdrant/peers.ts';
import { CANARY, Room } from './room.ts';

let room: Room;
beforeEach(async () => {
  room = await Room.start();
});
afterEach(() => room.stop());

const text = { name: 'text', size: 3, distance: 'Dot' } as const;
const points = Array.from({ length: 50 }, (_, id) => ({ id, vector: { text: [1, id, 3] }, payload: { id } }));
const find = async (using: string, query: number[]): Promise<unknown[]> =>
  (await room.qdrant.query('docs', { query, using, limit: 100 })).map(({ id }) => id);

test('a vector added to the spec comes into the generation that serves: points stay searchable, and it takes writes', async () => {
  await room.putKey(CANARY);
  await room.createCluster();
  room.startOperator();
  await room.createLibrary({ vectors: [text] });
  await room.ready();
  await room.qdrant.upsert('docs', points);

  const title = { name: 'title', size: 2, distance: 'Cosine', onDisk: true };
  const rows = { name: 'rows', size: 2, multivector: {} };
  await room.change({ spec: { vectors: [text, title, rows], sparseVectors: [{ name: 'words', modifier: 'idf' }] } });
  await room.ready();

  const { status } = await room.library();
  assert.deepEqual([status?.generation, status?.collection, status?.generations?.length], [1, 'docs--g1', 1]);
  const { params } = (await room.qdrant.collection('docs')).config;
  assert.deepEqual(params.vectors, {
    text: { size: 3, distance: 'Dot' },
    title: { size: 2, distance: 'Cosine', on_disk: true },
    rows: { size: 2, distance: 'Cosine', multivector_config: { comparator: 'max_sim' } },
  });
  assert.deepEqual(Object.keys(params.sparse_vectors ?? {}), ['words']);
  assert.equal((await find('text', [1, 1, 1])).length, 50);
  assert.deepEqual(await find('title', [1, 0]), []);
  const vector = {
    text: [0, 0, 1],
    title: [1, 0],
    rows: [
      [1, 0],
      [0, 1],
    ],
    words: { indices: [3], values: [1] },
  };
  await room.qdrant.upsert('docs', [{ id: 99, vector, payload: {} }]);
  assert.deepEqual(await find('title', [1, 0]), [99]);
  assert.equal((await find('text', [1, 1, 1])).length, 51);
  assert.deepEqual(
    room.events.filter(({ reason }) => reason === 'VectorAdded').map(({ note }) => note.split(' ')[1]),
    ['title', 'rows', 'words'],
  );
  assert.ok(!room.events.some(({ reason }) => reason === 'GenerationStarted'));
  assert.equal(room.forbidden(), 0);

  room.writes();
  await room.change({ spec: { shards: { number: 2 } } });
  await room.until(async () => (await room.library()).status?.generation === 2);
  await room.ready();
  const [moved] = await room.qdrant.retrieve('docs', [99], { withVectors: true });
  assert.deepEqual(moved?.vector, vector, 'a later generation brings the vector along');
  const floats = 51 * 3 + 2 + 4 + 2;
  await room.until(async () => (await room.library()).status?.vectorsBytes === floats * 4);
});

test('of a cluster behind one address the versions are asked for: one old peer is enough for a new generation', {
  skip: REAL_BINARY !== undefined,
}, async () => {
  const peers = new Peers();
  try {
    const [first, , last] = await peers.cluster(3);
    assert.ok(first !== undefined && last !== undefined);
    await room.createCluster('main', { external: { url: first.url } });
    room.startOperator();
    await room.createLibrary({ vectors: [text] });
    await room.ready();
    await room.change({ spec: { sparseVectors: [{ name: 'words' }] } });
    await room.ready();
    assert.equal((await room.library()).status?.generation, 1);
    for (const peer of peers.all) {
      const { config } = await peer.ok<{ config: { params: { sparse_vectors: object } } }>('GET', '/collections/docs');
      assert.deepEqual(config.params.sparse_vectors, { words: {} });
    }

    await last.stop();
    await last.start({ env: { SANDBOX_QDRANT_VERSION: '1.17.1' } });
    await room.change({ spec: { sparseVectors: [{ name: 'words' }, { name: 'more' }] } });
    await room.until(async () => (await room.library()).status?.change !== undefined);
    assert.equal(
      (await room.library()).status?.change?.reason,
      `sparse vector more is added (in place only where every peer runs Qdrant 1.18 or later: ${await last.id()} runs 1.17.1)`,
    );
  } finally {
    await room.stopOperator();
    await peers.close();
  }
});
