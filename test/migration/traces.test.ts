import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { WorkerConfig } from '../../src/migration/config.ts';
import { runCopyWorker } from '../../src/migration/worker.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import { refuses, startFake } from '../qdrant/support/fake-server.ts';
import { startReceiver } from '../telemetry/otlp-receiver.ts';
import { connect, FakeWorld } from './world.ts';

test("a worker's step is one trace, sent before the worker ends; its calls to Qdrant hang below it", async () => {
  const receiver = await startReceiver();
  const qdrant = await startFake();
  const stop = new AbortController();
  qdrant.always((request, response) => {
    refuses(400, 'canary-77c1')(request, response);
    stop.abort(new Error('enough'));
  });
  const directory = await mkdtemp(join(tmpdir(), 'worker-traces-'));
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.endpoint;
  try {
    const side = { peers: [{ name: 'docs-0', rest: qdrant.url }], apiKey: false, ca: false };
    const config: WorkerConfig = {
      version: 1,
      change: 'uid/2',
      alias: 'docs',
      progress: { namespace: 'n', name: 'p' },
      source: { ...side, collection: 'docs--g1' },
      target: { ...side, collection: 'docs--g2' },
      projection: { vectors: {}, keepShardKeys: true },
      maxFreezeSeconds: 20,
      leaseSeconds: 20,
      lanes: 1,
      pageSize: 10,
    };
    const configFile = join(directory, 'config.json');
    await writeFile(configFile, JSON.stringify(config));
    const { signal } = stop;
    const { store } = connect(new FakeWorld());
    const code = await runCopyWorker({ configFile, environment: process.env, signal, log: silentLogger, store });
    assert.equal(code, 143);
    const roots = receiver.spans.filter(({ parent }) => parent === undefined);
    assert.deepEqual(
      roots.map(({ name, attributes }) => [name, attributes['copy.change']]),
      [['copy Copying', 'uid/2']],
    );
    assert.notEqual(roots[0]?.failure, undefined);
    const calls = receiver.spans.filter(({ parent }) => parent === roots[0]?.id);
    assert.ok(calls.length > 0 && calls.length === receiver.spans.length - 1);
    assert.ok(calls.every(({ name, trace }) => name.startsWith('qdrant ') && trace === roots[0]?.trace));
    assert.match(receiver.text(), /qdrant-librarian-worker/);
    assert.doesNotMatch(receiver.text(), /canary/);
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    await rm(directory, { recursive: true });
    await qdrant.close();
    await receiver.close();
  }
});
