import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Peer, Peers } from './peers.ts';

/** A started single-peer cluster, and how to end it. */
export type Subject = { readonly peers: Peers; readonly peer: Peer };

type Points = {
  points: { id: number | string; payload?: object; vector?: unknown; score?: number; shard_key?: string }[];
  next_page_offset: unknown;
};

/**
 * What a Qdrant server answers, said once: runs against the embedded engine always, and against a real server where
 * there is one. A difference is a defect of the engine.
 */
export function contract(name: string, start: () => Promise<Subject>): void {
  describe(`the contract of a Qdrant server, kept by ${name}`, { timeout: 60_000 }, () => {
    let subject: Subject;
    before(async () => {
      subject = await start();
    });
    after(() => subject.peers.close());

    const send = (method: string, path: string, body?: unknown) =>
      subject.peer.call<{ result: unknown; status: { error: string } }>(method, path, body);
    const ok = <T>(method: string, path: string, body?: unknown) => subject.peer.ok<T>(method, path, body);
    /** Sends, and compares status and error text. */
    const refuses = async (
      request: [method: string, path: string, body?: unknown],
      status: number,
      text: string | RegExp,
    ) => {
      const answer = await send(...request);
      assert.equal(answer.status, status, answer.text);
      const error = answer.body?.status.error ?? answer.text;
      if (typeof text === 'string') assert.equal(error, text);
      else assert.match(error, text);
    };
    const create = (collection: string, body: object = {}) =>
      ok('PUT', `/collections/${collection}`, { vectors: { size: 3, distance: 'Cosine' }, ...body });
    const upsert = (collection: string, points: object[]) =>
      ok('PUT', `/collections/${collection}/points?wait=true`, { points });

    test('says its version and health without a key', async () => {
      const root = await subject.peer.call<{ title: string; version: string }>('GET', '/');
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

    test('keeps ids of all kinds and pages through them in order', async () => {
      await create('ids');
      const uuid = '00000000-0000-0000-0000-00000000000a';
      const body = `{"points":[{"id":"${uuid}","vector":[1,0,0]},{"id":18446744073709551615,"vector":[0,1,0]},{"id":7,"vector":[0,0,1],"payload":{"big":9007199254740993}}]}`;
      assert.equal((await send('PUT', '/collections/ids/points?wait=true', body)).status, 200);
      const all = await send('POST', '/collections/ids/points/scroll', { limit: 10 });
      assert.deepEqual(
        [...all.text.matchAll(/"id":("[^"]+"|\d+)/g)].map(([, id]) => id),
        ['7', '18446744073709551615', `"${uuid}"`],
      );
      assert.match(all.text, /9007199254740993/);
      const first = await send('POST', '/collections/ids/points/scroll', { limit: 1 });
      assert.match(first.text, /"next_page_offset":18446744073709551615/);
      await refuses(
        ['PUT', '/collections/ids/points', { points: [{ id: -1, vector: [1, 2, 3] }] }],
        400,
        /value -1 is not a valid point ID/,
      );
      await refuses(['GET', '/collections/ids/points/8'], 404, 'Not found: Point with id 8 does not exists!');
    });

    test('keeps floats that are whole apart from integers, and finds both', async () => {
      await create('floats');
      const body = '{"points":[{"id":1,"vector":[1.0,2,3e0],"payload":{"a":1.0,"b":1,"c":{"d":[-2.0,2.5]}}}]}';
      assert.equal((await send('PUT', '/collections/floats/points?wait=true', body)).status, 200);
      const { text } = await send('POST', '/collections/floats/points/scroll', {});
      for (const part of ['"a":1.0', '"b":1', '"d":[-2.0,2.5]']) assert.ok(text.includes(part), text);
      const above = {
        filter: {
          must: [
            { key: 'a', range: { gte: 1 } },
            { key: 'c.d[]', range: { lt: -1.5 } },
          ],
        },
      };
      assert.equal((await ok<{ count: number }>('POST', '/collections/floats/points/count', above)).count, 1);
    });

    test('stores vectors as the collection wants them', async () => {
      await create('kinds', {
        vectors: {
          dense: { size: 2, distance: 'Cosine' },
          multi: { size: 2, distance: 'Dot', multivector_config: { comparator: 'max_sim' } },
          small: { size: 2, distance: 'Dot', datatype: 'uint8' },
        },
        sparse_vectors: { words: {} },
      });
      const vector = {
        dense: [3, 4],
        multi: [
          [1.5, 0.5],
          [0.5, 1.5],
        ],
        small: [300.7, 1.9],
        words: { indices: [5, 1], values: [0.5, 2] },
      };
      await upsert('kinds', [{ id: 1, vector }]);
      const found = await ok<Points>('POST', '/collections/kinds/points/scroll', { with_vector: true });
      const stored = found.points[0]?.vector as { dense: number[]; multi: number[][]; small: number[]; words: object };
      assert.deepEqual(
        stored.dense.map((value) => value.toFixed(5)),
        ['0.60000', '0.80000'],
      );
      assert.deepEqual(stored.multi, [
        [1.5, 0.5],
        [0.5, 1.5],
      ]);
      assert.deepEqual(stored.small, [255, 1]);
      assert.deepEqual(stored.words, { indices: [1, 5], values: [2, 0.5] });
      await refuses(
        ['PUT', '/collections/kinds/points?wait=true', { points: [{ id: 2, vector: { dense: [1] } }] }],
        400,
        /Vector dimension error: expected dim: 2, got 1/,
      );
      await refuses(
        ['PUT', '/collections/kinds/points?wait=true', { points: [{ id: 2, vector: { none: [1, 2] } }] }],
        400,
        /Not existing vector name error: none/,
      );
    });

    test('finds the nearest by every distance', async () => {
      const nearest = { Cosine: [1, 2], Dot: [2, 1], Euclid: [1, 2], Manhattan: [1, 2] };
      for (const [distance, expected] of Object.entries(nearest)) {
        await create(`near-${distance}`, { vectors: { size: 2, distance } });
        await upsert(`near-${distance}`, [
          { id: 1, vector: [1, 1] },
          { id: 2, vector: [5, 4] },
        ]);
        const found = await ok<Points>('POST', `/collections/near-${distance}/points/query`, {
          query: [1, 1],
          limit: 2,
        });
        assert.deepEqual(
          found.points.map(({ id }) => id),
          expected,
          distance,
        );
      }
    });

    test('searches by id, with filter, threshold, offset, sparse and multi vectors', async () => {
      await create('search', {
        vectors: {
          '': { size: 2, distance: 'Dot' },
          multi: { size: 2, distance: 'Dot', multivector_config: { comparator: 'max_sim' } },
        },
        sparse_vectors: { words: {} },
      });
      await upsert(
        'search',
        [1, 2, 3].map((id) => ({
          id,
          vector: {
            '': [id, 0],
            // Two rows of integers would be read as a sparse vector.
            multi: [
              [id + 0.5, 0.5],
              [0.5, id],
            ],
            words: { indices: [id, 9], values: [1, id] },
          },
          payload: { id, even: id % 2 === 0 },
        })),
      );
      const query = async (body: object) => (await ok<Points>('POST', '/collections/search/points/query', body)).points;
      assert.deepEqual(
        (await query({ query: 3 })).map(({ id }) => id),
        [2, 1],
      );
      assert.deepEqual(
        (await query({ query: [1, 0], filter: { must: [{ key: 'even', match: { value: false } }] } })).map(
          ({ id }) => id,
        ),
        [3, 1],
      );
      assert.deepEqual(
        (await query({ query: [1, 0], score_threshold: 1.5 })).map(({ id, score }) => [id, score]),
        [
          [3, 3],
          [2, 2],
        ],
      );
      assert.deepEqual(
        (await query({ query: [1, 0], score_threshold: 2 })).map(({ id }) => id),
        [3],
        'only above',
      );
      assert.deepEqual(
        (await query({ query: [1, 0], offset: 1, limit: 1, with_payload: ['id'] })).map(({ payload }) => payload),
        [{ id: 2 }],
      );
      assert.deepEqual(
        (await query({ query: { indices: [9], values: [2] }, using: 'words', limit: 1 })).map(({ id, score }) => [
          id,
          score,
        ]),
        [[3, 6]],
      );
      assert.deepEqual(
        (
          await query({
            query: [
              [1.5, 0.5],
              [0.5, 1.5],
            ],
            using: 'multi',
            limit: 1,
          })
        ).map(({ id, score }) => [id, score]),
        [[3, 10.25]],
      );
      await refuses(
        ['POST', '/collections/search/points/query', { query: 77 }],
        404,
        'Not found: No point with id 77 found',
      );
      await refuses(
        ['POST', '/collections/search/points/query', { query: [1] }],
        400,
        /Vector dimension error: expected dim: 2, got 1/,
      );
    });

    test('filters by match, range, emptiness, ids, nested objects and their combinations', async () => {
      await create('filter');
      await upsert('filter', [
        {
          id: 1,
          vector: [1, 1, 1],
          payload: {
            tag: 'a',
            n: 1,
            at: '2026-01-01T00:00:00Z',
            list: [
              { k: 1, v: 2 },
              { k: 2, v: 1 },
            ],
          },
        },
        {
          id: 2,
          vector: [1, 1, 1],
          payload: { tag: ['a', 'b'], n: 2.5, at: '2026-06-01T00:00:00Z', text: 'Quick brown fox' },
        },
        { id: 3, vector: [1, 1, 1], payload: { n: 3, nothing: null, deep: { er: true } } },
      ]);
      const matching = async (filter: object) =>
        (await ok<Points>('POST', '/collections/filter/points/scroll', { filter })).points.map(({ id }) => id);
      const must = (...conditions: object[]) => matching({ must: conditions });
      assert.deepEqual(await must({ key: 'tag', match: { value: 'a' } }), [1, 2]);
      assert.deepEqual(await must({ key: 'tag', match: { any: ['b', 'z'] } }), [2]);
      assert.deepEqual(await must({ key: 'tag', match: { except: ['a'] } }), [2]);
      assert.deepEqual(await must({ key: 'text', match: { text: 'brown' } }), [2]);
      assert.deepEqual(await must({ key: 'n', range: { gt: 1, lte: 3 } }), [2, 3]);
      assert.deepEqual(await must({ key: 'at', range: { gte: '2026-02-01T00:00:00Z' } }), [2]);
      assert.deepEqual(await must({ key: 'deep.er', match: { value: true } }), [3]);
      assert.deepEqual(await must({ key: 'list[].k', match: { value: 2 } }), [1]);
      assert.deepEqual(await must({ is_empty: { key: 'tag' } }), [3]);
      assert.deepEqual(await must({ is_null: { key: 'nothing' } }), [3]);
      assert.deepEqual(await must({ has_id: [3, 1, 9] }), [1, 3]);
      assert.deepEqual(await must({ key: 'tag', values_count: { gte: 2 } }), [2]);
      const both = (k: number, v: number) => ({
        nested: {
          key: 'list',
          filter: {
            must: [
              { key: 'k', match: { value: k } },
              { key: 'v', match: { value: v } },
            ],
          },
        },
      });
      assert.deepEqual(await must(both(1, 2)), [1]);
      assert.deepEqual(await must(both(1, 1)), []);
      assert.deepEqual(await matching({ must_not: [{ key: 'tag', match: { value: 'a' } }] }), [3]);
      assert.deepEqual(await matching({ should: [{ has_id: [1] }, { key: 'n', match: { value: 3 } }] }), [1, 3]);
      assert.deepEqual(await must({ should: [{ has_id: [1] }], must_not: [{ has_id: [2] }] }), [1]);
      await refuses(
        ['POST', '/collections/filter/points/count', { filter: { must: [{ slice: { total: 2, index: 0 } }] } }],
        400,
        /Expected some form of condition/,
      );
    });

    test('changes payloads and deletes points by id and by filter', async () => {
      await create('payload');
      await upsert(
        'payload',
        [1, 2, 3].map((id) => ({ id, vector: [1, 2, 3], payload: { id, keep: true } })),
      );
      const change = (method: string, path: string, body: object) =>
        ok(method, `/collections/payload/points${path}?wait=true`, body);
      await change('POST', '/payload', { payload: { added: 1 }, points: [1] });
      await change('PUT', '/payload', { payload: { only: 1 }, points: [2] });
      await change('POST', '/payload/delete', { keys: ['keep'], filter: { must: [{ has_id: [3] }] } });
      const payloads = async () =>
        (await ok<Points>('POST', '/collections/payload/points/scroll', {})).points.map(({ payload }) => payload);
      assert.deepEqual(await payloads(), [{ id: 1, keep: true, added: 1 }, { only: 1 }, { id: 3 }]);
      await change('POST', '/payload/clear', { points: [2] });
      await change('POST', '/delete', { filter: { must: [{ key: 'keep', match: { value: true } }] } });
      await change('POST', '/delete', { points: [3, 99] });
      assert.deepEqual(await payloads(), [{}]);
      await refuses(
        ['POST', '/collections/payload/points/payload?wait=true', { payload: { a: 1 }, points: [77] }],
        404,
        'Not found: No point with id 77 found',
      );
      await refuses(
        ['POST', '/collections/payload/points/payload?wait=true', { payload: { a: 1 } }],
        400,
        /Either list of point ids or filter must be provided/,
      );
    });

    test('writes under conditions: insert_only, update_only, update_filter', async () => {
      await create('conditions');
      const put = (ids: number[], payload: object, more: object = {}) =>
        ok('PUT', '/collections/conditions/points?wait=true', {
          points: ids.map((id) => ({ id, vector: [1, 2, 3], payload })),
          ...more,
        });
      await put([1], { v: 1 });
      await put([1, 2], { v: 2 }, { update_mode: 'insert_only' });
      await put([2, 3], { v: 3 }, { update_mode: 'update_only' });
      await put([1, 2, 4], { v: 4 }, { update_filter: { must: [{ key: 'v', match: { value: 1 } }] } });
      const { points } = await ok<Points>('POST', '/collections/conditions/points/scroll', {});
      assert.deepEqual(
        points.map(({ id, payload }) => [id, payload]),
        [
          [1, { v: 4 }],
          [2, { v: 3 }],
          [4, { v: 4 }],
        ],
      );
    });

    test('lists payload indexes and facets by them', async () => {
      await create('indexed');
      await upsert(
        'indexed',
        ['x', 'x', 'y'].map((tag, id) => ({ id, vector: [1, 2, 3], payload: { tag } })),
      );
      await ok('PUT', '/collections/indexed/index?wait=true', { field_name: 'tag', field_schema: 'keyword' });
      await ok('PUT', '/collections/indexed/index?wait=true', {
        field_name: 'n',
        field_schema: { type: 'integer', lookup: true, range: false },
      });
      const { payload_schema } = await ok<{ payload_schema: Record<string, { data_type: string; points: number }> }>(
        'GET',
        '/collections/indexed',
      );
      assert.deepEqual(payload_schema.tag, { data_type: 'keyword', points: 3 });
      assert.equal(payload_schema.n?.data_type, 'integer');
      assert.deepEqual(await ok('POST', '/collections/indexed/facet', { key: 'tag' }), {
        hits: [
          { value: 'x', count: 2 },
          { value: 'y', count: 1 },
        ],
      });
      await ok('DELETE', '/collections/indexed/index/n?wait=true');
      assert.deepEqual(
        Object.keys((await ok<{ payload_schema: object }>('GET', '/collections/indexed')).payload_schema),
        ['tag'],
      );
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
      const view = await subject.peer.view('keyed');
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
      assert.equal((await subject.peer.view('keyed')).shard_count, 0);
    });

    test('refuses transfers that make no sense, in these words', async () => {
      await create('transfer');
      const self = await subject.peer.id();
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

    test('strict mode limits writes', async () => {
      await create('strict', {
        strict_mode_config: { enabled: true, upsert_max_batchsize: 0, unindexed_filtering_retrieve: false },
      });
      const put = (count: number): [string, string, object] => [
        'PUT',
        '/collections/strict/points?wait=true',
        { points: Array.from({ length: count }, (_, id) => ({ id, vector: [1, 2, 3] })) },
      ];
      await refuses(put(1), 400, /Limit exceeded 1 > 0 for "upsert limit"/);
      assert.equal(
        (await send('POST', '/collections/strict/points/delete?wait=true', { points: [1] })).status,
        200,
        'deletes pass',
      );
      await refuses(
        ['POST', '/collections/strict/points/count', { filter: { must: [{ key: 'z', match: { value: 1 } }] } }],
        400,
        /Index required but not found for "z"/,
      );
      await ok('PATCH', '/collections/strict', {
        strict_mode_config: { upsert_max_batchsize: 10, write_rate_limit: 1 },
      });
      await refuses(put(2), 429, /request larger than rate limiter capacity/);
      await ok(...put(1));
      const limited = await send(...put(1));
      assert.equal(limited.status, 429);
      assert.match(
        limited.text,
        /Write rate limit exceeded: Operation requires 1 tokens but only 0.0 were available. Retry after 60s/,
      );
      assert.equal(limited.headers.get('retry-after'), '60');
      await refuses(
        ['PATCH', '/collections/strict', { strict_mode_config: { write_rate_limit: 0 } }],
        422,
        /must be 1 or larger/,
      );
    });

    test('snapshots hold the shards of this peer and bring them back', async () => {
      await create('saved');
      await upsert(
        'saved',
        [1, 2, 3].map((id) => ({ id, vector: [1, 2, 3], payload: { id } })),
      );
      const made = await ok<{ name: string; checksum: string; size: number }>('POST', '/collections/saved/snapshots');
      assert.match(made.name, new RegExp(`^saved-${await subject.peer.id()}-\\d{4}(-\\d\\d){5}\\.snapshot$`));
      assert.equal((await ok<object[]>('GET', '/collections/saved/snapshots')).length, 1);
      await ok('POST', '/collections/saved/points/delete?wait=true', { points: [1, 2] });
      const location = `${subject.peer.url}/collections/saved/snapshots/${made.name}`;
      const recover = (body: object): [string, string, object] => [
        'PUT',
        '/collections/saved/snapshots/recover',
        { priority: 'snapshot', ...body },
      ];
      await refuses(recover({ location, checksum: 'a'.repeat(64) }), 400, /checksum mismatch: expected a/);
      await refuses(recover({ location: `${location}x` }), 400, /Failed to download/);
      await refuses(recover({ location: 'file:///etc/hostname' }), 403, /must be inside the snapshots directory/);
      assert.equal(await ok(...recover({ location, checksum: made.checksum })), true);
      assert.equal(await subject.peer.count('saved'), 3);
      assert.equal(await ok('PUT', '/collections/again/snapshots/recover', { location, priority: 'snapshot' }), true);
      assert.equal(await subject.peer.count('again'), 3);
      const stream = `${subject.peer.url}/collections/saved/shards/0/snapshot`;
      await create('copied', { vectors: { size: 3, distance: 'Dot' } });
      assert.equal(
        await ok('PUT', '/collections/copied/shards/0/snapshots/recover', { location: stream, priority: 'snapshot' }),
        true,
        'no check of the config (S6)',
      );
      assert.equal(await subject.peer.count('copied'), 3);
      const waiting = await send('POST', '/collections/saved/shards/0/snapshots?wait=false');
      assert.equal(waiting.status, 202);
      assert.equal(waiting.body.status as unknown, 'accepted');
      assert.equal(await ok('DELETE', `/collections/saved/snapshots/${made.name}`), true);
      await refuses(
        ['DELETE', '/collections/saved/snapshots/none.snapshot'],
        404,
        'Not found: Snapshot none.snapshot not found',
      );
    });

    test('tells its state by metrics and telemetry', async () => {
      await create('told');
      await upsert('told', [{ id: 1, vector: [1, 2, 3] }]);
      const { text } = await send('GET', '/metrics');
      for (const line of [
        /^collection_points\{id="told"\} 1$/m,
        /^cluster_peers_total 1$/m,
        /^collection_dead_replicas 0$/m,
        /^cluster_working_state\{state="working"\} 1$/m,
        /^rest_responses_total\{method="PUT",endpoint="\/collections\/\{collection_name\}\/points",status="200"\} \d+$/m,
      ]) {
        assert.match(text, line);
      }
      assert.match(
        (await send('GET', '/metrics?per_collection=true')).text,
        /^rest_responses_total\{.*collection="told".*\} 1$/m,
      );
      type Report = {
        collections: Record<string, { shards: { id: number; replicas: { num_points: number; state: string }[] }[] }>;
        cluster: { peers: Record<string, { responsive: boolean; details: { role: string } }> };
      };
      const report = await ok<Report>('GET', '/cluster/telemetry?details_level=3');
      assert.deepEqual(
        report.collections.told?.shards.map(({ id, replicas }) => [id, replicas[0]?.num_points, replicas[0]?.state]),
        [[0, 1, 'Active']],
      );
      assert.equal(report.cluster.peers[await subject.peer.id()]?.details.role, 'Leader');
      const own = await ok<{
        collections: { collections: { id: string; shards: { local: { update_queue: { op_num: number } } }[] }[] };
      }>('GET', '/telemetry?details_level=3');
      assert.ok(
        (own.collections.collections.find(({ id }) => id === 'told')?.shards[0]?.local.update_queue.op_num ?? 0) >= 1,
      );
    });

    test('keeps cluster metadata', async () => {
      await ok('PUT', '/cluster/metadata/keys/mark?wait=true', { a: 1 });
      assert.deepEqual(await ok('GET', '/cluster/metadata/keys/mark'), { a: 1 });
    });
  });
}
