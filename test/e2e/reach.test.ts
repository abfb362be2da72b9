import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { answers } from '../../e2e/grounds/kubeconfig/reach.ts';

async function serverAt(t: TestContext, host: string, status: number, body: string): Promise<void> {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(8080, host);
  t.after(() => server.close());
  await once(server, 'listening');
}

test('pods are reached by their own addresses only where the operator itself answers', async (t) => {
  await serverAt(t, '127.254.7.1', 200, 'qdrant_librarian_build_info 1\n');
  assert.equal(await answers('127.254.7.1'), true);
  await serverAt(t, '127.254.7.2', 404, '');
  assert.equal(await answers('127.254.7.2'), false, 'a proxy that takes all connections');
  await serverAt(t, '127.254.7.3', 200, 'welcome');
  assert.equal(await answers('127.254.7.3'), false, 'somebody else');
  assert.equal(await answers('127.254.7.4'), false, 'nobody');
});
