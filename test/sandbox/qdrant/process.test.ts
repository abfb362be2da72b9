import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { afterEach, describe, test } from 'node:test';
import { QdrantClient } from '@qdrant/js-client-grpc';
import { type Peer, Peers, REAL_BINARY, until } from './peers.ts';

const shape = { vectors: { size: 3, distance: 'Dot' }, sparse_vectors: { words: {} } };

const engineOnly = REAL_BINARY === undefined ? false : 'only the engine does this';

describe('an engine process', { timeout: 60_000 }, () => {
  let peers = new Peers();
  afterEach(async () => {
    await peers.close();
    peers = new Peers();
  });

  const started = async (env: NodeJS.ProcessEnv = {}): Promise<Peer> => {
    const peer = peers.add(env);
    assert.equal(await peer.start(), undefined, peer.log);
    return peer;
  };

  test('asks for keys, and gives the read-only one reading rights', async () => {
    const peer = await started({
      QDRANT__SERVICE__API_KEY: 'key',
      QDRANT__SERVICE__ALT_API_KEY: 'other',
      QDRANT__SERVICE__READ_ONLY_API_KEY: 'reader',
    });
    const get = (path: string, headers: Record<string, string> = {}) => peer.call('GET', path, undefined, headers);
    assert.equal((await get('/')).status, 200);
    assert.equal((await get('/readyz')).status, 200);
    const none = await get('/collections');
    assert.deepEqual([none.status, none.text], [401, 'Must provide an API key or an Authorization bearer token']);
    const wrong = await get('/metrics', { 'api-key': 'no' });
    assert.deepEqual([wrong.status, wrong.text], [401, 'Invalid API key or JWT']);
    assert.equal((await get('/collections', { 'api-key': 'other' })).status, 200);
    assert.equal((await get('/cluster', { authorization: 'Bearer reader' })).status, 200);
    const write = await peer.call<{ status: { error: string } }>('PUT', '/collections/x', shape, {
      'api-key': 'reader',
    });
    assert.deepEqual([write.status, write.body.status.error], [403, 'Forbidden: Global manage access is required']);
    assert.equal((await peer.call('PUT', '/collections/x', shape, { authorization: 'Bearer key' })).status, 200);
  });

  test('takes an empty key for a key', async () => {
    const peer = await started({ QDRANT__SERVICE__API_KEY: '' });
    assert.equal((await peer.call('GET', '/collections')).status, 401);
    assert.equal((await peer.call('GET', '/collections', undefined, { 'api-key': 'x' })).status, 401);
    assert.equal((await peer.call('GET', '/collections', undefined, { 'api-key': '' })).status, 200);
  });

  test('refuses to start with what it does not build', { skip: engineOnly }, async () => {
    for (const name of [
      'QDRANT__SERVICE__ENABLE_TLS',
      'QDRANT__CLUSTER__P2P__ENABLE_TLS',
      'QDRANT__SERVICE__JWT_RBAC',
    ]) {
      const peer = peers.add({ [name]: 'true' });
      assert.equal(await peer.start(), 101);
      assert.match(peer.log, /does not build/);
    }
  });

  test('speaks gRPC: upsert, get, scroll, count, query, delete', async () => {
    const peer = await started({ QDRANT__SERVICE__API_KEY: 'key' });
    await peer.call('PUT', '/collections/g', shape, { 'api-key': 'key' });
    const client = new QdrantClient({
      host: peer.host,
      port: 6334,
      apiKey: 'key',
      https: false,
      checkCompatibility: false,
    });
    const points = client.api('points');
    const num = (value: bigint) => ({ pointIdOptions: { case: 'num' as const, value } });
    const dense = (data: number[]) => ({ vector: { case: 'dense' as const, value: { data } } });
    const named = (data: number[]) => ({
      vectorsOptions: {
        case: 'vectors' as const,
        value: {
          vectors: {
            '': dense(data),
            words: { vector: { case: 'sparse' as const, value: { indices: [4, 2], values: [1, 2] } } },
          },
        },
      },
    });
    const text = (value: string) => ({ tag: { kind: { case: 'stringValue' as const, value } } });
    await points.upsert({
      collectionName: 'g',
      wait: true,
      points: [
        { id: num(1n), vectors: named([1, 2, 3]), payload: text('a') },
        { id: num(2n ** 64n - 1n), vectors: named([3, 2, 1]), payload: text('b') },
      ],
    });
    assert.equal((await points.count({ collectionName: 'g', exact: true })).result?.count, 2n);
    const page = await points.scroll({
      collectionName: 'g',
      limit: 1,
      withVectors: { selectorOptions: { case: 'enable', value: true } },
    });
    assert.deepEqual(page.nextPageOffset?.pointIdOptions, { case: 'num', value: 2n ** 64n - 1n });
    const options = page.result[0]?.vectors?.vectorsOptions;
    assert.ok(options?.case === 'vectors');
    assert.deepEqual(options.value.vectors['']?.vector.value, { $typeName: 'qdrant.DenseVector', data: [1, 2, 3] });
    assert.deepEqual(options.value.vectors.words?.vector.value, {
      $typeName: 'qdrant.SparseVector',
      values: [2, 1],
      indices: [2, 4],
    });
    const filter = {
      must: [
        {
          conditionOneOf: {
            case: 'field' as const,
            value: { key: 'tag', match: { matchValue: { case: 'keyword' as const, value: 'b' } } },
          },
        },
      ],
    };
    const hits = await points.query({
      collectionName: 'g',
      filter,
      query: { variant: { case: 'nearest', value: { variant: { case: 'dense', value: { data: [1, 0, 0] } } } } },
    });
    assert.deepEqual(
      hits.result.map(({ score }) => score),
      [3],
    );
    await points.delete({
      collectionName: 'g',
      wait: true,
      points: { pointsSelectorOneOf: { case: 'filter', value: filter } },
    });
    assert.equal((await points.get({ collectionName: 'g', ids: [num(1n), num(2n ** 64n - 1n)] })).result.length, 1);
    await assert.rejects(points.count({ collectionName: 'none' }), /doesn't exist/);
    const stranger = new QdrantClient({ host: peer.host, port: 6334, https: false, checkCompatibility: false });
    await assert.rejects(stranger.api('points').count({ collectionName: 'g' }), /Must provide an API key/);
  });

  test('does wrong what it is told to, and only when faults are on', { skip: engineOnly }, async () => {
    const quiet = await started();
    assert.equal((await quiet.call('GET', '/__faults')).status, 404);
    const peer = await started({ SANDBOX_QDRANT_FAULTS: '1' });
    const fault = (body: object) => peer.call('POST', '/__faults', body);
    await fault({ match: 'GET /collections$', kind: 'error', status: 503, count: 2 });
    assert.deepEqual(
      [(await peer.call('GET', '/collections')).status, (await peer.call('GET', '/collections')).status],
      [503, 503],
    );
    assert.equal((await peer.call('GET', '/collections')).status, 200);
    await fault({ match: '/cluster', kind: 'nonsense' });
    assert.match((await peer.call('GET', '/cluster')).text, /not what you wanted/);
    await fault({ match: '/cluster', kind: 'cut' });
    await assert.rejects(peer.call('GET', '/cluster'));
    await fault({ match: '/cluster', kind: '429', milliseconds: 2000 });
    assert.equal((await peer.call('GET', '/cluster')).headers.get('retry-after'), '2');
    await fault({ match: '/cluster', kind: 'slow', milliseconds: 50 });
    assert.equal((await peer.call('GET', '/cluster')).status, 200);
    assert.deepEqual((await peer.call('GET', '/__faults')).body.result, []);
  });

  test('ends at once on SIGTERM when nobody is connected', async () => {
    const peer = await started();
    await peer.call('GET', '/cluster', undefined, { connection: 'close' });
    const startedAt = Date.now();
    assert.equal(await stopWithin(peer, 8000), 0);
    assert.ok(Date.now() - startedAt < 8000);
  });

  const stopWithin = async (peer: Peer, milliseconds: number): Promise<number | null> => {
    const timer = setTimeout(() => peer.process?.kill('SIGKILL'), milliseconds);
    const status = await peer.stop('SIGTERM');
    clearTimeout(timer);
    return status;
  };

  test('goes on serving a busy keep-alive connection after SIGTERM, writes too (S5)', async () => {
    const peer = await started();
    await peer.call('PUT', '/collections/busy', { vectors: { size: 3, distance: 'Dot' } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const write = async (id: number): Promise<number> => {
      const sent = request(`${peer.url}/collections/busy/points?wait=true`, {
        method: 'PUT',
        agent,
        headers: { 'content-type': 'application/json' },
      });
      sent.end(JSON.stringify({ points: [{ id, vector: [1, 2, 3] }] }));
      const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
      response.resume();
      await once(response, 'end');
      return response.statusCode ?? 0;
    };
    assert.equal(await write(0), 200);
    peer.process?.kill('SIGTERM');
    const statuses: number[] = [];
    for (let id = 1; id <= 10; id += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      statuses.push(await write(id));
    }
    assert.deepEqual(new Set(statuses), new Set([200]));
    await assert.rejects(once(request(`${peer.url}/`, { agent: false }).end(), 'response'), 'nobody new is let in');
    agent.destroy();
    await until(() => peer.process?.exitCode !== null, { milliseconds: 8000 });
    await peer.start();
    assert.equal(await peer.count('busy'), 11);
  });

  test('keeps its identity and its points over kill -9', async () => {
    const peer = await started();
    const id = await peer.id();
    await peer.ok('PUT', '/collections/kept', { vectors: { size: 3, distance: 'Dot' } });
    await peer.ok('PUT', '/collections/kept/points?wait=true', { points: [{ id: 1, vector: [1, 2, 3] }] });
    await peer.stop('SIGKILL');
    await peer.start();
    assert.equal(await peer.id(), id);
    assert.equal(await peer.count('kept'), 1);
  });
});
