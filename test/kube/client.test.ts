import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import {
  CONFIG_MAPS,
  type ConfigMap,
  KubeError,
  NAMESPACES,
  PODS,
  SECRETS,
  SERVICE_ACCOUNTS,
  STATEFUL_SETS,
  staticConnection,
} from '../../src/kube/index.ts';
import { answer, failure, type Script, scriptedServer } from './scripted-server.ts';

const key = { namespace: 'ns', name: 'a' };
const configMap: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'ns', name: 'a', managedFields: [{}] },
  data: { x: '1' },
};
const ok: Script = (_request, response) => answer(response, 200, configMap);

/** Answers by the scripts in turn, then always by the last. */
const inTurn = (...scripts: Script[]): Script => {
  let next = 0;
  return (request, response) => {
    const script = scripts[Math.min(next, scripts.length - 1)];
    next += 1;
    script?.(request, response);
  };
};

const refusal =
  (code: number, reason: string, headers: Record<string, string> = {}): Script =>
  (_request, response) =>
    answer(response, code, failure(code, reason, { message: 'said the server' }), headers);

test('requests go where the API server expects them', async () => {
  await using server = await scriptedServer(ok);
  const client = server.client();
  await client.get(CONFIG_MAPS, key);
  await client.get(NAMESPACES, { namespace: '', name: 'ns' });
  await client.list(STATEFUL_SETS, { namespace: 'ns', labelSelector: 'a=b', fieldSelector: 'metadata.name=x' });
  await client.listAll(PODS);
  await client.create(CONFIG_MAPS, configMap);
  await client.replaceStatus(CONFIG_MAPS, configMap);
  await client.delete(CONFIG_MAPS, key, { uid: 'u' });
  assert.deepEqual(
    server.requests.map(({ method, path, query }) => `${method} ${path} ${query.toString()}`.trim()),
    [
      'GET /api/v1/namespaces/ns/configmaps/a',
      'GET /api/v1/namespaces/ns',
      'GET /apis/apps/v1/namespaces/ns/statefulsets limit=500&labelSelector=a%3Db&fieldSelector=metadata.name%3Dx',
      'GET /api/v1/pods limit=500',
      'POST /api/v1/namespaces/ns/configmaps',
      'PUT /api/v1/namespaces/ns/configmaps/a/status',
      'DELETE /api/v1/namespaces/ns/configmaps/a',
    ],
  );
  assert.deepEqual(JSON.parse(server.requests.at(-1)?.body ?? ''), {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'u' },
  });
});

test('apply sends the content type, manager and force, and no managed fields', async () => {
  await using server = await scriptedServer(ok);
  await server.client().apply(CONFIG_MAPS, configMap, { fieldManager: 'me', subresource: 'status' });
  const [request] = server.requests;
  assert.equal(request?.method, 'PATCH');
  assert.equal(request?.path, '/api/v1/namespaces/ns/configmaps/a/status');
  assert.equal(request?.query.toString(), 'force=true&fieldManager=me');
  assert.equal(request?.headers['content-type'], 'application/apply-patch+yaml');
  assert.deepEqual(JSON.parse(request?.body ?? ''), { ...configMap, metadata: key });
});

test('patches name their kind of patch', async () => {
  await using server = await scriptedServer(ok);
  const client = server.client();
  await client.patch(CONFIG_MAPS, key, { data: null }, { type: 'merge', fieldManager: 'me', dryRun: true });
  await client.patch(CONFIG_MAPS, key, [], { type: 'json' });
  assert.deepEqual(
    server.requests.map(({ headers, query }) => `${headers['content-type']} ${query.toString()}`.trim()),
    ['application/merge-patch+json fieldManager=me&dryRun=All', 'application/json-patch+json'],
  );
});

test('scale, eviction and token are subresources with bodies of their own', async () => {
  await using server = await scriptedServer((_request, response) => answer(response, 201, { status: { token: 't' } }));
  const client = server.client();
  await client.subresource(STATEFUL_SETS, key, 'scale');
  await client.subresource(PODS, key, 'eviction', { body: { kind: 'Eviction' } });
  const token = await client.subresource<{ status: { token: string } }>(SERVICE_ACCOUNTS, key, 'token', { body: {} });
  assert.equal(token.status.token, 't');
  assert.deepEqual(
    server.requests.map(({ method, path }) => `${method} ${path}`),
    [
      'GET /apis/apps/v1/namespaces/ns/statefulsets/a/scale',
      'POST /api/v1/namespaces/ns/pods/a/eviction',
      'POST /api/v1/namespaces/ns/serviceaccounts/a/token',
    ],
  );
});

test('an object without a name or a namespace is never taken for its whole collection', async () => {
  await using server = await scriptedServer(ok);
  const client = server.client();
  await assert.rejects(async () => client.delete(CONFIG_MAPS, { namespace: 'ns', name: '' }), TypeError);
  await assert.rejects(async () => client.get(CONFIG_MAPS, { namespace: '', name: 'a' }), TypeError);
  assert.equal(server.requests.length, 0);
});

test('find gives undefined for what does not exist, get a KubeError with the reason of the server', async () => {
  await using server = await scriptedServer(refusal(404, 'NotFound'));
  const client = server.client();
  assert.equal(await client.find(CONFIG_MAPS, key), undefined);
  await client.delete(CONFIG_MAPS, key);
  await assert.rejects(
    client.get(CONFIG_MAPS, key),
    (error) =>
      error instanceof KubeError &&
      error.isNotFound &&
      error.reason === 'NotFound' &&
      error.message === 'get configmaps ns/a: 404 NotFound: said the server',
  );
});

for (const code of [429, 500, 502, 503, 504]) {
  test(`${code} is tried again where that is harmless`, async () => {
    await using server = await scriptedServer(inTurn(refusal(code, 'Busy'), refusal(code, 'Busy'), ok));
    const client = server.client();
    await client.get(CONFIG_MAPS, key);
    assert.equal(server.requests.length, 3);
  });
}

test('a connection that breaks off is tried again where that is harmless', async () => {
  await using server = await scriptedServer(inTurn((_request, response) => response.destroy(), ok));
  await server.client().apply(CONFIG_MAPS, configMap, { fieldManager: 'me' });
  assert.equal(server.requests.length, 2);
});

test('a create that may have happened is not repeated', async () => {
  for (const script of [refusal(500, 'InternalError'), refusal(504, 'Timeout'), refusal(503, 'ServiceUnavailable')]) {
    await using server = await scriptedServer(inTurn(script, ok));
    await assert.rejects(server.client().create(CONFIG_MAPS, configMap), KubeError);
    assert.equal(server.requests.length, 1);
  }
  await using cut = await scriptedServer((_request, response) => response.destroy());
  await assert.rejects(cut.client().create(CONFIG_MAPS, configMap), { status: 0, reason: 'Unreachable' });
  assert.equal(cut.requests.length, 1);
});

test('a delete without uid and a JSON patch are not repeated either', async () => {
  await using server = await scriptedServer(refusal(500, 'InternalError'));
  await assert.rejects(server.client().delete(CONFIG_MAPS, key), KubeError);
  await assert.rejects(server.client().patch(CONFIG_MAPS, key, [], { type: 'json' }), KubeError);
  assert.equal(server.requests.length, 2);
  await assert.rejects(server.client().delete(CONFIG_MAPS, key, { uid: 'u' }), KubeError);
  assert.ok(server.requests.length > 3);
});

test('a create that the server put off with Retry-After is repeated', async () => {
  await using server = await scriptedServer(inTurn(refusal(429, 'TooManyRequests', { 'retry-after': '1' }), ok));
  await server.client().create(CONFIG_MAPS, configMap);
  assert.equal(server.requests.length, 2);
});

test('a server that asks for more patience than 30 s is told on to the caller', async () => {
  await using server = await scriptedServer(refusal(429, 'TooManyRequests', { 'retry-after': '60' }));
  await assert.rejects(server.client().get(CONFIG_MAPS, key), { status: 429, retryAfterSeconds: 60 });
  assert.equal(server.requests.length, 1);
});

test('retries end', async () => {
  await using server = await scriptedServer(refusal(500, 'InternalError'));
  await assert.rejects(server.client({ maxRetries: 2 }).get(CONFIG_MAPS, key), { status: 500 });
  assert.equal(server.requests.length, 3);
});

test('a server that never answers is a timeout', async () => {
  await using server = await scriptedServer(() => undefined);
  const client = server.client({ timeoutSeconds: 0.05, maxRetries: 0 });
  await assert.rejects(client.get(CONFIG_MAPS, key), { status: 0, reason: 'Timeout' });
});

test('the caller may give up at any time, also while waiting to try again', async () => {
  await using server = await scriptedServer(refusal(429, 'TooManyRequests', { 'retry-after': '29' }));
  const client = server.client();
  const stop = new AbortController();
  const waiting = client.get(CONFIG_MAPS, key, { signal: stop.signal });
  setTimeout(() => stop.abort(new Error('enough')), 20);
  await assert.rejects(waiting, /enough/);
});

test('an answer that is no JSON is an error, not an object', async () => {
  await using server = await scriptedServer((_request, response) => answer(response, 200, '<html>'));
  await assert.rejects(server.client().get(CONFIG_MAPS, key), { reason: 'InvalidBody' });
});

test('listed items get their type, and all pages are read', async () => {
  const page = (name: string, token?: string) => ({
    metadata: { resourceVersion: '7', ...(token === undefined ? {} : { continue: token }) },
    items: [{ metadata: { name } }],
  });
  await using server = await scriptedServer((request, response) =>
    answer(response, 200, request.query.has('continue') ? page('b') : page('a', 'more')),
  );
  const items = await server.client().listAll(SECRETS, { namespace: 'ns' });
  assert.deepEqual(
    items.map(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.name]),
    [
      ['v1', 'Secret', 'a'],
      ['v1', 'Secret', 'b'],
    ],
  );
});

test('a list that expires between two pages begins anew', async () => {
  const page = { metadata: { resourceVersion: '7', continue: 'more' }, items: [{ metadata: { name: 'a' } }] };
  const last = { metadata: { resourceVersion: '8' }, items: [{ metadata: { name: 'b' } }] };
  await using server = await scriptedServer(
    inTurn(
      (_request, response) => answer(response, 200, page),
      refusal(410, 'Expired'),
      (_request, response) => answer(response, 200, last),
    ),
  );
  const items = await server.client().listAll(CONFIG_MAPS);
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['b'],
  );
});

test('no more ordinary requests are under way at once than the limit, and all get their turn', async () => {
  let open = 0;
  let most = 0;
  await using server = await scriptedServer((_request, response) => {
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
      answer(response, 200, configMap);
    }, 3);
  });
  const client = server.client({ connections: 3 });
  await Promise.all(Array.from({ length: 30 }, () => client.get(CONFIG_MAPS, key)));
  assert.equal(server.requests.length, 30);
  assert.ok(most <= 3, `${most} at once`);
  // The pool opens a second connection when an answer is read but its connection not yet free.
  assert.ok((await server.openSockets()) <= 6);
});

test('requests are counted by code, method and host', async () => {
  await using server = await scriptedServer(
    inTurn(refusal(500, 'InternalError'), (_r, response) => response.destroy(), ok),
  );
  const metrics = new Registry();
  await server.client({ metrics }).get(CONFIG_MAPS, key);
  const text = await metrics.metrics();
  const host = new URL(server.url).host;
  for (const code of ['500', '<error>', '200']) {
    assert.ok(text.includes(`rest_client_requests_total{code="${code}",method="GET",host="${host}"} 1`), text);
  }
  assert.match(text, /rest_client_request_duration_seconds_count\{verb="GET",host="[^"]+"\} 3/);
});

test('no error tells a credential, a header or a secret value', async () => {
  const canary = 'canary-5f3a';
  const causes = [{ field: 'data[x]', reason: 'FieldValueInvalid', message: `Invalid value: "${canary}"` }];
  for (const script of [
    (_request, response) => answer(response, 403, `<html>${canary}</html>`, { 'x-secret': canary }),
    (_request, response) =>
      answer(response, 422, failure(422, 'Invalid', { message: `Invalid value: ${canary}`, details: { causes } })),
    (_request, response) => response.destroy(),
  ] satisfies Script[]) {
    await using server = await scriptedServer(script);
    const config = staticConnection({ server: server.url, token: canary });
    const client = server.client({ config, maxRetries: 0 });
    const secret = { ...configMap, kind: 'Secret' as const, data: { x: canary } };
    const error: unknown = await client.replace(SECRETS, secret).catch((reason: unknown) => reason);
    assert.ok(error instanceof KubeError);
    assert.equal(server.requests[0]?.headers['authorization'], `Bearer ${canary}`);
    const told = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join('\n');
    assert.ok(!told.includes(canary), told);
  }
});

test('an invalid Secret names the field', async () => {
  const causes = [{ field: 'data[x]', reason: 'FieldValueInvalid', message: 'Invalid value: "s"' }];
  await using server = await scriptedServer((_request, response) =>
    answer(response, 422, failure(422, 'Invalid', { message: 's', details: { causes } })),
  );
  const secret = { ...configMap, kind: 'Secret' as const };
  await assert.rejects(server.client().create(SECRETS, secret), {
    message: /422 Invalid: data\[x\]: FieldValueInvalid$/,
  });
});

test('changed certificates make a new pool; a refused token is read anew', async () => {
  await using server = await scriptedServer(inTurn(ok, ok, refusal(401, 'Unauthorized'), ok));
  let ca = 'first';
  let forgotten = 0;
  const config = {
    server: server.url,
    credentials: () => Promise.resolve({ headers: {}, tls: { ca } }),
    forget: () => {
      forgotten += 1;
    },
  };
  const client = server.client({ config });
  await client.get(CONFIG_MAPS, key);
  ca = 'second';
  await client.get(CONFIG_MAPS, key);
  await assert.rejects(client.get(CONFIG_MAPS, key), { status: 401, reason: 'Unauthorized' });
  assert.equal(forgotten, 1);
  await client.get(CONFIG_MAPS, key);
});

test('raw gives any answer as it is, sent once', async () => {
  await using server = await scriptedServer((_request, response) => answer(response, 503, 'not ready'));
  const { status, text } = await server.client().raw('POST', '/readyz?verbose', { body: { a: 1 } });
  assert.deepEqual([status, text, server.requests.length], [503, 'not ready', 1]);
});

test('a closed client refuses', async () => {
  await using server = await scriptedServer(ok);
  const client = server.client({ maxRetries: 0 });
  await client.close();
  await assert.rejects(client.get(CONFIG_MAPS, key), KubeError);
});

test('a watch yields events, bookmarks and errors, and ends with the stream', async () => {
  await using server = await scriptedServer((_request, response) => {
    response.write(`${JSON.stringify({ type: 'ADDED', object: configMap })}\n{"type":"BOOKMARK","obj`);
    setTimeout(() => {
      response.write('ect":{"metadata":{"resourceVersion":"9"}}}\n');
      response.end(`${JSON.stringify({ type: 'ERROR', object: failure(410, 'Expired') })}\n`);
    }, 5);
  });
  const seen: string[] = [];
  const watch = server
    .client()
    .watch(CONFIG_MAPS, { namespace: 'ns', resourceVersion: '5' }, new AbortController().signal);
  for await (const event of watch) {
    seen.push(event.type === 'ERROR' ? `ERROR ${event.error.status}` : event.type);
  }
  assert.deepEqual(seen, ['ADDED', 'BOOKMARK', 'ERROR 410']);
  assert.equal(
    server.requests[0]?.query.toString(),
    'resourceVersion=5&watch=true&allowWatchBookmarks=true&timeoutSeconds=290',
  );
});

test('a watch that says nothing for too long is a timeout', async () => {
  await using server = await scriptedServer((_request, response) => {
    response.writeHead(200);
    response.flushHeaders();
  });
  // The grace is five seconds, so the time that the server was given is negative here.
  const watch = server.client().watch(CONFIG_MAPS, { watchSeconds: -4.95 }, new AbortController().signal);
  await assert.rejects(watch.next(), { status: 0, reason: 'Timeout' });
});

test('a refused watch is an error with its status', async () => {
  await using server = await scriptedServer(refusal(410, 'Expired'));
  const watch = server.client().watch(CONFIG_MAPS, {}, new AbortController().signal);
  await assert.rejects(watch.next(), { status: 410 });
});
