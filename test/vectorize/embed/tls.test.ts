import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EmbedClient } from '../../../src/vectorize/embed/index.ts';
import { certificates, startFake } from '../../qdrant/support/fake-server.ts';
import { failure } from './support.ts';

async function tlsClient(t: TestContext, options: { ca?: string }): Promise<EmbedClient> {
  const server = await startFake({ tls: 'server' });
  server.always((_request, response) => void response.end('{"embeddings":[[1,2]]}'));
  const retry = { attempts: 1 };
  const client = new EmbedClient({ protocol: 'Ollama', url: server.url, model: 'm', retry, ...options });
  t.after(() => Promise.all([client.close(), server.close()]));
  return client;
}

test('a private CA is trusted when given', async (t) => {
  const client = await tlsClient(t, { ca: certificates.ca });
  assert.deepEqual(await client.embed(['text']), [Float32Array.of(1, 2)]);
});

test('without it the endpoint is Unreachable, nothing counts as spent, and the reason is named', async (t) => {
  const client = await tlsClient(t, {});
  const error = await failure(client.embed(['text']));
  assert.equal(error.code, 'Unreachable');
  assert.match(error.message, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED/);
  assert.equal(client.meter.usage.tokens, 0);
});
