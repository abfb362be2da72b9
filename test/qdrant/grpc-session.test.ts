import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GrpcSession } from '../../src/qdrant/grpc-session.ts';

async function serve(
  t: TestContext,
  silent: (request: number) => boolean = () => false,
): Promise<{ url: string; sessions: ServerHttp2Session[] }> {
  const sessions: ServerHttp2Session[] = [];
  const server: Http2Server = createServer();
  server.on('session', (session) => sessions.push(session));
  let streams = 0;
  server.on('stream', (stream) => {
    streams += 1;
    if (silent(streams)) return;
    stream.respond();
    stream.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sessions };
}

async function ask(session: GrpcSession): Promise<void> {
  const stream = await session.request('POST', '/', {}, {});
  stream.resume();
  stream.end();
  await once(stream, 'close');
}

test('requests share one connection, those that start together too', async (t) => {
  const { url, sessions } = await serve(t);
  const session = new GrpcSession({ url, tls: undefined, connectTimeout: 1000 });
  await Promise.all([ask(session), ask(session)]);
  await ask(session);
  assert.equal(sessions.length, 1);
  session.close();
});

test('a connection that rested is used on when it answers', async (t) => {
  const { url, sessions } = await serve(t);
  const session = new GrpcSession({ url, tls: undefined, connectTimeout: 1000, trustedIdle: -1 });
  await ask(session);
  await ask(session);
  assert.equal(sessions.length, 1);
  session.close();
});

test('a connection that rested and is dead is replaced', async (t) => {
  const { url, sessions } = await serve(t);
  /** Passes everything on, until it is frozen: then it holds the connection and says nothing, as a dead host does. */
  const passing: Socket[] = [];
  const proxy = createTcpServer((socket) => {
    const onward = connect(Number(new URL(url).port), '127.0.0.1');
    passing.push(socket, onward);
    socket
      .on('error', () => {})
      .pipe(onward.on('error', () => {}))
      .pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    for (const socket of passing) socket.destroy();
    proxy.close();
  });
  const through = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const session = new GrpcSession({ url: through, tls: undefined, connectTimeout: 200, trustedIdle: -1 });
  await ask(session);
  for (const socket of passing) socket.unpipe().pause();
  await ask(session);
  assert.equal(sessions.length, 2);
  session.close();
});

test('a renewed or closed connection is opened again by the next request', async (t) => {
  const { url, sessions } = await serve(t);
  const session = new GrpcSession({ url, tls: undefined, connectTimeout: 1000 });
  await ask(session);
  session.renew();
  await ask(session);
  session.close();
  await ask(session);
  assert.equal(sessions.length, 3);
  session.close();
});

test('closing ends connections that take no new requests, too: a request of theirs may never be answered', async (t) => {
  let requests = 0;
  const { url, sessions } = await serve(t, (request) => {
    requests = request;
    return request === 1;
  });
  const session = new GrpcSession({ url, tls: undefined, connectTimeout: 1000 });
  const unanswered = await session.request('POST', '/', {}, {});
  unanswered.on('error', () => {});
  while (requests === 0) await sleep(1);
  sessions[0]?.goaway(0, 1);
  // Those that were sent before it came are refused.
  while (sessions.length < 2) await ask(session).catch(() => undefined);
  const ended = once(sessions[0] ?? assert.fail(), 'close');
  session.close();
  await ended;
});

test('a port that accepts and stays silent is no HTTP/2: the request ends', async (t) => {
  const server = createTcpServer((socket) => {
    t.after(() => socket.destroy());
    socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
  });
  const session = new GrpcSession({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tls: undefined,
    connectTimeout: 100,
  });
  await assert.rejects(ask(session));
  session.close();
});

test('closed while it connects, a connection is refused and ends nothing else', async (t) => {
  const { url } = await serve(t);
  // Node says `connect` of sessions, too, that were destroyed just before.
  for (let ticks = 0; ticks < 60; ticks += 1) {
    const session = new GrpcSession({ url, tls: undefined, connectTimeout: 1000 });
    const asked = ask(session).catch((error: unknown) => error);
    for (let tick = 0; tick < ticks % 6; tick += 1) await new Promise(setImmediate);
    session.close();
    await asked;
  }
});
