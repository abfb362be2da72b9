import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { context, propagation, ROOT_CONTEXT, type Span, type Tracer, trace } from '@opentelemetry/api';
import { Registry } from 'prom-client';
import { createLogger } from '../../src/telemetry/log.ts';
import { clusterAndServers, failure, peerAndServer } from './support/clients.ts';
import { cuts, refuses, result } from './support/fake-server.ts';

const collections = { collections: [{ name: 'secret-project' }] };

async function valuesOf(registry: Registry, name: string): Promise<Record<string, number>> {
  const metric = await registry.getSingleMetric(name)?.get();
  return Object.fromEntries(
    (metric?.values ?? []).map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  );
}

test('attempts are counted by operation and outcome, repeats by their reason', async (t) => {
  const metrics = new Registry();
  const { server, peer } = await peerAndServer(t, { metrics });
  server.next(cuts, result(collections), refuses(404, 'no'));
  await peer.collections();
  await failure(peer.collection('secret-project'));
  assert.deepEqual(await valuesOf(metrics, 'qdrant_client_requests_total'), {
    'list_collections Unreachable': 1,
    'list_collections ok': 1,
    'get_collection NotFound': 1,
  });
  assert.deepEqual(await valuesOf(metrics, 'qdrant_client_retries_total'), { 'list_collections Unreachable': 1 });
  assert.deepEqual(await valuesOf(metrics, 'qdrant_client_in_flight'), { list_collections: 0, get_collection: 0 });
  assert.match(
    await metrics.metrics(),
    /qdrant_client_request_duration_seconds_count\{operation="list_collections"\} 2/,
  );
});

test('all clients share the metrics of a registry, and no label names a collection, a peer or an address', async (t) => {
  const metrics = new Registry();
  const { servers, cluster } = await clusterAndServers(t, 2, { metrics });
  for (const server of servers) server.always(result({}));
  await cluster.collection('secret-project');
  await cluster.peer('docs-1').collection('secret-project');
  const text = await metrics.metrics();
  assert.match(text, /operation="get_collection",code="ok"\} 2/);
  assert.doesNotMatch(text, /secret-project|docs-|127\.0\.0\.1/);
});

test('debug lines name operation, peer, outcome and time, and nothing of what was sent', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('debug', {
    write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const { server, peer } = await peerAndServer(t, { log });
  server.always(result({ operation_id: 1, status: 'completed' }));
  await peer.upsert('secret-project', [{ id: 1, vector: [1], payload: { text: 'private' } }]);
  assert.deepEqual(Object.keys(lines[0] ?? {}).sort(), [
    'code',
    'level',
    'msg',
    'operation',
    'peer',
    'seconds',
    'time',
  ]);
  assert.doesNotMatch(JSON.stringify(lines), /private|secret-project/);
});

test('every operation is a span, and its context goes with the request', async (t) => {
  const names: string[] = [];
  const span = {
    end: () => names.push('end'),
    setStatus: () => names.push('failed'),
    setAttribute: () => {},
    spanContext: () => ({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }),
  };
  const tracer = {
    startSpan: (name: string) => {
      names.push(name);
      return span as unknown as Span;
    },
  } as Tracer;
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  propagation.setGlobalPropagator({
    fields: () => ['traceparent'],
    extract: (from) => from,
    inject: (active, carrier, setter) => {
      setter.set(carrier, 'traceparent', `00-${trace.getSpanContext(active)?.traceId}`);
    },
  });
  let active = ROOT_CONTEXT;
  context.setGlobalContextManager({
    active: () => active,
    with: (next, work, thisArg, ...args) => {
      active = next;
      return work.call(thisArg as never, ...args);
    },
    bind: (_context, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  after(() => {
    trace.disable();
    propagation.disable();
    context.disable();
  });
  const { server, peer } = await peerAndServer(t);
  server.next(result(collections), refuses(404, 'no'));
  await peer.collections();
  await failure(peer.collection('docs'));
  assert.deepEqual(names, ['qdrant list_collections', 'end', 'qdrant get_collection', 'failed', 'end']);
  assert.equal(server.received[0]?.headers['traceparent'], `00-${'1'.repeat(32)}`);
});
