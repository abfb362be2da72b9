import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Code, ConnectError } from '@connectrpc/connect';
import { ClientPool, ClusterClient, PeerClient } from '../../src/qdrant/index.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { failure, peerAndServer, quick } from './support/clients.ts';
import { startGrpc } from './support/fake-grpc.ts';
import { fails, refuses } from './support/fake-server.ts';

const CANARY = 'canary-4711-must-not-show';
const everything = (value: unknown): string =>
  [
    inspect(value, { depth: 12, showHidden: true, customInspect: false }),
    inspect(value),
    String(value),
    JSON.stringify(value),
  ].join('\n');

test('clients and pools show no key and no certificate', async () => {
  const address = { name: 'docs-0', rest: 'http://127.0.0.1:1', grpc: 'http://127.0.0.1:1' };
  const connection = { peers: [address], apiKey: CANARY, tls: { ca: 'x', cert: 'y', key: CANARY } };
  const pool = new ClientPool();
  const clients = [
    new PeerClient({ ...connection, address }),
    new ClusterClient(connection),
    pool,
    pool.get('a', connection),
  ];
  for (const client of clients) {
    assert.ok(!everything(client).includes(CANARY));
    await client.close();
  }
});

test('an error never repeats the key, even where the server does', async (t) => {
  const lines: string[] = [];
  const log = createLogger('debug', { write: (line: string) => lines.push(line) });
  const { server, peer } = await peerAndServer(t, { apiKey: CANARY, log });
  for (const handler of [fails(401, `bad key ${CANARY}`), refuses(500, `no ${CANARY}`), fails(200, CANARY)]) {
    server.always(handler);
    assert.ok(!everything(await failure(peer.collections())).includes(CANARY));
  }
  await server.close();
  assert.ok(!everything(await failure(peer.deleteCollection('docs'))).includes(CANARY));
  assert.ok(lines.length > 0 && !lines.join('').includes(CANARY));
});

test('nor by gRPC', async (t) => {
  const server = await startGrpc({
    upsert: () => {
      throw new ConnectError(`no ${CANARY}`, Code.Unauthenticated);
    },
  });
  const peer = new PeerClient({
    ...quick,
    apiKey: CANARY,
    address: { name: 'docs-0', rest: server.url, grpc: server.url },
  });
  t.after(async () => {
    await peer.close();
    await server.close();
  });
  const error = await failure(peer.upsert('docs', [{ id: 1, vector: [1], payload: {} }]));
  assert.equal(error.code, 'Unauthorized');
  assert.ok(!everything(error).includes(CANARY));
});

test('nor the key and the signature of a location to recover from', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.always((request, response) => refuses(400, `failed: ${request.text}`)(request, response));
  const location = `https://bucket/x?signature=${CANARY}`;
  const error = await failure(peer.recoverSnapshot('docs', { location, apiKey: `${CANARY}-2`, priority: 'snapshot' }));
  assert.ok(!everything(error).includes(CANARY));
});

test('a key that no header carries, an empty one too, and an address with a password are refused without repeating them', () => {
  const address = { name: 'docs-0', rest: 'http://127.0.0.1:1' };
  for (const apiKey of ['', `${CANARY}\n`, `${CANARY} x`]) {
    assert.throws(
      () => new PeerClient({ address, apiKey }),
      (error) => !everything(error).includes(CANARY),
    );
  }
  const rest = `http://user:${CANARY}@host:6333`;
  assert.throws(
    () => new PeerClient({ address: { name: 'docs-0', rest } }),
    (error) => !everything(error).includes(CANARY),
  );
});
