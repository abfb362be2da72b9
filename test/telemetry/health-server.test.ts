import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry, startHealthServer } from '../../src/telemetry/index.ts';

const start = (ready: Record<string, () => string | undefined>) =>
  startHealthServer({
    host: '127.0.0.1',
    port: 0,
    registry: createRegistry('test'),
    live: { ping: () => undefined },
    ready,
  });

test('answers 503 on /readyz with the name and the reason of the check that fails, while /healthz stays 200', async () => {
  const server = await start({ caches: () => 'qdrantclusters not synced', leader: () => undefined });
  try {
    const ready = await fetch(`http://127.0.0.1:${server.port}/readyz`);
    assert.equal(ready.status, 503);
    assert.equal(await ready.text(), '[-]caches failed: qdrantclusters not synced\n[+]leader ok\nfailed\n');
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
  } finally {
    await server.close();
  }
});

test('serves metrics in the Prometheus text format, with what runs', async () => {
  const server = await start({});
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    const text = await response.text();
    assert.match(text, /qdrant_librarian_build_info\{version="test",node="\d+/);
    assert.match(text, /process_resident_memory_bytes \d+/);
  } finally {
    await server.close();
  }
});

test('answers 404 with the paths it has', async () => {
  const server = await start({});
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}/secrets`);
    assert.equal(response.status, 404);
    assert.match(await response.text(), /\/readyz/);
  } finally {
    await server.close();
  }
});

test('a port in use is an error, not a crash', async () => {
  const server = await start({});
  try {
    await assert.rejects(
      startHealthServer({
        host: '127.0.0.1',
        port: server.port,
        registry: createRegistry('test'),
        live: {},
        ready: {},
      }),
      /EADDRINUSE/,
    );
  } finally {
    await server.close();
  }
});
