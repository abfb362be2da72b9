import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PointStruct } from '@qdrant/js-client-grpc';
import fc from 'fast-check';
import { Double, PeerClient, type Point, parseJson, stringifyJson } from '../../src/qdrant/index.ts';
import { points } from './support/arbitraries.ts';
import { failure } from './support/clients.ts';
import { type FakeGrpc, startGrpc } from './support/fake-grpc.ts';
import { type FakeServer, startFake } from './support/fake-server.ts';

/** A store that keeps what it is sent and gives it back as Qdrant's records look. */
let rest: FakeServer;
let grpc: FakeGrpc;
let viaRest: PeerClient;
let viaGrpc: PeerClient;
let stored: PointStruct[] = [];
let storedText: string[] = [];

before(async () => {
  rest = await startFake();
  rest.always(({ method, text }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    if (method === 'PUT') {
      const body = parseJson(text, { doubles: true }) as { points: unknown[] };
      storedText.push(...body.points.map(stringifyJson));
      response.end('{"result":{"operation_id":1,"status":"completed"},"status":"ok"}');
      return;
    }
    response.end(`{"result":{"points":[${storedText.join(',')}],"next_page_offset":null},"status":"ok"}`);
  });
  grpc = await startGrpc({
    upsert: (request) => {
      stored.push(...request.points);
      return { result: { status: 2 }, time: 0 };
    },
    scroll: () => ({
      result: stored.map(({ id, payload, vectors }) => ({
        id,
        payload,
        vectors: { vectorsOptions: vectors?.vectorsOptions },
      })),
      time: 0,
    }),
  });
  viaRest = new PeerClient({ address: { name: 'rest', rest: rest.url } });
  viaGrpc = new PeerClient({ address: { name: 'grpc', rest: rest.url, grpc: grpc.url } });
});

after(async () => {
  await Promise.all([viaRest.close(), viaGrpc.close()]);
  await Promise.all([rest.close(), grpc.close()]);
});

async function copied(client: PeerClient, written: readonly Point[]): Promise<Point[]> {
  stored = [];
  storedText = [];
  await client.upsert('docs', written);
  return (await client.scroll('docs', { withVectors: true, limit: 1000 })).points;
}

test('points are the same after a way through REST', async () => {
  await fc.assert(
    fc.asyncProperty(points(5), async (written) => {
      assert.deepEqual(await copied(viaRest, written), written);
    }),
    { numRuns: 60 },
  );
});

test('points are the same after a way through gRPC', async () => {
  await fc.assert(
    fc.asyncProperty(points(5), async (written) => {
      assert.deepEqual(await copied(viaGrpc, written), written);
    }),
    { numRuns: 60 },
  );
});

test('a float32 is the same number by REST and by gRPC', async () => {
  storedText = ['{"id":1,"vector":[0.1,1.0,1e-7],"payload":{}}'];
  const [point] = (await viaRest.scroll('docs', { withVectors: true })).points;
  assert.deepEqual(point?.vector, [Math.fround(0.1), 1, Math.fround(1e-7)]);
});

test('a vector value that JSON cannot carry is refused by name before it is sent', async () => {
  const error = await failure(
    viaRest.upsert('docs', [{ id: 7, vector: { text: [1, Number.POSITIVE_INFINITY] }, payload: {} }]),
  );
  assert.equal(error.code, 'BadRequest');
  assert.match(error.message, /point 7/);
  assert.equal(error.ambiguous, false);
});

test('an infinite value goes through gRPC, and is told as NaN by REST, which shows null', async () => {
  const written: Point[] = [{ id: 1, vector: [1, Number.POSITIVE_INFINITY], payload: {} }];
  assert.deepEqual(await copied(viaGrpc, written), written);
  storedText = ['{"id":1,"vector":[1.0,null],"payload":null}'];
  assert.deepEqual((await viaRest.scroll('docs')).points, [{ id: 1, vector: [1, Number.NaN], payload: {} }]);
});

test('an integer beyond 64 bits is refused by gRPC by name', async () => {
  const error = await failure(viaGrpc.upsert('docs', [{ id: 3, vector: [1], payload: { n: 2n ** 70n } }]));
  assert.equal(error.code, 'BadRequest');
  assert.match(error.message, /1180591620717411303424/);
});

test('1 and 1.0 stay apart on both ways', async () => {
  const written: Point[] = [{ id: 1, vector: [1], payload: { whole: 1, float: new Double(1) } }];
  assert.deepEqual(await copied(viaRest, written), written);
  assert.deepEqual(await copied(viaGrpc, written), written);
});

test('a multivector of two rows is written in floats: in integers Qdrant takes it for a sparse one', async () => {
  await copied(viaRest, [
    {
      id: 1,
      vector: {
        m: [
          [1, 2],
          [3, 4],
        ],
        d: [1, 2],
      },
      payload: {},
    },
  ]);
  assert.match(storedText[0] ?? '', /"m":\[\[1\.0,2\.0\],\[3\.0,4\.0\]\]/);
});
