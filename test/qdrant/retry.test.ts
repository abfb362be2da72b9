import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, peerAndServer } from './support/clients.ts';
import { cuts, cutsInBody, hangs, refuses, result } from './support/fake-server.ts';

const collections = { collections: [{ name: 'docs' }] };
const point = { id: 1, vector: [1], payload: {} };

test('a read is repeated until it succeeds', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(refuses(500, 'Local shard 0 not found'), cuts, result(collections));
  assert.deepEqual(await peer.collections(), ['docs']);
  assert.equal(server.received.length, 3);
});

test('a read whose answer was cut short is repeated', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(cutsInBody, result(collections));
  assert.deepEqual(await peer.collections(), ['docs']);
});

test('a read is repeated only so often', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(refuses(503, 'later'));
  assert.equal((await failure(peer.collections())).code, 'Unavailable');
  assert.equal(server.received.length, 3);
});

test('what cannot get better is not repeated', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(refuses(404, 'no'));
  await failure(peer.collection('docs'));
  assert.equal(server.received.length, 1);
});

test('an upsert is repeated: the same points twice are the same points', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(cuts, result({ operation_id: 1, status: 'completed' }));
  await peer.upsert('docs', [point]);
  assert.equal(server.received[0]?.text, server.received[1]?.text);
});

test('an upsert that failed for good is ambiguous when any attempt of it was', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(cuts, refuses(429, 'slow down'), refuses(429, 'slow down'));
  const error = await failure(peer.upsert('docs', [point]));
  assert.equal(error.code, 'RateLimited');
  assert.equal(error.ambiguous, true);
});

test('a consensus operation without an answer is ambiguous and never repeated', async (t) => {
  const { server, peer } = await peerAndServer(t);
  const timedOut = 'Service internal error: Waiting for consensus operation commit failed. Timeout set at: 10 seconds';
  for (const fault of [cuts, cutsInBody, hangs, refuses(500, timedOut)]) {
    const asked = server.received.length;
    server.next(fault);
    const error = await failure(
      peer.createCollection('docs', { vectors: { size: 3, distance: 'Cosine' } }, { timeout: 50 }),
    );
    assert.equal(error.ambiguous, true, error.message);
    assert.equal(server.received.length, asked + 1);
  }
});

test('a consensus operation that Qdrant refused is not ambiguous', async (t) => {
  const { server, peer } = await peerAndServer(t);
  for (const status of [400, 401, 403, 404, 409, 422]) {
    server.next(refuses(status, 'no'));
    assert.equal((await failure(peer.deleteCollection('docs'))).ambiguous, false);
  }
});

test('deleting by filter is not repeated, deleting by ids is', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(cuts);
  assert.equal((await failure(peer.deletePoints('docs', { filter: { must: [] } }))).ambiguous, true);
  server.next(cuts, result({ operation_id: 1, status: 'completed' }));
  await peer.deletePoints('docs', { ids: [1, 2n ** 64n - 1n] });
  assert.match(server.received.at(-1)?.text ?? '', /18446744073709551615/);
});

test('Retry-After is honoured when it is short', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(refuses(429, 'limit', { 'retry-after': '0' }), result(collections));
  assert.deepEqual(await peer.collections(), ['docs']);
});

test('a long Retry-After is given to the caller, whole', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(refuses(429, 'limit', { 'retry-after': '60' }));
  const error = await failure(peer.collections());
  assert.equal(error.code, 'RateLimited');
  assert.equal(error.retryAfterSeconds, 60);
  assert.equal(server.received.length, 1);
});

test('waiting ends when the caller gives up, with the error that made it wait', async (t) => {
  const { server, peer } = await peerAndServer(t, { retry: { baseMilliseconds: 60_000, capMilliseconds: 60_000 } });
  const controller = new AbortController();
  server.always((request, response) => {
    refuses(503, 'later')(request, response);
    setTimeout(() => controller.abort(), 10);
  });
  assert.equal((await failure(peer.collections({ signal: controller.signal }))).code, 'Unavailable');
});
