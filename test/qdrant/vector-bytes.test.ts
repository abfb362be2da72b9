import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vectorBytes } from '../../src/qdrant/index.ts';
import { peerAndServer } from './support/clients.ts';
import { refuses, reply, result } from './support/fake-server.ts';

const shard = (id: number, ...sizes: (number | undefined)[]) => ({
  id,
  replicas: sizes.map((bytes, index) => ({ peer_id: index + 1, state: 'Active', vectors_size_bytes: bytes })),
});

test('vectors are as large as one replica of each shard says; unsaid is not nothing', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(({ path, query }, response) => {
    if (path !== '/cluster/telemetry' || query.get('details_level') !== '3')
      return refuses(404, 'no')({} as never, response);
    return reply(response, {
      collections: {
        both: { id: 'both', shards: [shard(0, 700, 650), shard(1, undefined, 300)] },
        empty: { id: 'empty', shards: [shard(0, 0)] },
        keyless: { id: 'keyless', shards: [] },
        partly: { id: 'partly', shards: [shard(0, 700), shard(1, undefined)] },
        bare: { id: 'bare' },
      },
    });
  });
  const told = await vectorBytes(peer, { distributed: true });
  assert.deepEqual(Object.fromEntries(told ?? []), { both: 1000, empty: 0, keyless: 0 });
});

test('a server without cluster mode is asked about itself', async (t) => {
  const { server, peer } = await peerAndServer(t);
  const local = (bytes: number | null) => ({ local: bytes === null ? null : { vectors_size_bytes: bytes } });
  const collections = [
    { id: 'whole', shards: [local(40), local(2)] },
    { id: 'remote', shards: [local(40), local(null)] },
    { vectors: 3, optimizers_status: 'ok' },
  ];
  server.always(result({ id: 'x', collections: { number_of_collections: 2, collections } }));
  assert.deepEqual(await vectorBytes(peer, { distributed: false }), new Map([['whole', 42]]));
  assert.equal(server.received[0]?.path, '/telemetry');
});

test('where nobody tells nothing is known, and nothing fails', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(refuses(404, 'no such path'));
  assert.equal(await vectorBytes(peer, { distributed: true }), undefined);
  server.always(result({}));
  assert.equal(await vectorBytes(peer, { distributed: true }), undefined);
  server.always(result({ id: 'x' }));
  assert.deepEqual(await vectorBytes(peer, { distributed: false }), new Map());
});
