import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { createLogger } from '../../../src/telemetry/log.ts';
import { EmbedClient } from '../../../src/vectorize/embed/index.ts';
import { startFake } from '../../qdrant/support/fake-server.ts';
import { failure } from './support.ts';

const answers =
  (status: number, body: unknown) =>
  (_request: unknown, response: ServerResponse): void => {
    response.writeHead(status).end(JSON.stringify(body));
  };

async function teiAndFake(t: TestContext) {
  const server = await startFake();
  const lines: string[] = [];
  const client = new EmbedClient({
    protocol: 'TEI',
    url: server.url,
    model: 'm',
    retry: { attempts: 2, baseMilliseconds: 1 },
    log: createLogger('warn', { write: (line: string) => lines.push(line) }),
  });
  t.after(() => Promise.all([client.close(), server.close()]));
  return { server, client, lines };
}

test('limits are asked for again when the endpoint was not ready, and then kept', async (t) => {
  const { server, client } = await teiAndFake(t);
  server.next(answers(503, {}), answers(200, { max_client_batch_size: 5 }), answers(200, [[1]]), answers(200, [[1]]));
  await client.embed(['a']);
  await client.embed(['b']);
  assert.equal(server.received.length, 4);
  assert.equal((await client.limits()).maxTexts, 5);
});

test('an endpoint that hides its limits is used with the defaults of its protocol, and the log says so', async (t) => {
  const { server, client, lines } = await teiAndFake(t);
  server.next(answers(404, {}), answers(200, [[1]]));
  await client.embed(['a']);
  assert.deepEqual(await client.limits(), { maxTexts: 32, maxTokens: 16_384, maxBytes: 2_000_000 });
  assert.match(lines.join(''), /doesn't tell its limits/);
});

test('limits that could not be read are no limits: it fails, and asks anew the next time', async (t) => {
  const { server, client } = await teiAndFake(t);
  server.always(answers(500, {}));
  assert.equal((await failure(client.embed(['a']))).code, 'Internal');
  server.next(answers(200, ['strange']), answers(200, ['strange']));
  assert.equal((await failure(client.embed(['a']))).code, 'Unexpected');
  server.next(answers(200, { max_client_batch_size: 4 }), answers(200, [[1]]));
  assert.equal((await client.embed(['a'])).length, 1);
});
