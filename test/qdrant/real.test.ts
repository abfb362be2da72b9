import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClusterClient,
  Double,
  everyShardReadable,
  isQdrantError,
  observeCluster,
  PeerClient,
  type Point,
  reportOf,
  settled,
  supportedVersion,
  unsettled,
} from '../../src/qdrant/index.ts';
import { failure } from './support/clients.ts';

const binary = process.env['QDRANT_BIN'];
const skip = binary === undefined ? 'QDRANT_BIN names no Qdrant' : false;
/** A loopback address of its own, so that the real ports are free. */
const host = `127.${process.pid % 200}.77.1`;
const apiKey = 'real-test-key';
const address = { name: 'docs-0', rest: `http://${host}:6333`, grpc: `http://${host}:6334` };
const config = { vectors: { size: 2, distance: 'Dot' as const } };

let viaGrpc: ClusterClient;
let viaRest: PeerClient;
let stop = async (): Promise<void> => {};

before(
  async () => {
    if (binary === undefined) return;
    const directory = await mkdtemp(join(tmpdir(), 'qdrant-real-'));
    const child = spawn(binary, ['--uri', `http://${host}:6335`], {
      cwd: directory,
      stdio: 'ignore',
      env: {
        QDRANT__SERVICE__HOST: host,
        QDRANT__SERVICE__API_KEY: apiKey,
        QDRANT__CLUSTER__ENABLED: 'true',
        QDRANT__STORAGE__STORAGE_PATH: join(directory, 'storage'),
        QDRANT__STORAGE__SNAPSHOTS_PATH: join(directory, 'snapshots'),
        QDRANT__TELEMETRY_DISABLED: 'true',
      },
    });
    stop = async () => {
      await viaGrpc.close();
      await viaRest.close();
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true });
    };
    viaGrpc = new ClusterClient({ peers: [address], apiKey });
    viaRest = new PeerClient({ address: { name: address.name, rest: address.rest }, apiKey });
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if ((await viaRest.readyz().catch(() => undefined))?.ready === true) return;
      await sleep(100);
    }
    throw new Error('Qdrant did not start');
  },
  { timeout: 20_000 },
);

after(() => stop());

/** Of all kinds of vectors and payload values, as Qdrant gives them back: sparse indices in order. */
const points: Point[] = [
  {
    id: 1,
    vector: {
      dense: [0.5, -0.25],
      sparse: { indices: [1, 4_000_000_000], values: [0.5, 2] },
      multi: [
        [1, 2],
        [3, 4],
      ],
    },
    payload: {
      text: 'ü',
      whole: 1,
      float: new Double(1),
      half: 0.5,
      none: null,
      list: [1, 'a', { b: true }],
      large: 2n ** 62n,
      low: -5,
    },
  },
  { id: 2n ** 64n - 1n, vector: { dense: [Math.fround(0.1), 3] }, payload: {} },
  {
    id: '00000000-0000-4000-8000-000000000001',
    vector: { sparse: { indices: [7], values: [-1] } },
    payload: { __proto__x: 'y' },
  },
];
const mixed = {
  vectors: {
    dense: { size: 2, distance: 'Dot' as const },
    multi: { size: 2, distance: 'Dot' as const, multivector_config: { comparator: 'max_sim' as const } },
  },
  sparse_vectors: { sparse: {} },
};

test('a supported version answers', { skip }, async () => {
  assert.equal(supportedVersion(await viaRest.version()).kind, 'supported');
});

test('points come back as they were written, whichever way wrote and whichever way reads', { skip }, async () => {
  for (const writer of [viaGrpc, viaRest]) {
    assert.equal(await viaGrpc.createCollection('mixed', mixed), true);
    await writer.upsert('mixed', points);
    for (const reader of [viaGrpc, viaRest]) {
      assert.deepEqual(await Array.fromAsync(reader.scrollAll('mixed', { withVectors: true, limit: 2 })), points);
      const ids = points.map(({ id }) => id);
      assert.equal((await reader.retrieve('mixed', ids)).length, points.length);
    }
    assert.equal(await viaGrpc.count('mixed'), points.length);
    assert.equal(await viaGrpc.deleteCollection('mixed'), true);
  }
});

test('its refusals have their codes', { skip }, async () => {
  await viaGrpc.createCollection('docs', { ...config, metadata: { 'qdrant-librarian': { uid: 'u' } } });
  assert.equal((await failure(viaRest.createCollection('docs', config))).code, 'Conflict');
  assert.equal((await failure(viaRest.collection('absent'))).code, 'NotFound');
  assert.equal(
    (await failure(viaRest.createCollection('bad', { vectors: { size: 0, distance: 'Dot' } }))).code,
    'BadRequest',
  );
  assert.equal((await failure(viaRest.upsert('docs', [{ id: 1, vector: [1, 2, 3], payload: {} }]))).code, 'BadRequest');
  assert.equal((await failure(viaGrpc.upsert('docs', [{ id: 1, vector: [1, 2, 3], payload: {} }]))).code, 'BadRequest');
  assert.equal((await failure(viaGrpc.upsert('absent', [{ id: 1, vector: [1, 2], payload: {} }]))).code, 'NotFound');
  assert.equal(await viaRest.deleteCollection('absent'), false);
  for (const way of [address, { name: address.name, rest: address.rest }]) {
    const stranger = new PeerClient({ address: way, apiKey: 'wrong' });
    const error = await failure(stranger.retrieve('docs', [1]));
    await stranger.close();
    assert.ok(isQdrantError(error, 'Unauthorized') || isQdrantError(error, 'Forbidden'), error.message);
    assert.equal(error.ambiguous, false);
  }
});

test('collections, aliases, indexes and shards can be read and changed', { skip }, async () => {
  const info = await viaGrpc.collection('docs');
  assert.deepEqual(info.config.metadata, { 'qdrant-librarian': { uid: 'u' } });
  assert.equal(await viaGrpc.updateCollection('docs', { optimizers_config: { indexing_threshold: 30_000 } }), true);
  await viaGrpc.createPayloadIndex('docs', 'lang', 'keyword');
  assert.ok((await viaGrpc.collection('docs')).payload_schema['lang']);
  await viaGrpc.deletePayloadIndex('docs', 'lang');
  await viaGrpc.updateAliases([{ create_alias: { alias_name: 'library', collection_name: 'docs' } }]);
  assert.deepEqual(await viaGrpc.aliases(), [{ alias: 'library', collection: 'docs' }]);
  assert.deepEqual(await viaGrpc.collectionAliases('docs'), [{ alias: 'library', collection: 'docs' }]);
  assert.equal(await viaGrpc.collectionExists('library'), true);
  assert.deepEqual(await viaGrpc.collections(), ['docs']);
  assert.ok((await viaGrpc.optimizations('docs')).summary);
  assert.equal(
    (await failure(viaGrpc.updateCollectionCluster('docs', { drop_replica: { shard_id: 0, peer_id: 1 } }))).code,
    'BadRequest',
  );
});

test('shard keys and points by shard key', { skip }, async () => {
  await viaGrpc.createCollection('keyed', { ...config, sharding_method: 'custom', shard_number: 1 });
  assert.equal(await viaGrpc.createShardKey('keyed', 'a'), true);
  assert.equal(await viaGrpc.createShardKey('keyed', 7), true);
  const written: Point[] = [
    { id: 1, vector: [1, 2], payload: {}, shardKey: 'a' },
    { id: 2, vector: [1, 2], payload: {}, shardKey: 7 },
  ];
  for (const client of [viaGrpc, viaRest]) {
    await client.upsert('keyed', written);
    assert.deepEqual(await Array.fromAsync(client.scrollAll('keyed', { withVectors: true })), written);
    assert.equal((await client.scroll('keyed', { shardKey: 7 })).points.length, 1);
  }
  assert.deepEqual((await viaGrpc.shardKeys('keyed')).map(String).sort(), ['7', 'a']);
  assert.equal(await viaGrpc.deleteShardKey('keyed', 'a'), true);
});

test('writes, counts, searches and deletes', { skip }, async () => {
  await viaGrpc.upsert(
    'docs',
    Array.from({ length: 50 }, (_, id) => ({ id, vector: [id, 1], payload: { even: id % 2 === 0 } })),
  );
  const even = { must: [{ key: 'even', match: { value: true } }] };
  assert.equal(await viaGrpc.count('docs', { filter: even }), 25);
  const [best] = await viaGrpc.query('docs', { query: [1, 0], limit: 1, with_payload: true });
  assert.equal(best?.id, 49);
  assert.equal(best?.score, 49);
  await viaGrpc.setPayload('docs', { more: new Double(2) }, { selector: { ids: [1] } });
  assert.deepEqual((await viaGrpc.retrieve('docs', [1]))[0]?.payload, { even: false, more: new Double(2) });
  await viaGrpc.deletePoints('docs', { ids: [1] });
  await viaGrpc.deletePoints('docs', { filter: even });
  assert.equal(await viaGrpc.count('docs'), 24);
});

test('a snapshot goes down and up again as a stream', { skip }, async () => {
  const peer = viaGrpc.peer('docs-0');
  const shard = { collection: 'docs', shard: 0 };
  const made = await peer.createSnapshot(shard);
  assert.deepEqual(
    (await peer.listSnapshots(shard)).map(({ name }) => name),
    [made.name],
  );
  const download = await peer.downloadSnapshot(shard, made.name);
  assert.equal(download.verified, true);
  const count = await peer.count('docs');
  await peer.deletePoints('docs', { ids: [3, 5] });
  await peer.uploadSnapshot(shard, { body: download.body, bytes: made.size }, { priority: 'snapshot' });
  assert.equal(await peer.count('docs'), count);
  const stream = await peer.streamShardSnapshot('docs', 0);
  await peer.uploadSnapshot(shard, { body: stream.body }, { priority: 'no_sync' });
  assert.equal(await peer.count('docs'), count);
  const error = await failure(
    peer.recoverSnapshot(shard, { location: `${address.rest}/nothing?token=hidden`, apiKey, priority: 'replica' }),
  );
  assert.doesNotMatch(error.message, /hidden|real-test-key/);
  assert.equal(await peer.deleteSnapshot(shard, made.name), true);
  await peer.startSnapshot('docs');
});

test('a peer alone is settled and readable, in its own view', { skip }, async () => {
  let view = await observeCluster(viaGrpc, { now: () => 5 });
  for (let attempt = 0; attempt < 50 && !settled(view); attempt += 1) {
    await sleep(50);
    view = await observeCluster(viaGrpc, { now: () => 5 });
  }
  assert.deepEqual(unsettled(view), []);
  assert.equal(settled(view), true);
  assert.equal(everyShardReadable(view), true);
  const [peer] = view.peers;
  assert.ok(
    peer?.reachable === true && peer.distributed && peer.members.length === 1 && peer.raft.leader === peer.peerId,
  );
  assert.match(peer.uri, /:6335/);
});

test('telemetry and metrics', { skip }, async () => {
  const peer = viaGrpc.peer('docs-0');
  assert.match(await peer.metrics(), /app_info/);
  assert.ok((await peer.telemetry(3)).app);
  assert.ok((await viaGrpc.clusterTelemetry()).cluster);
  const [member] = (await reportOf(viaGrpc))?.members ?? [];
  assert.deepEqual([member?.responsive, member?.consensus, member?.isVoter], [true, 'working', true]);
  assert.equal((await failure(viaGrpc.removePeer((await viaGrpc.cluster()).peer_id ?? 0))).code, 'BadRequest');
});
