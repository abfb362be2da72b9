import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { CONFIG_MAPS, Controller, DONE, Informer, type Outcome, type ReconcileContext } from '../../src/kube/index.ts';
import { PeerClient } from '../../src/qdrant/index.ts';
import { startTracing } from '../../src/telemetry/index.ts';
import { ConfigMapServer } from '../kube/config-map-server.ts';
import { answer, failure, hastyClock, scriptedServer, until } from '../kube/scripted-server.ts';
import { result, startFake } from '../qdrant/support/fake-server.ts';
import { type ReceivedSpan, startReceiver } from './otlp-receiver.ts';

const SECRET = 'canary-2b71';

/** One pass over one object; it asks the API server for `gone`, writes `written`, and asks a Qdrant. */
async function onePass(end: () => Outcome = () => DONE) {
  const cache = await ConfigMapServer.start();
  const api = await scriptedServer(({ method, body }, response) => {
    if (method === 'GET') return answer(response, 404, failure(404, 'NotFound', { message: SECRET }));
    return answer(response, api.requests.length === 2 ? 429 : 200, body);
  });
  const qdrant = await startFake();
  qdrant.always(result({ collections: [] }));
  const peer = new PeerClient({ address: { name: 'docs-0', rest: qdrant.url } });
  const primary = new Informer({ client: cache.http.client(), type: CONFIG_MAPS });
  const client = api.client();
  const stop = new AbortController();
  let reconcileId = '';
  let ended = false;
  const controller = new Controller({
    name: 'qdrantcluster',
    primary,
    clock: hastyClock,
    reconcile: async (key, context: ReconcileContext) => {
      reconcileId = context.reconcileId;
      try {
        await client.find(CONFIG_MAPS, { ...key, name: 'gone' });
        const metadata = { ...key, name: 'written' };
        const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: SECRET } } as const;
        await Promise.all([client.apply(CONFIG_MAPS, object, { fieldManager: 'test' }), peer.collections()]);
        return end();
      } finally {
        ended = true;
        stop.abort();
      }
    },
  });
  const running = Promise.all([primary.start(stop.signal), controller.start(stop.signal)]);
  cache.put('docs');
  await until('the pass', () => ended);
  await running;
  await peer.close();
  await qdrant.close();
  await api[Symbol.asyncDispose]();
  await cache.http[Symbol.asyncDispose]();
  return { reconcileId, api: api.requests, qdrant: qdrant.received };
}

test('without an endpoint nothing is recorded, and no request carries a trace', async () => {
  const stop = await startTracing('qdrant-librarian', {});
  assert.equal(trace.getTracer('test').startSpan('pass').isRecording(), false);
  const { api, qdrant } = await onePass();
  assert.deepEqual(
    [...api, ...qdrant].filter(({ headers }) => headers['traceparent'] !== undefined),
    [],
  );
  await stop();
});

const childrenOf = (spans: readonly ReceivedSpan[], parent: ReceivedSpan | undefined): ReceivedSpan[] =>
  spans.filter((span) => span.parent === parent?.id).toSorted((a, b) => a.name.localeCompare(b.name));

test('with an endpoint each pass is one tree: its requests to Kubernetes and to Qdrant hang below it', async () => {
  const receiver = await startReceiver();
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.endpoint;
  try {
    const stop = await startTracing('qdrant-librarian', process.env);
    const first = await onePass();
    const second = await onePass(() => ({ kind: 'wait', seconds: 9, reason: 'Copying', message: SECRET }));
    await onePass(() => {
      throw new TypeError(SECRET);
    });
    await stop();
    assert.deepEqual([...new Set(receiver.paths)], ['/v1/traces']);
    assert.match(receiver.text(), /qdrant-librarian/);
    assert.doesNotMatch(receiver.text(), new RegExp(SECRET), 'no body and no message of an error');

    const { spans } = receiver;
    const passes = childrenOf(spans, undefined);
    assert.equal(new Set(spans.map((span) => span.trace)).size, 3);
    assert.deepEqual(
      passes.map(({ name, attributes, failure: failed }) => [name, attributes['reconcile.outcome'], failed]),
      [
        ['reconcile qdrantcluster', 'done', undefined],
        ['reconcile qdrantcluster', 'wait', undefined],
        ['reconcile qdrantcluster', 'error', 'TypeError'],
      ],
    );
    assert.deepEqual(passes[0]?.attributes, {
      'reconcile.controller': 'qdrantcluster',
      'reconcile.object': 'ns/docs',
      'reconcile.id': first.reconcileId,
      'reconcile.outcome': 'done',
    });
    assert.equal(passes[1]?.attributes['reconcile.id'], second.reconcileId);
    assert.equal(passes[1]?.attributes['reconcile.reason'], 'Copying');

    const [get, patch, collections, ...more] = childrenOf(spans, passes[0]);
    assert.deepEqual(more, []);
    assert.equal(collections?.name, 'qdrant list_collections');
    assert.equal(get?.name, 'kube get configmaps');
    assert.equal(get.failure, 'NotFound');
    assert.equal(get.attributes['http.response.status_code'], '404');
    assert.deepEqual(patch?.attributes, {
      'http.request.method': 'PATCH',
      'k8s.verb': 'patch',
      'k8s.resource': 'configmaps',
      'k8s.target': 'ns/written',
      'http.response.status_code': '200',
      'http.request.resend_count': '1',
    });
    assert.equal(first.api.at(-1)?.headers['traceparent'], `00-${patch.trace}-${patch.id}-01`);
    assert.equal(first.qdrant[0]?.headers['traceparent'], `00-${collections.trace}-${collections.id}-01`);
    assert.equal(spans.length, 12, 'what caches ask and what comes outside of a pass has no span');
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    await receiver.close();
  }
});

test('a collector that is away keeps nobody from ending', async () => {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = 'http://127.0.0.1:1';
  try {
    const stop = await startTracing('qdrant-librarian', process.env);
    trace.getTracer('test').startSpan('pass').end();
    await stop();
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  }
});
