import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { World } from './world.ts';

/** Strict mode, snapshots, metrics and telemetry. */
export function operations(world: World): void {
  const { send, ok, refuses, create, upsert } = world;

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

  test('a write limiter starts full, one for each shard, and every change of strict mode fills it again', async () => {
    const fence = { strict_mode_config: { enabled: true, write_rate_limit: 1 } };
    await create('fenced', { shard_number: 2 });
    const passed = async (): Promise<number> => {
      let count = 0;
      for (let id = 0; id < 24; id += 1) {
        const path = '/collections/fenced/points/delete?wait=false';
        const { status } = await send('POST', path, { points: [randomUUID()] });
        if (status === 200) count += 1;
        else assert.equal(status, 429);
      }
      return count;
    };
    assert.equal(await passed(), 24, 'without a limit');
    for (const again of ['first', 'and again']) {
      await ok('PATCH', '/collections/fenced', fence);
      assert.equal(await passed(), 2, again);
      assert.equal(await passed(), 0, again);
    }
    await ok('PATCH', '/collections/fenced', { metadata: { other: 1 } });
    assert.equal(await passed(), 0, 'a change of something else does not fill it');
  });

  test('snapshots hold the shards of this peer and bring them back', async () => {
    await create('saved');
    await upsert(
      'saved',
      [1, 2, 3].map((id) => ({ id, vector: [1, 2, 3], payload: { id } })),
    );
    const made = await ok<{ name: string; checksum: string; size: number }>('POST', '/collections/saved/snapshots');
    assert.match(made.name, new RegExp(`^saved-${await world.peer.id()}-\\d{4}(-\\d\\d){5}\\.snapshot$`));
    assert.equal((await ok<object[]>('GET', '/collections/saved/snapshots')).length, 1);
    await ok('POST', '/collections/saved/points/delete?wait=true', { points: [1, 2] });
    const location = `${world.peer.url}/collections/saved/snapshots/${made.name}`;
    const recover = (body: object): [string, string, object] => [
      'PUT',
      '/collections/saved/snapshots/recover',
      { priority: 'snapshot', ...body },
    ];
    await refuses(recover({ location, checksum: 'a'.repeat(64) }), 400, /checksum mismatch: expected a/);
    await refuses(recover({ location: `${location}x` }), 400, /Failed to download/);
    await refuses(recover({ location: 'file:///etc/hostname' }), 403, /must be inside the snapshots directory/);
    assert.equal(await ok(...recover({ location, checksum: made.checksum })), true);
    assert.equal(await world.peer.count('saved'), 3);
    assert.equal(await ok('PUT', '/collections/again/snapshots/recover', { location, priority: 'snapshot' }), true);
    assert.equal(await world.peer.count('again'), 3);
    const stream = `${world.peer.url}/collections/saved/shards/0/snapshot`;
    await create('copied', { vectors: { size: 3, distance: 'Dot' } });
    assert.equal(
      await ok('PUT', '/collections/copied/shards/0/snapshots/recover', { location: stream, priority: 'snapshot' }),
      true,
      'no check of the config (S6)',
    );
    assert.equal(await world.peer.count('copied'), 3);
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
    assert.equal(report.cluster.peers[await world.peer.id()]?.details.role, 'Leader');
    const own = await ok<{
      collections: { collections: { id: string; shards: { local: { update_queue: { op_num: number } } }[] }[] };
    }>('GET', '/telemetry?details_level=3');
    assert.ok(
      (own.collections.collections.find(({ id }) => id === 'told')?.shards[0]?.local.update_queue.op_num ?? 0) >= 1,
    );
  });
}
