import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { PeerClient, type TlsOptions } from '../../src/qdrant/index.ts';
import { failure, quick } from './support/clients.ts';
import { startGrpc } from './support/fake-grpc.ts';
import { certificates, result, startFake } from './support/fake-server.ts';

async function tlsPeer(
  t: TestContext,
  kind: 'server' | 'mutual',
  tls?: TlsOptions,
  host = '127.0.0.1',
): Promise<PeerClient> {
  const server = await startFake({ tls: kind });
  server.always(result({ collections: [] }));
  const rest = server.url.replace('127.0.0.1', host);
  const peer = new PeerClient({ ...quick, address: { name: 'docs-0', rest }, ...(tls === undefined ? {} : { tls }) });
  t.after(() => Promise.all([peer.close(), server.close()]));
  return peer;
}

const { ca, client } = certificates;

test('a private CA is trusted when given', async (t) => {
  const peer = await tlsPeer(t, 'server', { ca });
  assert.deepEqual(await peer.collections(), []);
});

test('without it the peer is Unreachable, a change surely not applied, and the reason named', async (t) => {
  const peer = await tlsPeer(t, 'server');
  const error = await failure(peer.deleteCollection('docs'));
  assert.equal(error.code, 'Unreachable');
  assert.equal(error.ambiguous, false);
  assert.match(error.message, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED/);
});

test('a certificate for another name is refused, unless its name is expected', async (t) => {
  const name = 'docs-0.docs-headless.team-a.svc';
  const other = await tlsPeer(t, 'server', { ca, serverName: 'other.svc' });
  assert.match((await failure(other.collections())).message, /ERR_TLS_CERT_ALTNAME_INVALID/);
  const expected = await tlsPeer(t, 'server', { ca, serverName: name });
  assert.deepEqual(await expected.collections(), []);
});

test('a client certificate is presented', async (t) => {
  const peer = await tlsPeer(t, 'mutual', { ca, ...client });
  assert.deepEqual(await peer.collections(), []);
  const anonymous = await tlsPeer(t, 'mutual', { ca });
  assert.equal((await failure(anonymous.collections())).code, 'Unreachable');
});

test('gRPC uses the same certificates', async (t) => {
  const server = await startGrpc({ upsert: () => ({ result: { status: 2 }, time: 0 }) }, { tls: true });
  const address = { name: 'docs-0', rest: 'https://127.0.0.1:1', grpc: server.url };
  const trusting = new PeerClient({ ...quick, address, tls: { ca, ...client } });
  const doubting = new PeerClient({ ...quick, address });
  t.after(async () => {
    await Promise.all([trusting.close(), doubting.close()]);
    await server.close();
  });
  await trusting.upsert('docs', [{ id: 1, vector: [1], payload: {} }]);
  const error = await failure(doubting.upsert('docs', [{ id: 1, vector: [1], payload: {} }]));
  assert.equal(error.code, 'Unreachable');
  assert.equal(error.ambiguous, false);
  assert.match(error.message, /gRPC/);
});
