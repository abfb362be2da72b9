import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Points, World } from './world.ts';

/** Points: ids, payloads, vectors, conditional writes. */
export function points(world: World): void {
  const { send, ok, refuses, create, upsert } = world;

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
}
