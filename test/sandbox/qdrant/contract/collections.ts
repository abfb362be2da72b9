import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Points, World } from './world.ts';

/** Collections, aliases, shard keys and transfers. */
export function collections(world: World): void {
  const { send, ok, refuses, create } = world;

  test('says its version and health without a key', async () => {
    const root = await world.peer.call<{ title: string; version: string }>('GET', '/');
    assert.equal(root.body.title, 'qdrant - vector search engine');
    assert.equal((await send('GET', '/healthz')).text, 'healthz check passed');
    assert.equal((await send('GET', '/readyz')).text, 'all shards are ready');
    assert.equal((await send('GET', '/nowhere')).status, 404);
  });

  test('creates, describes and deletes collections', async () => {
    await create('made', { metadata: { owner: 'me' }, hnsw_config: { m: 8 } });
    await refuses(
      ['PUT', '/collections/made', { vectors: { size: 3, distance: 'Dot' } }],
      409,
      'Wrong input: Collection `made` already exists!',
    );
    const info = await ok<{
      status: string;
      points_count: number;
      config: { params: object; hnsw_config: { m: number }; metadata: object };
    }>('GET', '/collections/made');
    assert.equal(info.status, 'green');
    assert.equal(info.points_count, 0);
    assert.deepEqual(info.config.params, {
      vectors: { size: 3, distance: 'Cosine' },
      shard_number: 1,
      replication_factor: 1,
      write_consistency_factor: 1,
      on_disk_payload: true,
    });
    assert.equal(info.config.hnsw_config.m, 8);
    assert.deepEqual(info.config.metadata, { owner: 'me' });
    assert.deepEqual(await ok('GET', '/collections/made/exists'), { exists: true });
    assert.equal(await ok('DELETE', '/collections/made'), true);
    assert.equal(await ok('DELETE', '/collections/made'), false);
    await refuses(['GET', '/collections/made'], 404, "Not found: Collection `made` doesn't exist!");
  });

  test('refuses what it cannot create', async () => {
    await refuses(
      ['PUT', '/collections/bad', { vectors: { n: { size: 0, distance: 'Dot' } } }],
      400,
      /data did not match any variant of untagged enum VectorsConfig/,
    );
    await refuses(['PUT', '/collections/bad', { vectors: { size: 3, distance: 'Near' } }], 400, /VectorsConfig/);
    await refuses(
      ['PUT', '/collections/bad', { vectors: { size: 3, distance: 'Dot' }, shard_number: 0 }],
      422,
      /Validation error|must be 1 or larger/,
    );
    assert.equal((await send('PUT', '/collections/bad', '{')).status, 400);
  });

  test('changes in place what PATCH may change, by merging', async () => {
    await create('patched', { metadata: { a: 1, b: 2 } });
    await ok('PATCH', '/collections/patched', {
      hnsw_config: { m: 32 },
      params: { replication_factor: 2 },
      metadata: { a: null, c: { d: 1 } },
      strict_mode_config: { enabled: true, max_query_limit: 5 },
    });
    const { config } = await ok<{
      config: {
        hnsw_config: object;
        params: { replication_factor: number };
        metadata: object;
        strict_mode_config: object;
      };
    }>('GET', '/collections/patched');
    assert.deepEqual(config.hnsw_config, {
      m: 32,
      ef_construct: 100,
      full_scan_threshold: 10000,
      max_indexing_threads: 0,
      on_disk: false,
    });
    assert.equal(config.params.replication_factor, 2);
    assert.deepEqual(config.metadata, { b: 2, c: { d: 1 } });
    assert.deepEqual(config.strict_mode_config, { enabled: true, max_query_limit: 5 });
    await refuses(
      ['POST', '/collections/patched/points/scroll', { limit: 6 }],
      400,
      /Limit exceeded 6 > 5 for "limit"/,
    );
    await refuses(
      ['PATCH', '/collections/patched', { vectors: { other: { on_disk: true } } }],
      400,
      'Wrong input: Not existing vector name error: other',
    );
    await refuses(['PATCH', '/collections/none', {}], 404, /doesn't exist!/);
  });

  test('switches aliases in one step, and keeps what came before a failing action', async () => {
    const act = (...actions: object[]): [string, string, object] => ['POST', '/collections/aliases', { actions }];
    const point = (collection: string, alias: string) => ({
      create_alias: { collection_name: collection, alias_name: alias },
    });
    await create('one');
    await create('two');
    await ok(...act(point('one', 'front')));
    await ok(...act(point('two', 'front')));
    assert.deepEqual(await ok('GET', '/collections/two/aliases'), {
      aliases: [{ alias_name: 'front', collection_name: 'two' }],
    });
    await refuses(
      act(point('one', 'early'), point('none', 'late')),
      404,
      "Not found: Collection `none` doesn't exist!",
    );
    assert.deepEqual(await ok('GET', '/collections/one/aliases'), {
      aliases: [{ alias_name: 'early', collection_name: 'one' }],
    });
    await refuses(act(point('one', 'two')), 409, 'Wrong input: Collection `two` already exists!');
    await refuses(['PUT', '/collections/front', { vectors: {} }], 400, /Alias with the same name already exists/);
    await refuses(
      act({ rename_alias: { old_alias_name: 'none', new_alias_name: 'x' } }),
      404,
      'Not found: Alias none does not exists!',
    );
    assert.equal(await ok(...act({ delete_alias: { alias_name: 'none' } })), true);
    assert.equal(await ok('DELETE', '/collections/front'), false);
    await ok('DELETE', '/collections/two');
    await refuses(['GET', '/collections/front'], 404, /doesn't exist/);
  });

  test('shards by key, from id 1 on', async () => {
    await create('keyed', { sharding_method: 'custom', shard_number: 2 });
    await refuses(
      ['PUT', '/collections/keyed/points', { points: [{ id: 1, vector: [1, 2, 3] }] }],
      400,
      'Wrong input: Shard key not specified',
    );
    await ok('PUT', '/collections/keyed/shards', { shard_key: 'k' });
    await refuses(
      ['PUT', '/collections/keyed/shards', { shard_key: 'k' }],
      400,
      'Bad request: Sharding key "k" already exists for collection keyed',
    );
    const view = await world.peer.view('keyed');
    assert.deepEqual(
      view.local_shards
        .toSorted((x, y) => x.shard_id - y.shard_id)
        .map(({ shard_id, shard_key }) => [shard_id, shard_key]),
      [
        [1, 'k'],
        [2, 'k'],
      ],
    );
    await ok('PUT', '/collections/keyed/points?wait=true', {
      points: [{ id: 1, vector: [1, 2, 3] }],
      shard_key: 'k',
    });
    assert.equal((await ok<Points>('POST', '/collections/keyed/points/scroll', {})).points[0]?.shard_key, 'k');
    assert.deepEqual(await ok('GET', '/collections/keyed/shards'), { shard_keys: [{ key: 'k' }] });
    await refuses(
      ['PUT', '/collections/keyed/points', { points: [{ id: 1, vector: [1, 2, 3] }], shard_key: 'z' }],
      400,
      'Wrong input: Shard key "z" not found',
    );
    await ok('POST', '/collections/keyed/shards/delete', { shard_key: 'k' });
    assert.equal((await world.peer.view('keyed')).shard_count, 0);
  });

  test('refuses transfers that make no sense, in these words', async () => {
    await create('transfer');
    const self = await world.peer.id();
    const operate = (body: object): [string, string, object] => ['POST', '/collections/transfer/cluster', body];
    const key = { shard_id: 0, from_peer_id: self, to_peer_id: 5 };
    await refuses(operate({ move_shard: { ...key, to_peer_id: self } }), 422, /cannot transfer shard to itself/);
    await refuses(operate({ move_shard: key }), 400, 'Bad request: Peer 5 does not exist');
    await refuses(
      operate({ replicate_shard: { ...key, shard_id: 9 } }),
      400,
      'Bad request: Shard 9 of transfer does not exist',
    );
    await refuses(
      operate({ abort_transfer: key }),
      404,
      `Not found: Shard transfer ${self} -> 5 for collection transfer:0 does not exist`,
    );
    await refuses(
      operate({ drop_replica: { shard_id: 0, peer_id: self } }),
      400,
      `Bad request: Shard 0 must have at least one active replica after removing ${self}`,
    );
    await refuses(operate({ unknown: {} }), 400, /untagged enum ClusterOperations/);
    await refuses(
      ['DELETE', `/cluster/peer/${self}`],
      400,
      `Bad request: Cannot remove peer ${self} as there are shards on it`,
    );
  });

  test('keeps cluster metadata', async () => {
    await ok('PUT', '/cluster/metadata/keys/mark?wait=true', { a: 1 });
    assert.deepEqual(await ok('GET', '/cluster/metadata/keys/mark'), { a: 1 });
  });
}
