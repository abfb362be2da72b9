import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readSettings, UnsupportedSetting } from '../../../sandbox/qdrant/settings.ts';

const root = mkdtempSync(join(tmpdir(), 'engine-settings-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('the environment wins over the file, the file over what is built in', () => {
  const file = join(root, 'config.yaml');
  writeFileSync(
    file,
    'service:\n  http_port: 7000\n  grpc_port: null\ncluster:\n  enabled: true\nstorage:\n  storage_path: /data\n',
  );
  const settings = readSettings({ QDRANT__SERVICE__HTTP_PORT: '7001', QDRANT__STORAGE__HNSW_INDEX__M: '24' }, file);
  assert.deepEqual(
    [settings.httpPort, settings.grpcPort, settings.p2pPort, settings.clusterEnabled, settings.storagePath],
    [7001, undefined, 6335, true, '/data'],
  );
  assert.deepEqual(settings.hnswDefaults, { m: 24 });
});

test('what the engine does not build it refuses by name', () => {
  assert.throws(
    () =>
      readSettings(
        { QDRANT__SERVICE__ENABLE_TLS: 'true', QDRANT__STORAGE__SNAPSHOTS_CONFIG__SNAPSHOTS_STORAGE: 's3' },
        undefined,
      ),
    (error) =>
      error instanceof UnsupportedSetting && /service\.enable_tls, storage\.snapshots_config/.test(error.message),
  );
});

test('keys stay text, empty ones too', () => {
  const settings = readSettings({ QDRANT__SERVICE__API_KEY: '', QDRANT__SERVICE__READ_ONLY_API_KEY: '123' }, undefined);
  assert.deepEqual([settings.apiKey, settings.readOnlyApiKey, settings.altApiKey], ['', '123', undefined]);
});

test('a missing configuration file is an error', () => {
  assert.throws(() => readSettings({}, join(root, 'none.yaml')), /not found/);
});
