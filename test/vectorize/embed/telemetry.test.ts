import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Span, type Tracer, trace } from '@opentelemetry/api';
import { Registry } from 'prom-client';
import { embedAll, MemoryCache } from '../../../src/vectorize/embed/index.ts';
import { collect, embedderAndClient, failure, texts } from './support.ts';

async function valuesOf(registry: Registry, name: string): Promise<Record<string, number>> {
  const metric = await registry.getSingleMetric(name)?.get();
  return Object.fromEntries(
    (metric?.values ?? []).map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  );
}

test('attempts are counted by outcome, repeats by reason, texts by where their vector came from', async (t) => {
  const metrics = new Registry();
  const { server, client } = await embedderAndClient(t, { metrics, batchSize: 10 });
  server.faults.add({ kind: 'status', status: 503 });
  const cache = new MemoryCache(1e6);
  const wanted = (text: string) => ({ text });
  for (let run = 0; run < 2; run += 1) await collect(embedAll(texts(10), { client, wanted, cache }));
  const valued = (name: string) => valuesOf(metrics, `embedder_client_${name}`);
  assert.deepEqual(await valued('requests_total'), { 'OpenAI Unavailable': 1, 'OpenAI ok': 1 });
  assert.deepEqual(await valued('retries_total'), { 'OpenAI Unavailable': 1 });
  assert.deepEqual(await valued('texts_total'), { 'OpenAI endpoint': 10, 'OpenAI cache': 10 });
  assert.deepEqual(await valued('tokens_total'), { OpenAI: 60 });
  assert.deepEqual(await valued('in_flight'), { OpenAI: 0 });
  assert.match(await metrics.metrics(), /embedder_client_request_duration_seconds_count\{protocol="OpenAI"\} 2/);
});

test('all clients of a registry share its metrics, and no label names a host, a model or a text', async (t) => {
  const metrics = new Registry();
  const { client: one } = await embedderAndClient(t, { metrics });
  const { client: two } = await embedderAndClient(t, { metrics, protocol: 'TEI' });
  await Promise.all([one.embed(['private']), two.embed(['private'])]);
  assert.doesNotMatch(await metrics.metrics(), /private|127\.0\.0\.1|hashing/);
});

test('every batch is a span that says how it went and nothing of what was sent', async (t) => {
  const spans: string[] = [];
  const span = {
    end: () => spans.push('end'),
    setStatus: ({ message }: { message?: string }) => spans.push(message ?? ''),
    setAttribute: () => span,
    spanContext: () => ({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }),
  };
  const tracer = {
    startSpan: (name: string, { attributes }: { attributes: Record<string, unknown> }) => {
      spans.push(`${name} ${String(attributes['embed.texts'])}`);
      assert.doesNotMatch(JSON.stringify(attributes), /private/);
      return span as unknown as Span;
    },
  } as unknown as Tracer;
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  after(() => trace.disable());
  const { server, client } = await embedderAndClient(t, { batchSize: 2, maxConcurrency: 1 });
  await client.embed(['private', 'private too']);
  server.faults.add({ kind: 'status', status: 401 });
  await failure(client.embed(['private']));
  assert.deepEqual(spans, ['embed OpenAI 2', 'end', 'embed OpenAI 1', 'Unauthorized', 'end']);
});
