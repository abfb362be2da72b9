import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Points, World } from './world.ts';

type Params = { readonly vectors: object; readonly sparse_vectors?: object };

/** Named vectors of a collection that exists (since 1.18). */
export function vectors(world: World): void {
  const { ok, refuses, create, upsert } = world;
  const add = (collection: string, vector: string, body: object) =>
    ok<{ status: string }>('PUT', `/collections/${collection}/vectors/${vector}?wait=true`, body);
  const adding = (vector: string, body: object, collection = 'grown'): [string, string, object] => [
    'PUT',
    `/collections/${collection}/vectors/${vector}?wait=true`,
    body,
  ];
  const paramsOf = async (collection: string): Promise<Params> =>
    (await ok<{ config: { params: Params } }>('GET', `/collections/${collection}`)).config.params;
  const query = (collection: string, using: string, vector: unknown) =>
    ok<Points>('POST', `/collections/${collection}/points/query`, { query: vector, using, limit: 9 });
  const dense = { dense: { size: 2, distance: 'Dot' } };
  const several = { comparator: 'max_sim' };

  test('adds named vectors to a collection that has points, which keep what they had', async () => {
    await create('grown', { vectors: { a: { size: 3, distance: 'Cosine' } } });
    await upsert('grown', [
      { id: 1, vector: { a: [1, 0, 0] } },
      { id: 2, vector: { a: [0, 1, 0] } },
    ]);
    assert.equal((await add('grown', 'b', dense)).status, 'completed');
    await add('grown', 'm', {
      dense: { size: 2, distance: 'Cosine', datatype: 'float16', multivector_config: several },
    });
    await add('grown', 's', { sparse: { modifier: 'idf', datatype: 'float16' } });
    const params = await paramsOf('grown');
    assert.deepEqual(params.vectors, {
      a: { size: 3, distance: 'Cosine' },
      b: { size: 2, distance: 'Dot' },
      m: { size: 2, distance: 'Cosine', datatype: 'float16', multivector_config: several },
    });
    assert.deepEqual(params.sparse_vectors, { s: { modifier: 'idf', index: { datatype: 'float16' } } });
    assert.equal((await query('grown', 'a', [1, 0, 0])).points.length, 2);
    assert.deepEqual((await query('grown', 'b', [1, 1])).points, []);
    await upsert('grown', [
      {
        id: 3,
        vector: {
          a: [0, 0, 1],
          b: [1, 2],
          m: [
            [1, 0.5],
            [0.5, 1],
          ],
          s: { indices: [1], values: [1] },
        },
      },
    ]);
    await ok('PUT', '/collections/grown/points/vectors?wait=true', { points: [{ id: 1, vector: { b: [3, 4] } }] });
    assert.deepEqual(
      (await query('grown', 'b', [1, 1])).points.map(({ id }) => id),
      [1, 3],
    );
    assert.deepEqual(
      (await query('grown', 's', { indices: [1], values: [1] })).points.map(({ id }) => id),
      [3],
    );
    assert.deepEqual(
      (await query('grown', 'm', [[1, 0.5]])).points.map(({ id }) => id),
      [3],
    );
    assert.equal((await query('grown', 'a', [1, 0, 0])).points.length, 3);
  });

  test('takes the same vector twice, and refuses another one of the name', async () => {
    await add('grown', 'b', dense);
    await ok('PATCH', '/collections/grown', { vectors: { b: { on_disk: true } } });
    await add('grown', 'b', dense);
    const other = 'Wrong input: Vector `b` already exists with a different configuration';
    await refuses(adding('b', { dense: { size: 3, distance: 'Dot' } }), 400, other);
    await refuses(adding('b', { dense: { ...dense.dense, datatype: 'float32' } }), 400, other);
    await refuses(adding('b', { sparse: {} }), 400, 'Wrong input: Vector `b` already exists as a dense vector');
    await refuses(adding('s', dense), 400, 'Wrong input: Vector `s` already exists as a sparse vector');
    await refuses(
      adding('s', { sparse: {} }),
      400,
      'Wrong input: Sparse vector `s` already exists with a different configuration',
    );
  });

  test('refuses vectors that are none', async () => {
    const noVariant = 'Format error in JSON body: data did not match any variant of untagged enum VectorNameConfig';
    for (const body of [
      {},
      { dense: { size: 3 } },
      { dense: { size: 3, distance: 'Near' } },
      { dense: { size: 3, distance: 'Dot', datatype: 'int4' } },
      { sparse: { modifier: 'none of these' } },
    ]) {
      await refuses(adding('x', body), 400, noVariant);
    }
    await refuses(
      adding('x', { dense: { size: 0, distance: 'Dot' } }),
      422,
      'Validation error in JSON body: [dense.size: value 0 invalid, must be from 1 to 65536]',
    );
    await refuses(
      adding('x', { sparse: { datatype: 'turbo4' } }),
      422,
      'Validation error in JSON body: [sparse.datatype: sparse vectors do not support the `turbo4` datatype]',
    );
    await refuses(
      adding('%3Cx', { sparse: {} }),
      422,
      'Validation error in path parameters: [vector_name: vector name cannot contain "<" char]',
    );
    await refuses(
      adding('x'.repeat(201), { sparse: {} }),
      422,
      'Validation error in path parameters: [vector_name: vector name must be at most 200 bytes long]',
    );
    await refuses(adding('x', { sparse: {} }, 'none'), 404, "Not found: Collection `none` doesn't exist!");
    await refuses(adding('', dense), 404, '');
  });

  test('shows the unnamed vector by its empty name once a dense one stands beside it', async () => {
    await create('bare');
    await upsert('bare', [{ id: 1, vector: [1, 0, 0] }]);
    const unnamed = { size: 3, distance: 'Cosine' };
    await add('bare', 's', { sparse: {} });
    assert.deepEqual((await paramsOf('bare')).vectors, unnamed);
    await add('bare', 'x', dense);
    assert.deepEqual((await paramsOf('bare')).vectors, { '': unnamed, x: { size: 2, distance: 'Dot' } });
    await upsert('bare', [{ id: 2, vector: [1, 0, 0] }]);
    const { points } = await ok<Points>('POST', '/collections/bare/points/scroll', { with_vector: true });
    assert.deepEqual(
      points.map(({ vector }) => vector),
      [
        [1, 0, 0],
        [1, 0, 0],
      ],
    );
  });

  test('takes vectors away, known or not', async () => {
    const remove = (vector: string) => ok('DELETE', `/collections/bare/vectors/${vector}?wait=true`);
    await remove('s');
    await remove('nothing');
    assert.deepEqual((await paramsOf('bare')).sparse_vectors, {});
  });
}
