import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { failure, peerAndServer } from './support/clients.ts';
import { type Handler, reply, result } from './support/fake-server.ts';

const collections = { collections: [] };

/** Answers, then closes the connection under the request that comes next on it, as an ending keep-alive does. */
const answersThenCloses: Handler = (_request, response) => {
  const { socket } = response;
  reply(response, collections);
  response.on('finish', () => {
    socket?.once('data', () => socket.destroy());
  });
};

test('one connection serves many calls', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always(result(collections));
  for (let call = 0; call < 5; call += 1) {
    await peer.collections();
    await turn();
  }
  assert.equal(server.connections(), 1);
});

test('a read on a kept connection that closes under it is asked again at once', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(answersThenCloses);
  server.always(result(collections));
  await peer.collections();
  await turn();
  assert.deepEqual(await peer.collections({ attempts: 1 }), []);
  assert.equal(server.connections(), 2);
});

test('a change on such a connection is ambiguous, not sent twice', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(answersThenCloses);
  await peer.collections();
  await turn();
  const error = await failure(peer.deleteCollection('docs'));
  assert.equal(error.code, 'Unreachable');
  assert.equal(error.ambiguous, true);
});

test('parallel calls use parallel connections: none waits for a slow one', async (t) => {
  const { server, peer } = await peerAndServer(t);
  let release = (): void => {};
  server.next((_request, response) => {
    release = () => reply(response, collections);
  });
  server.always(result(collections));
  const slow = peer.collections();
  await peer.collections();
  release();
  await slow;
  assert.equal(server.connections(), 2);
});
