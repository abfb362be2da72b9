import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { startTracing } from '../../src/telemetry/index.ts';

test('without an endpoint nothing is recorded', async () => {
  const stop = await startTracing('qdrant-librarian', {});
  assert.equal(trace.getTracer('test').startSpan('pass').isRecording(), false);
  await stop();
});

test('with an endpoint spans arrive there by OTLP under the service name', async () => {
  const received: { path: string; body: Buffer }[] = [];
  const collector = createServer((request, response) => {
    void buffer(request).then((body) => {
      received.push({ path: request.url ?? '', body });
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
  try {
    const stop = await startTracing('qdrant-librarian', process.env);
    trace.getTracer('test').startSpan('reconcile docs').end();
    await stop();
    assert.equal(received[0]?.path, '/v1/traces');
    const body = received[0]?.body.toString('latin1') ?? '';
    assert.match(body, /reconcile docs/);
    assert.match(body, /qdrant-librarian/);
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    collector.closeAllConnections();
    collector.close();
  }
});
