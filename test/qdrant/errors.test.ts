import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QdrantErrorCode } from '../../src/qdrant/index.ts';
import { failure, peerAndServer } from './support/clients.ts';
import { cutsInBody, fails, hangs, refuses, reply } from './support/fake-server.ts';

const statuses: readonly [number, QdrantErrorCode, string][] = [
  [400, 'BadRequest', 'Wrong input: Shard key not specified'],
  [404, 'NotFound', "Not found: Collection `docs` doesn't exist!"],
  [405, 'BadRequest', 'Qdrant is running in standalone mode'],
  [408, 'Timeout', 'Timeout: Operation timed out'],
  [409, 'Conflict', 'Wrong input: Collection `docs` already exists!'],
  [422, 'BadRequest', 'Validation error in JSON body: [vectors.size: value 0 invalid]'],
  [500, 'Internal', 'Service internal error: 1 of 1 read operations failed'],
  [
    500,
    'InsufficientStorage',
    'Service internal error: No space left on device: WAL buffer size exceeds available disk space',
  ],
  [503, 'Unavailable', 'Shard temporarily unavailable: recovering'],
  [507, 'InsufficientStorage', 'Insufficient storage: disk'],
];

for (const [status, code, text] of statuses) {
  test(`a ${status} is ${code} (${text.slice(0, 40)}), with Qdrant's reason`, async (t) => {
    const { server, peer } = await peerAndServer(t);
    server.always(refuses(status, text));
    const error = await failure(peer.collection('docs', { attempts: 1 }));
    assert.equal(error.code, code);
    assert.equal(error.status, status);
    assert.equal(error.peer, 'docs-0');
    assert.ok(error.message.includes(text), error.message);
    assert.equal(error.ambiguous, false);
  });
}

test('the auth layer answers in plain text', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(fails(401, 'Must provide an API key or an Authorization bearer token'), fails(403, 'ExpiredSignature'));
  const unauthorized = await failure(peer.collections());
  const forbidden = await failure(peer.collections());
  assert.equal(unauthorized.code, 'Unauthorized');
  assert.match(unauthorized.message, /Must provide an API key/);
  assert.equal(forbidden.code, 'Forbidden');
  assert.match(forbidden.message, /ExpiredSignature/);
});

test('an HTML page is said to be none of Qdrant, and is not quoted', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(fails(404, '<html><body>ingress</body></html>', { 'content-type': 'text/html' }));
  const error = await failure(peer.collections());
  assert.match(error.message, /HTML page/);
  assert.doesNotMatch(error.message, /<html>/);
});

test('200 with nonsense is Unexpected, and ambiguous for a change', async (t) => {
  const { server, peer } = await peerAndServer(t);
  for (const body of ['<html>', '', '{"result":', '[]', '{"status":"ok"}', '{"result":"yes"}', 'null']) {
    server.always(fails(200, body));
    const read = await failure(peer.collection('docs'));
    assert.equal(read.code, 'Unexpected', body);
    assert.equal(read.ambiguous, false);
    const change = await failure(peer.deleteCollection('docs'));
    assert.equal(change.code, 'Unexpected', body);
    assert.equal(change.ambiguous, true);
  }
});

test('a redirect is not followed', async (t) => {
  const { server, peer } = await peerAndServer(t, { apiKey: 'k' });
  server.next(fails(307, '', { location: `${server.url}/elsewhere` }));
  const error = await failure(peer.collections());
  assert.equal(error.code, 'Unexpected');
  assert.equal(server.received.length, 1);
});

test('202 is an answer, not an error', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next((_request, response) => {
    response.writeHead(202, { 'content-type': 'application/json' });
    response.end('{"status":"accepted","time":0.1}');
  });
  await peer.startSnapshot('docs');
});

test('a connection that is cut within the answer is Unreachable', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(cutsInBody);
  const error = await failure(peer.scroll('docs', { attempts: 1 }));
  assert.equal(error.code, 'Unreachable');
  assert.equal(error.status, 0);
});

test('no answer in time is a Timeout', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(hangs);
  const error = await failure(peer.collections({ timeout: 30, attempts: 1 }));
  assert.equal(error.code, 'Timeout');
  assert.match(error.message, /30 ms/);
});

test('a body that never ends is a Timeout, too', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always((_request, response) => {
    response.writeHead(200);
    response.write('{');
  });
  assert.equal((await failure(peer.collections({ timeout: 30, attempts: 1 }))).code, 'Timeout');
});

test("the caller's signal ends a call, and a change that was sent is ambiguous", async (t) => {
  const { server, peer } = await peerAndServer(t);
  const controller = new AbortController();
  server.always(() => controller.abort());
  const error = await failure(peer.deleteCollection('docs', { signal: controller.signal }));
  assert.equal(error.code, 'Aborted');
  assert.equal(error.ambiguous, true);
  const before = await failure(peer.deleteCollection('docs', { signal: AbortSignal.abort() }));
  assert.equal(before.ambiguous, false);
  assert.equal(server.received.length, 1);
});

test('a name that would address something else never leaves', async (t) => {
  const { server, peer } = await peerAndServer(t);
  for (const name of ['', '.', '..']) {
    assert.equal((await failure(peer.deleteCollection(name))).code, 'BadRequest');
    assert.equal((await failure(peer.upsert(name, [{ id: 1, vector: [1], payload: {} }]))).code, 'BadRequest');
  }
  assert.equal(server.received.length, 0);
});

test('a name is encoded', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always((_request, response) => reply(response, {}));
  await peer.collection('a b?c');
  assert.equal(server.received[0]?.path, '/collections/a%20b%3Fc');
});

test('an address that is no URL is refused at once', async () => {
  const { PeerClient } = await import('../../src/qdrant/index.ts');
  assert.throws(() => new PeerClient({ address: { name: 'x', rest: 'docs:6333' } }), /not an http\(s\) URL/);
});
