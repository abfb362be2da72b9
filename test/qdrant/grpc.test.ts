import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { PeerClient, type QdrantErrorCode } from '../../src/qdrant/index.ts';
import { failure, quick } from './support/clients.ts';
import { type PointsService, startGrpc } from './support/fake-grpc.ts';
import { startFake } from './support/fake-server.ts';

const completed = { result: { status: 2 }, time: 0 };
const point = { id: 1, vector: [1], payload: {} };

async function grpcPeer(t: TestContext, service: PointsService, apiKey?: string): Promise<PeerClient> {
  const server = await startGrpc(service);
  const address = { name: 'docs-0', rest: 'http://127.0.0.1:1', grpc: server.url };
  const peer = new PeerClient({ ...quick, address, ...(apiKey === undefined ? {} : { apiKey }) });
  t.after(async () => {
    await peer.close();
    await server.close();
  });
  return peer;
}

test('with an address for gRPC points go by gRPC, with wait and the key', async (t) => {
  const seen: unknown[] = [];
  const peer = await grpcPeer(
    t,
    {
      upsert: (request, context) => {
        seen.push([request.collectionName, request.wait, request.points.length, context.requestHeader.get('api-key')]);
        return completed;
      },
    },
    'key',
  );
  await peer.upsert('docs', [point]);
  assert.deepEqual(seen, [['docs', true, 1, 'key']]);
});

test('without one they go by REST: the configuration decides, nothing is tried', async (t) => {
  const server = await startFake();
  const peer = new PeerClient({ address: { name: 'docs-0', rest: server.url } });
  t.after(() => Promise.all([peer.close(), server.close()]));
  server.always((_request, response) => response.end('{"result":{"status":"completed","operation_id":0}}'));
  await peer.upsert('docs', [point]);
  assert.equal(server.received[0]?.query.get('wait'), 'true');
});

const codes: readonly [Code, QdrantErrorCode, boolean][] = [
  [Code.InvalidArgument, 'BadRequest', false],
  [Code.NotFound, 'NotFound', false],
  [Code.Unauthenticated, 'Unauthorized', false],
  [Code.PermissionDenied, 'Forbidden', false],
  [Code.AlreadyExists, 'Conflict', false],
  [Code.Internal, 'Internal', true],
  [Code.Unavailable, 'Unavailable', true],
  [Code.DeadlineExceeded, 'Timeout', true],
  [Code.DataLoss, 'Internal', true],
];
for (const [grpcCode, code, ambiguous] of codes) {
  test(`gRPC's ${Code[grpcCode]} is ${code}`, async (t) => {
    const peer = await grpcPeer(t, {
      upsert: () => {
        throw new ConnectError('because', grpcCode);
      },
    });
    const error = await failure(peer.upsert('docs', [point], { attempts: 1 }));
    assert.equal(error.code, code);
    assert.equal(error.ambiguous, ambiguous);
    assert.match(error.message, code === 'Timeout' ? /gave up/ : /because/);
  });
}

test('Retry-After of a rate limit is whole', async (t) => {
  const peer = await grpcPeer(t, {
    upsert: () => {
      throw new ConnectError('limit', Code.ResourceExhausted, { 'retry-after': '60' });
    },
  });
  const error = await failure(peer.upsert('docs', [point]));
  assert.equal(error.code, 'RateLimited');
  assert.equal(error.retryAfterSeconds, 60);
});

test('a write that Qdrant did not finish in time is ambiguous, not done', async (t) => {
  const peer = await grpcPeer(t, { upsert: () => ({ result: { status: 4 }, time: 0 }) });
  const error = await failure(peer.upsert('docs', [point]));
  assert.match(error.message, /wait_timeout/);
  assert.equal(error.ambiguous, true);
});

test('no answer by gRPC in time is a Timeout', async (t) => {
  const peer = await grpcPeer(t, { upsert: () => new Promise(() => {}) });
  const error = await failure(peer.upsert('docs', [point], { timeout: 40, attempts: 1 }));
  assert.equal(error.code, 'Timeout');
  assert.equal(error.ambiguous, true);
});

test('a closed gRPC port is Unreachable and says gRPC; REST is not tried instead', async (t) => {
  const server = await startFake();
  const peer = new PeerClient({ ...quick, address: { name: 'docs-0', rest: server.url, grpc: 'http://127.0.0.1:1' } });
  t.after(() => Promise.all([peer.close(), server.close()]));
  const error = await failure(peer.upsert('docs', [point]));
  assert.equal(error.code, 'Unreachable');
  assert.match(error.message, /gRPC/);
  assert.equal(error.ambiguous, false);
  assert.equal(server.received.length, 0);
});

test('something else on the gRPC port is an error, not a hang', async (t) => {
  const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const peer = new PeerClient({
    ...quick,
    address: { name: 'docs-0', rest: 'http://127.0.0.1:1', grpc: `http://127.0.0.1:${port}` },
  });
  t.after(async () => {
    await peer.close();
    server.close();
  });
  const error = await failure(peer.upsert('docs', [point], { timeout: 2000 }));
  assert.equal(error.code, 'Unreachable');
});

test('a server that comes back is used again', async (t) => {
  let peer: PeerClient | undefined;
  const first = await startGrpc({ upsert: () => completed });
  const { port } = new URL(first.url);
  peer = new PeerClient({ ...quick, address: { name: 'docs-0', rest: 'http://127.0.0.1:1', grpc: first.url } });
  await peer.upsert('docs', [point]);
  await first.close();
  await failure(peer.upsert('docs', [point]));
  const second = await startGrpc({ upsert: () => completed }, { port: Number(port) });
  t.after(async () => {
    await peer.close();
    await second.close();
  });
  await peer.upsert('docs', [point]);
});

test('scrolls page by page; a filter goes by REST', async (t) => {
  const rest = await startFake();
  rest.always((_request, response) =>
    response.end('{"result":{"points":[{"id":9,"payload":{}}],"next_page_offset":null}}'),
  );
  const offsets: unknown[] = [];
  const grpc = await startGrpc({
    upsert: () => completed,
    scroll: (request) => {
      const from = request.offset?.pointIdOptions.value;
      offsets.push(from);
      const id = { pointIdOptions: { case: 'num', value: from === undefined ? 1n : 2n ** 64n - 1n } };
      const next =
        from === undefined ? { nextPageOffset: { pointIdOptions: { case: 'num', value: 2n ** 64n - 1n } } } : {};
      return { result: [{ id, payload: {}, shardKey: { key: { case: 'keyword', value: 'a' } } }], ...next };
    },
  });
  const peer = new PeerClient({ address: { name: 'docs-0', rest: rest.url, grpc: grpc.url } });
  t.after(async () => {
    await peer.close();
    await Promise.all([rest.close(), grpc.close()]);
  });
  assert.deepEqual(await Array.fromAsync(peer.scrollAll('docs')), [
    { id: 1, vector: {}, payload: {}, shardKey: 'a' },
    { id: 2n ** 64n - 1n, vector: {}, payload: {}, shardKey: 'a' },
  ]);
  assert.deepEqual(offsets, [undefined, 2n ** 64n - 1n]);
  const page = await peer.scroll('docs', { filter: { must: [] } });
  assert.deepEqual(page, { points: [{ id: 9, vector: {}, payload: {} }], nextOffset: undefined });
});

test('asks for some fields of the payload only', async (t) => {
  const asked: unknown[] = [];
  const peer = await grpcPeer(t, {
    upsert: () => completed,
    get: (request) => {
      asked.push(
        (request as { withPayload?: { selectorOptions: { value: unknown } } }).withPayload?.selectorOptions.value,
      );
      return { result: [] };
    },
  });
  await peer.retrieve('docs', [1], { withPayload: ['title', 'a.b'] });
  await peer.retrieve('docs', [1], { withPayload: false });
  const [some, none] = asked as [{ fields: string[] }, boolean];
  assert.deepEqual([some.fields, none], [['title', 'a.b'], false]);
});

test('reads the vectors of servers that answer in the older fields', async (t) => {
  const vectors = {
    dense: { data: [1, 2] },
    sparse: { data: [0.5], indices: { data: [7] } },
    multi: { data: [1, 2, 3, 4], vectorsCount: 2 },
  };
  const peer = await grpcPeer(t, {
    upsert: () => completed,
    get: ({ ids }) => ({
      result: [{ id: ids[0], payload: {}, vectors: { vectorsOptions: { case: 'vectors', value: { vectors } } } }],
    }),
  });
  assert.deepEqual(await peer.retrieve('docs', [5], { withVectors: true }), [
    {
      id: 5,
      payload: {},
      vector: {
        dense: [1, 2],
        sparse: { indices: [7], values: [0.5] },
        multi: [
          [1, 2],
          [3, 4],
        ],
      },
    },
  ]);
});
