import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Points, World } from './world.ts';

/** Search, filters, payload indexes and facets. */
export function search(world: World): void {
  const { ok, refuses, create, upsert } = world;

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
}
