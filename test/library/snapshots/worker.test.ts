import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ObjectStoreServer, startObjectStore } from '../../../sandbox/object-store/server.ts';
import type { Manifest } from '../../../src/library/snapshots/manifest.ts';
import type { TaskConfig } from '../../../src/library/snapshots/task-config.ts';
import type { TaskProgress } from '../../../src/library/snapshots/task-progress.ts';
import { runSnapshotWorker } from '../../../src/library/snapshots/worker.ts';
import { ProgressConflict, type ProgressStore } from '../../../src/migration/index.ts';
import { ClusterClient, type Point } from '../../../src/qdrant/index.ts';
import { silentLogger } from '../../../src/telemetry/index.ts';
import { type Digest, digestOf, formatDigest } from '../../../src/vectors/index.ts';
import { Peers, settled } from '../../sandbox/qdrant/peers.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
const peers = new Peers();
let directory: string;
let store: ObjectStoreServer;
let client: ClusterClient;
let addresses: { name: string; rest: string }[];

before(
  async () => {
    directory = await mkdtemp(join(tmpdir(), 'snapshot-worker-'));
    store = await startObjectStore({ directory: join(directory, 'store') });
    await writeFile(join(directory, 'access-key-id'), store.accessKeyId);
    await writeFile(join(directory, 'secret-access-key'), store.secretAccessKey);
    const cluster = await peers.cluster(3);
    addresses = cluster.map(({ url }, at) => ({ name: `docs-${at}`, rest: url }));
    client = new ClusterClient({ peers: addresses });
  },
  { timeout: 60_000 },
);
after(async () => {
  await client.close();
  await peers.close();
  await store.stop();
  await rm(directory, { recursive: true, force: true });
});

const library = { namespace: 'team', name: 'docs', uid: 'uid-1' };
const mark = { uid: 'uid-1', namespace: 'team', name: 'docs', generation: 2 };

class MemoryStore implements ProgressStore<TaskProgress> {
  progress: TaskProgress | undefined;
  #version = 0;

  read() {
    return Promise.resolve({ progress: this.progress, version: String(this.#version) });
  }

  write(progress: TaskProgress, version: string): Promise<string> {
    if (version !== String(this.#version)) return Promise.reject(new ProgressConflict('conflict'));
    this.#version += 1;
    this.progress = structuredClone(progress);
    return Promise.resolve(String(this.#version));
  }
}

const common = (collection: string) => ({
  version: 1 as const,
  change: `change-${collection}`,
  progress: { namespace: 'team', name: 'progress' },
  leaseSeconds: 20,
  pageSize: 100,
  library,
  side: { collection, peers: addresses, apiKey: false, ca: false },
});

const bucketConfig = () => ({
  bucket: store.bucket,
  prefix: 'backups/',
  endpoint: store.url,
  region: store.region,
  credentials: true,
});

const making = (collection: string, name: string, change: object = {}) => ({
  ...common(collection),
  task: 'snapshot' as const,
  make: { name, cluster: 'main', alias: 'docs', generation: 1, attempt: 1 },
  drop: [],
  ...change,
});

const restoring = (collection: string, name: string, change: object = {}) => ({
  ...common(collection),
  task: 'restore' as const,
  name,
  mark,
  replicationFactor: 1,
  writeConsistencyFactor: 1,
  ...change,
});

async function run(config: TaskConfig, progress = new MemoryStore()): Promise<{ code: number; said: TaskProgress }> {
  const configFile = join(directory, `config-${Math.random()}.json`);
  await writeFile(configFile, JSON.stringify(config));
  const environment = { POD_NAME: 'pod', QDRANT_LIBRARIAN_BUCKET_KEYS: directory };
  const signal = new AbortController().signal;
  const log = process.env['SNAP_LOG'] === undefined ? silentLogger : undefined;
  const options = { configFile, environment, signal, store: progress, ...(log === undefined ? {} : { log }) };
  const code = await runSnapshotWorker(options);
  return { code, said: progress.progress ?? assert.fail('no progress') };
}

async function fill(collection: string, body: object, shardKeys: readonly string[] = []): Promise<Digest> {
  await client.createCollection(collection, { vectors: { size: 3, distance: 'Cosine' }, ...body } as never);
  await settled(peers.all, collection);
  for (const key of shardKeys) await client.createShardKey(collection, key);
  await client.createPayloadIndex(collection, 'n', 'integer');
  for (const key of shardKeys.length === 0 ? [undefined] : shardKeys) {
    const points = Array.from(
      { length: 300 },
      (_, at): Point => ({ id: at + 1, vector: [at % 7, 1, at % 11], payload: { n: at, key: key ?? null } }),
    );
    await client.upsert(collection, points, key === undefined ? {} : { shardKey: key });
  }
  return digest(collection);
}

async function digest(collection: string): Promise<Digest> {
  const points: Point[] = [];
  const keys = await client.shardKeys(collection);
  for (const shardKey of keys.length === 0 ? [undefined] : keys) {
    const options = { withVectors: true, limit: 100, ...(shardKey === undefined ? {} : { shardKey }) };
    for await (const point of client.scrollAll(collection, options)) points.push(point);
  }
  return digestOf(points);
}

test('local: every shard has one part, though it has two replicas; restored with other replicas it is the same', async () => {
  const before = await fill('docs--g1', { shard_number: 4, replication_factor: 2 });
  for (const alias of ['docs', 'handbook'])
    await client.updateAliases([{ create_alias: { alias_name: alias, collection_name: 'docs--g1' } }]);
  const { code, said } = await run(making('docs--g1', 'docs-20260101t000000z'));
  assert.equal(code, 0, JSON.stringify(said.failure));
  const manifest = said.manifest ?? assert.fail('no manifest');
  assert.deepEqual(
    manifest.parts.map(({ shard }) => shard),
    [0, 1, 2, 3],
  );
  assert.equal(manifest.points, 300);
  assert.equal(manifest.digest, formatDigest(before));
  assert.equal(said.asked, undefined);
  assert.deepEqual(manifest.aliases, ['docs', 'handbook'], 'snapshots of Qdrant hold none');

  await client.deletePoints('docs--g1', { ids: [1, 2, 3, 4, 5, 6, 7, 8, 9] });
  for (const [name, replicationFactor] of [
    ['docs--g2', 1],
    ['docs--g3', 2],
  ] as const) {
    const restored = await run(restoring(name, manifest.name, { manifest, replicationFactor }));
    assert.equal(restored.code, 0, JSON.stringify(restored.said.failure));
    assert.equal(restored.said.restored?.proved, true);
    assert.equal(formatDigest(await digest(name)), formatDigest(before));
    const info = await client.collection(name);
    assert.equal(info.payload_schema['n']?.data_type, 'integer');
    for (const peer of client.peers) {
      const view = await peer.collectionCluster(name);
      assert.ok(view.local_shards.every(({ state }) => state === 'Active'));
    }
  }
  // What a peer has of each shard is the same on all.
  const counts = new Map<number, Set<number>>();
  for (const peer of client.peers) {
    for (const { shard_id: id, points_count: count } of (await peer.collectionCluster('docs--g3')).local_shards) {
      counts.set(id, (counts.get(id) ?? new Set()).add(count));
    }
  }
  assert.ok([...counts.values()].every((set) => set.size === 1));
});

test('s3: parts are streamed to the bucket and leave the peers; restored, though a shard key was dropped before', async () => {
  const body = { sharding_method: 'custom', shard_number: 1, replication_factor: 1 };
  await fill('keyed--g1', body, ['old', 'a', 'b']);
  await client.deleteShardKey('keyed--g1', 'old');
  const before = await digest('keyed--g1');
  const name = 'docs-20260102t000000z';
  const { code, said } = await run(making('keyed--g1', name, { bucket: bucketConfig() }));
  assert.equal(code, 0, JSON.stringify(said.failure));
  const manifest = said.manifest ?? assert.fail('no manifest');
  const keys = store.objects.list('').map(([key]) => key);
  const wanted = [...manifest.parts.map(({ file }) => file), `backups/team/docs/${name}/manifest.json`];
  assert.deepEqual(keys, wanted.toSorted());
  for (const peer of client.peers) {
    for (const { shard } of manifest.parts) {
      const left = await peer.listSnapshots({ collection: 'keyed--g1', shard }).catch(() => []);
      assert.deepEqual(left, []);
    }
  }
  const restored = await run(restoring('keyed--g2', name, { bucket: bucketConfig() }));
  assert.equal(restored.code, 0, JSON.stringify(restored.said.failure));
  assert.equal(formatDigest(await digest('keyed--g2')), formatDigest(before));
  assert.equal(before.count, 600);
});

const s3Snapshot = async (collection: string, name: string): Promise<Manifest> => {
  await fill(collection, { shard_number: 2 });
  const { code, said } = await run(making(collection, name, { bucket: bucketConfig() }));
  assert.equal(code, 0, JSON.stringify(said.failure));
  return said.manifest ?? assert.fail('no manifest');
};

test('a part that is not as it was made, is cut short or gone is refused by name, and so is an unknown snapshot', async () => {
  const name = 'docs-20260103t000000z';
  const manifest = await s3Snapshot('damaged--g1', name);
  const [first] = manifest.parts;
  assert.ok(first !== undefined);
  const attempt = async (snapshot = name) => {
    const { code, said } = await run(restoring('damaged--g2', snapshot, { bucket: bucketConfig() }));
    assert.equal(code, 1);
    return said.failure;
  };
  for (const [fault, reason] of [
    ['gone', 'BucketMissing'],
    ['deny', 'BucketDenied'],
    ['cut', 'BucketUnreachable'],
  ] as const) {
    store.strike(fault);
    const away = await attempt();
    store.strike(undefined);
    assert.deepEqual([away?.reason, away?.lasting], [reason, false], 'what may pass is no refusal');
  }
  const { Readable } = await import('node:stream');
  await store.objects.put(first.file, Readable.from([Buffer.alloc(first.bytes, 7)]));
  const wrong = await attempt();
  assert.equal(wrong?.reason, 'ChecksumWrong');
  assert.equal(wrong.lasting, true);
  assert.ok(wrong.message.includes(first.file));
  await store.objects.halve(first.file);
  assert.equal((await attempt())?.reason, 'ChecksumWrong');
  await store.objects.remove(first.file);
  assert.equal((await attempt())?.reason, 'PartMissing');
  assert.equal((await attempt('docs-20260103t000001z'))?.reason, 'SnapshotNotFound');
  assert.equal(await client.count('damaged--g1'), 300);
});

test('a bucket that denies, is gone, loses or cuts: told by name, nothing lost, and the next attempt goes on', async () => {
  await fill('faults--g1', { shard_number: 2 });
  const name = 'docs-20260104t000000z';
  const progress = new MemoryStore();
  const config = making('faults--g1', name, { bucket: bucketConfig() });
  for (const [fault, reason] of [
    ['deny', 'BucketDenied'],
    ['gone', 'BucketMissing'],
    ['truncate', 'BucketFailed'],
    ['cut', 'BucketUnreachable'],
  ] as const) {
    store.strike(fault);
    const { code, said } = await run(config, progress);
    store.strike(undefined);
    assert.equal(code, 1);
    assert.equal(said.failure?.reason, reason, said.failure?.message);
    assert.equal(said.failure.lasting, false);
    assert.equal(said.manifest, undefined);
  }
  const { code, said } = await run(config, progress);
  assert.equal(code, 0, JSON.stringify(said.failure));
  const under = store.objects.list(`backups/team/docs/${name}/`).map(([key]) => key);
  assert.deepEqual(
    under,
    [...(said.manifest?.parts.map(({ file }) => file) ?? []), `backups/team/docs/${name}/manifest.json`].toSorted(),
  );
  for (const { peer, shard } of said.manifest?.parts ?? []) {
    assert.deepEqual(await client.peer(peer).listSnapshots({ collection: 'faults--g1', shard }), []);
  }
});

test('snapshots that are named are dropped, manifest first; what others have put there stays', async () => {
  const [old, kept] = ['docs-20260105t000000z', 'docs-20260105t000001z'];
  await s3Snapshot('drop--g1', old);
  const strangers = [
    'backups/team/docs/notes.txt',
    'backups/team/other/docs-20260105t000000z/uid-1-x/shard-0.snapshot',
  ];
  const { Readable } = await import('node:stream');
  for (const key of strangers) await store.objects.put(key, Readable.from([Buffer.from('x')]));
  const left = `backups/team/docs/docs-20260105t000009z/uid-1-dead/shard-0.snapshot`;
  const foreign = `backups/team/docs/docs-20260105t000009z/uid-2-dead/shard-0.snapshot`;
  for (const key of [left, foreign]) await store.objects.put(key, Readable.from([Buffer.from('x')]));
  const open = store.objects.begin(left);
  const config = making('drop--g1', kept, { bucket: bucketConfig(), drop: [{ name: old }] });
  const { code, said } = await run(config);
  assert.equal(code, 0, JSON.stringify(said.failure));
  assert.deepEqual(said.dropped, [old]);
  const keys = new Set(store.objects.list('').map(([key]) => key));
  assert.deepEqual(
    [...keys].filter((key) => key.includes(old) && key.startsWith('backups/team/docs/')),
    [],
  );
  for (const key of [...strangers, foreign]) assert.ok(keys.has(key), key);
  assert.ok(!keys.has(left));
  assert.ok(!store.objects.uploads('').some(({ id }) => id === open));
});

test('the file of a move that came meanwhile stays, whoever was killed before he heard of his own', async () => {
  await fill('shared--g1', { shard_number: 1, replication_factor: 1 });
  const name = 'docs-20260106t000000z';
  const progress = new MemoryStore();
  const config = making('shared--g1', name, { bucket: bucketConfig() });
  store.strike('deny');
  const first = await run(config, progress);
  store.strike(undefined);
  const [asked] = first.said.asked ?? [];
  assert.ok(first.code === 1 && asked !== undefined);
  assert.equal(asked.files?.length, 1, 'it heard of it, and nobody will ever name it');
  const peer = client.peer(asked.peer);
  const scope = { collection: 'shared--g1', shard: asked.shard };
  // Names have a resolution of a second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const theirs = await peer.createSnapshot(scope);
  const { code, said } = await run(config, progress);
  assert.equal(code, 0, JSON.stringify(said.failure));
  assert.deepEqual(
    (await peer.listSnapshots(scope)).map((file) => file.name),
    [theirs.name],
  );
});
