import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CONFIG_MAPS, KubeError } from '../../src/kube/index.ts';
import { ConfigError, parseConfig, type WorkerConfig } from '../../src/migration/config.ts';
import { ProgressConflict } from '../../src/migration/keeper.ts';
import { newProgress, PROGRESS_KEY } from '../../src/migration/progress.ts';
import { COPY_PROGRESS, configMapProgress } from '../../src/migration/progress-store.ts';
import { runCopyWorker } from '../../src/migration/worker.ts';
import { createLogger, silentLogger } from '../../src/telemetry/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'worker-'));
after(() => rmSync(directory, { recursive: true }));

const side = { collection: 'docs--g1', peers: [{ name: 'a', rest: 'http://127.0.0.1:1' }], apiKey: true, ca: false };
const config: WorkerConfig = {
  version: 1,
  change: 'uid/2',
  alias: 'docs',
  progress: { namespace: 'n', name: 'p' },
  source: side,
  target: { ...side, collection: 'docs--g2' },
  projection: { vectors: {}, keepShardKeys: true },
  maxFreezeSeconds: 20,
  leaseSeconds: 20,
  lanes: 1,
  pageSize: 10,
};

let files = 0;
function file(content: string): string {
  files += 1;
  const path = join(directory, `${files}.json`);
  writeFileSync(path, content);
  return path;
}

async function run(content: string, options: { keys?: string; signal?: AbortSignal } = {}) {
  const lines: string[] = [];
  const store = {
    read: () => Promise.reject(new Error('no store')),
    write: () => Promise.reject(new Error('no store')),
  };
  const code = await runCopyWorker({
    configFile: file(content),
    environment:
      options.keys === undefined
        ? {}
        : { QDRANT_LIBRARIAN_SOURCE_KEYS: options.keys, QDRANT_LIBRARIAN_TARGET_KEYS: options.keys },
    signal: options.signal ?? new AbortController().signal,
    log: createLogger('info', { write: (line: string) => void lines.push(line) }),
    store,
  });
  return { code, said: lines.join('') };
}

test('a configuration that is none is refused with the field that is wrong', async () => {
  assert.deepEqual(parseConfig(JSON.stringify(config)), config);
  assert.throws(() => parseConfig('{'), ConfigError);
  assert.throws(() => parseConfig(JSON.stringify({ ...config, lanes: 0 })), /\/lanes/);
  assert.throws(() => parseConfig(JSON.stringify({ ...config, source: { ...side, peers: [] } })), /\/source\/peers/);
  const { code, said } = await run('{}');
  assert.equal(code, 1);
  assert.match(said, /copy failed/);
});

test('a key that is not mounted, or empty, ends it with the name of the file', async () => {
  assert.match((await run(JSON.stringify(config))).said, /no directory is given for api-key/);
  const keys = mkdtempSync(join(directory, 'keys-'));
  assert.match((await run(JSON.stringify(config), { keys })).said, /ENOENT/);
  writeFileSync(join(keys, 'api-key'), '\n');
  assert.match((await run(JSON.stringify(config), { keys })).said, /api-key is empty/);
});

test('what goes wrong is said without the key', async () => {
  const keys = mkdtempSync(join(directory, 'keys-'));
  writeFileSync(join(keys, 'api-key'), 'canary-4711');
  const { code, said } = await run(JSON.stringify(config), { keys });
  assert.equal(code, 1);
  assert.match(said, /no store/);
  assert.doesNotMatch(said, /canary-4711/);
});

test('stopped, it ends with 143', async () => {
  const keys = mkdtempSync(join(directory, 'keys-'));
  writeFileSync(join(keys, 'api-key'), 'k');
  assert.equal((await run(JSON.stringify(config), { keys, signal: AbortSignal.abort(new Error('stop')) })).code, 143);
});

test('progress lies in a ConfigMap; a write on an old version is a conflict', async () => {
  const progress = newProgress('uid/2', { id: 'a', pod: 'p', beat: 1, released: false });
  let data: Record<string, string> | undefined;
  const store = configMapProgress(
    {
      get: async () =>
        ({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'p', resourceVersion: '7' },
          ...(data === undefined ? {} : { data }),
        }) as never,
      patch: async (_type: unknown, _key: unknown, body: unknown) => {
        const { metadata, data: written } = body as {
          metadata: { resourceVersion: string };
          data: Record<string, string>;
        };
        if (metadata.resourceVersion !== '7')
          throw new KubeError({ verb: 'patch', resource: 'configmaps', status: 409, reason: 'Conflict' });
        data = written;
        return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'p', resourceVersion: '8' } } as never;
      },
    },
    { namespace: 'n', name: 'p' },
    COPY_PROGRESS,
  );
  assert.deepEqual(await store.read(), { progress: undefined, version: '7' });
  assert.equal(await store.write(progress, '7'), '8');
  assert.deepEqual((await store.read()).progress, progress);
  assert.ok(data?.[PROGRESS_KEY] !== undefined);
  await assert.rejects(store.write(progress, '6'), ProgressConflict);
  assert.equal(CONFIG_MAPS.plural, 'configmaps');
});

test('stopped while Qdrant does not answer, it waits for none of its reads', { timeout: 20_000 }, async (context) => {
  const asked = Promise.withResolvers<void>();
  const silent = createServer(() => asked.resolve());
  context.after(() => silent.close().closeAllConnections());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const rest = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const deaf = { collection: 'docs--g1', peers: [{ name: 'a', rest }], apiKey: false, ca: false };
  const progress = newProgress('uid/2', { id: 'a', pod: 'p', beat: 1, released: true });
  let version = 0;
  const stop = new AbortController();
  const running = runCopyWorker({
    configFile: file(JSON.stringify({ ...config, source: deaf, target: { ...deaf, collection: 'docs--g2' } })),
    environment: {},
    signal: stop.signal,
    log: silentLogger,
    store: {
      read: async () => ({ progress, version: '0' }),
      write: async () => {
        version += 1;
        return String(version);
      },
    },
  });
  await asked.promise;
  const told = performance.now();
  stop.abort(new Error('told to stop'));
  assert.equal(await running, 143);
  // Its reads may take from 10 s to a minute.
  assert.ok(performance.now() - told < 4000, `${performance.now() - told} ms`);
});
