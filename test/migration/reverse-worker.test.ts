import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigError } from '../../src/migration/config.ts';
import { fencePatch } from '../../src/migration/fence.ts';
import { parseReverseConfig, type ReverseConfig } from '../../src/migration/reverse-config.ts';
import type { ReverseProgress } from '../../src/migration/reverse-progress.ts';
import { runReverseWorker } from '../../src/migration/reverse-worker.ts';
import { ClusterClient } from '../../src/qdrant/index.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import { type Peer, Peers } from '../sandbox/qdrant/peers.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
const peers = new Peers();
const directory = mkdtempSync(join(tmpdir(), 'reverse-'));
let left: Peer;
let serving: Peer;
const clients: ClusterClient[] = [];

before(
  async () => {
    [left, serving] = [peers.add(), peers.add()];
    await Promise.all([left.start(), serving.start()]);
  },
  { timeout: 60_000 },
);
after(async () => {
  for (const client of clients) await client.close();
  await peers.close();
  rmSync(directory, { recursive: true });
});

const connect = (peer: Peer): ClusterClient => {
  const client = new ClusterClient({ peers: [{ name: 'a', rest: peer.url }] }, { retry: { attempts: 1 } });
  clients.push(client);
  return client;
};

const side = (peer: Peer, collection: string) => ({
  collection,
  peers: [{ name: 'a', rest: peer.url }],
  apiKey: false,
  ca: false,
});

function config(name: string, change: Partial<ReverseConfig> = {}): ReverseConfig {
  return {
    version: 1,
    task: 'reverse',
    change: `uid/${name}`,
    alias: name,
    progress: { namespace: 'n', name: 'p' },
    source: side(serving, `${name}--g2`),
    target: side(left, `${name}--g1`),
    projection: { vectors: {}, keepShardKeys: true },
    write: true,
    removalPercent: 10,
    leaseSeconds: 20,
    lanes: 2,
    pageSize: 16,
    ...change,
  };
}

const SHAPE = { vectors: { size: 3, distance: 'Dot' }, shard_number: 2 };
const points = (from: number, to: number, text: string): object[] =>
  Array.from({ length: to - from }, (_, at) => ({ id: from + at, vector: [at, 1, 2], payload: { text } }));

/** What a move leaves: both hold 100 points, the name leads to what serves, what was left is fenced and tight. */
async function moved(name: string): Promise<void> {
  for (const [peer, collection] of [
    [left, `${name}--g1`],
    [serving, `${name}--g2`],
  ] as const) {
    await peer.ok('PUT', `/collections/${collection}`, SHAPE);
    await peer.ok('PUT', `/collections/${collection}/points?wait=true`, { points: points(0, 100, 'before') });
  }
  const alias = { create_alias: { alias_name: name, collection_name: `${name}--g2` } };
  await serving.ok('POST', '/collections/aliases', { actions: [alias] });
  const mark = { uid: 'uid', namespace: 'n', name, generation: 1 };
  const fence = { nonce: 'n', at: 0, before: { enabled: false, writeConsistencyFactor: 1 } };
  await left.ok('PATCH', `/collections/${name}--g1`, fencePatch(mark, fence));
}

/** Whether the fence of what was left refuses, once its limiters have no token left. */
async function isClosed(name: string): Promise<boolean> {
  const body = { points: points(900, 904, 'by its own name') };
  for (let round = 0; round < 20; round += 1) {
    const { status } = await left.call('PUT', `/collections/${name}--g1/points?wait=true`, body);
    if (status === 429) return true;
  }
  return false;
}

async function run(given: ReverseConfig): Promise<{ code: number; progress: ReverseProgress | undefined }> {
  const file = join(directory, `${given.alias}.json`);
  writeFileSync(file, JSON.stringify(given));
  let progress: ReverseProgress | undefined;
  const store = {
    read: async () => ({ progress, version: '' }),
    write: async (next: ReverseProgress) => {
      progress = next;
      return '';
    },
  };
  const signal = new AbortController().signal;
  const code = await runReverseWorker({ configFile: file, environment: {}, signal, log: silentLogger, store });
  return { code, progress };
}

test('a fenced collection is opened for the worker alone, brought in step, and closed again', {
  timeout: 60_000,
}, async () => {
  await moved('docs');
  assert.ok(await isClosed('docs'), 'nobody else can write there');
  await serving.ok('PUT', '/collections/docs/points?wait=true', { points: points(98, 130, 'after the switch') });
  await serving.ok('POST', '/collections/docs/points/delete?wait=true', { points: [1, 2, 3] });
  const { code, progress } = await run(config('docs'));
  assert.equal(code, 0);
  assert.equal(progress?.phase, 'Done');
  assert.equal(progress?.result?.equal, true);
  assert.equal(progress?.result?.lacking, 0);
  const [a, b] = [connect(left), connect(serving)];
  assert.equal(await a.count('docs--g1', { exact: true }), await b.count('docs', { exact: true }));
  const { config: after } = await a.collection('docs--g1');
  assert.equal(after.strict_mode_config?.write_rate_limit, 1);
  assert.equal(after.strict_mode_config?.enabled, true);
  assert.ok(await isClosed('docs'), 'it is closed again');
});

test('a collection that lost a third keeps what was left whole; a comparison alone opens nothing', {
  timeout: 60_000,
}, async () => {
  await moved('hurt');
  const lost = Array.from({ length: 33 }, (_, id) => id);
  await serving.ok('POST', '/collections/hurt--g2/points/delete?wait=true', { points: lost });
  for (const write of [false, true]) {
    const { code, progress } = await run(config('hurt', { write, change: `uid/${write}` }));
    assert.equal(code, 0);
    assert.equal(progress?.result?.lacking, 33);
    assert.equal(await connect(left).count('hurt--g1', { exact: true }), 100);
  }
});

test('a name that is gone ends it with the reason in the progress, and nothing written', {
  timeout: 60_000,
}, async () => {
  await moved('gone');
  const drop = { delete_alias: { alias_name: 'gone' } };
  await serving.ok('POST', '/collections/aliases', { actions: [drop] });
  await serving.ok('POST', '/collections/gone--g2/points/delete?wait=true', { points: [1] });
  const { code, progress } = await run(config('gone'));
  assert.equal(code, 1);
  assert.equal(progress?.failure?.reason, 'NotInStep');
  assert.equal(await connect(left).count('gone--g1', { exact: true }), 100);
});

test('a configuration that is none is refused with the field that is wrong', () => {
  const given = { ...config('docs'), removalPercent: 101 };
  assert.throws(
    () => parseReverseConfig(JSON.stringify(given)),
    (error: unknown) => error instanceof ConfigError && error.message.includes('/removalPercent'),
  );
  assert.throws(() => parseReverseConfig('{'), ConfigError);
});
