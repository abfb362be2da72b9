import { heldStream, layoutOf, MARK_KEY, type ShardLayout } from '../../migration/index.ts';
import { isQdrantError, type PayloadFieldSchema, type Schemas } from '../../qdrant/index.ts';
import { formatDigest } from '../../vectors/index.ts';
import { createBody } from '../create-body.ts';
import { type Observed, observedShape } from '../observed.ts';
import type { Bucket } from './bucket.ts';
import { TaskFailure } from './failure.ts';
import { libraryPrefix, manifestKey } from './keys.ts';
import type { Working } from './make.ts';
import { type Manifest, type Part, parseManifest } from './manifest.ts';
import { pairShards } from './pair-shards.ts';
import { partSource } from './part-source.ts';
import { readDigest } from './read-digest.ts';
import type { RestoreConfig } from './task-config.ts';
import type { TaskProgress } from './task-progress.ts';

export type Restoring = Working & {
  readonly config: RestoreConfig;
  readonly bucket: Bucket | undefined;
};

/** Makes a collection of a snapshot, beside whatever serves, and proves that it holds what the snapshot does. */
export async function restoreSnapshot(restoring: Restoring): Promise<NonNullable<TaskProgress['restored']>> {
  const { client, config, keeper, signal, now } = restoring;
  const began = now();
  const manifest = await manifestOf(restoring);
  const total = manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0);
  keeper.update({ step: 'looks whether every part is there', bytes: 0, total });
  await mustNotBeNewer(restoring, manifest);
  const source = partSource({ ...restoring, manifest });
  for (const part of manifest.parts) await source.check(part);
  const layout = await collectionFor(restoring, manifest);
  const pairs = pairShards(manifest, layout.shards);
  keeper.update({ step: 'puts the parts in place' });
  // One after the other: a peer unpacks each with all it has.
  for (const { part, shard } of pairs) {
    for (const owner of shard.owners) {
      await putPart(restoring, { part, shard: shard.shard, peer: owner, open: () => source.open(part) });
    }
    keeper.update({ bytes: (keeper.progress.bytes ?? 0) + part.bytes });
  }
  await settled(restoring);
  keeper.update({ step: 'reads all that was restored' });
  const { collection } = config.side;
  const onPage = (): Promise<void> => keeper.mayWrite();
  const digest = await readDigest({ client, collection, pageSize: config.pageSize, signal, onPage });
  const points = await client.count(collection, { exact: true, signal });
  await settled(restoring);
  const text = formatDigest(digest);
  if (points !== digest.count) {
    throw new TaskFailure('DigestDiffers', `${collection} counts ${points} points, ${digest.count} were read`);
  }
  if (manifest.digest !== undefined && manifest.digest !== text) {
    const message = `${collection} holds ${text}, snapshot ${manifest.name} ${manifest.digest}`;
    throw new TaskFailure('DigestDiffers', message, { lasting: true });
  }
  return { points, digest: text, proved: manifest.digest !== undefined, milliseconds: Math.max(0, now() - began) };
}

async function manifestOf({ config, bucket }: Restoring): Promise<Manifest> {
  if (config.manifest !== undefined) return config.manifest;
  if (bucket === undefined) throw new TaskFailure('SnapshotNotFound', `there is no snapshot ${config.name}`, LASTING);
  const key = manifestKey(libraryPrefix(bucket.prefix, config.library), config.name);
  const text = await bucket.getText(key);
  if (text === undefined) throw new TaskFailure('SnapshotNotFound', `the bucket has no ${key}`, LASTING);
  const manifest = parseManifest(text);
  if (manifest === undefined) throw new TaskFailure('ManifestInvalid', `${key} is no manifest of version 1`, LASTING);
  return manifest;
}

const LASTING = { lasting: true } as const;

/** Qdrant reads what an older one wrote, never the other way round. */
async function mustNotBeNewer({ client, signal }: Restoring, { name, qdrantVersion }: Manifest): Promise<void> {
  const version = await client.version({ signal });
  const [is = [], was = []] = [version, qdrantVersion].map((text) => text.split('.').map(Number));
  const older = (is[0] ?? 0) - (was[0] ?? 0) || (is[1] ?? 0) - (was[1] ?? 0);
  if (older >= 0) return;
  throw new TaskFailure(
    'VersionOlder',
    `snapshot ${name} is of Qdrant ${qdrantVersion}, the cluster runs ${version}`,
    LASTING,
  );
}

/** The empty collection, made as the snapshot's was; one that an earlier attempt made is gone on with. */
async function collectionFor(restoring: Restoring, manifest: Manifest): Promise<ShardLayout> {
  const { client, config, signal, keeper } = restoring;
  const { collection } = config.side;
  keeper.update({ step: `makes collection ${collection}` });
  await keeper.save();
  if (await client.collectionExists(collection, { signal })) await mustBeOurs(restoring);
  else {
    const info = { config: manifest.config, payload_schema: manifest.payloadSchema } as Schemas['CollectionInfo'];
    const base = observedShape(info);
    await client.createCollection(collection, bodyOf(config, base), { signal });
  }
  const schema = manifest.payloadSchema as Schemas['CollectionInfo']['payload_schema'];
  const keys = manifest.layout.flatMap(({ shard, key }) => (key === undefined ? [] : [{ shard, key }]));
  const present = await client.shardKeys(collection, { signal });
  const wanted = new Map(keys.map(({ key }) => [key, keys.filter((other) => other.key === key).length]));
  // In the order of their first shards, so that they get the same ids again.
  for (const [key, shardsNumber] of wanted) {
    if (present.includes(key)) continue;
    const { replicationFactor } = config;
    await client.createShardKey(collection, key, { shardsNumber, replicationFactor, signal });
  }
  const layout = await settled(restoring);
  for (const [field, index] of Object.entries(schema)) {
    const fields = index?.params ?? index?.data_type;
    await client.createPayloadIndex(collection, field, fields as PayloadFieldSchema, { signal });
  }
  return layout;
}

const EMPTY_SHAPE = { vectors: undefined, sparse: undefined, shardNumber: undefined, shardKeys: undefined } as const;

function bodyOf({ mark, replicationFactor, writeConsistencyFactor }: RestoreConfig, base: Observed) {
  const params = {
    ...base.params,
    replication_factor: replicationFactor,
    write_consistency_factor: writeConsistencyFactor,
  };
  const shape = {
    ...EMPTY_SHAPE,
    params: {},
    hnsw: {},
    optimizers: {},
    quantization: undefined,
    strictMode: {},
    indexes: {},
  };
  return createBody(shape, { mark: mark as never, base: { ...base, params }, strictMode: false });
}

async function mustBeOurs({ client, config, signal }: Restoring): Promise<void> {
  const { collection } = config.side;
  const info = await client.collection(collection, { signal });
  const mark = (info.config.metadata as Record<string, { uid?: unknown; generation?: unknown }> | null)?.[MARK_KEY];
  if (mark?.uid === config.mark['uid'] && mark?.generation === config.mark['generation']) return;
  throw new TaskFailure('CollectionExists', `collection ${collection} exists and is not this library's`, LASTING);
}

const SETTLE_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 200;

/** Until every replica is Active in every view and nothing is on its way. */
async function settled({ client, config, keeper, now, sleep, signal }: Restoring): Promise<ShardLayout> {
  const end = now() + SETTLE_MILLISECONDS;
  for (;;) {
    const layout = await layoutOf(client, config.side.collection);
    if (layout.settled) return layout;
    if (now() > end) {
      const why = layout.problem ?? 'some replica is not Active';
      throw new TaskFailure('ShardsUnreadable', `${config.side.collection} is not settled: ${why}`);
    }
    await keeper.mayWrite();
    await sleep(POLL_MILLISECONDS, signal);
  }
}

type Putting = {
  readonly part: Part;
  readonly shard: number;
  readonly peer: string;
  readonly open: () => Promise<AsyncIterable<Buffer>>;
};

/**
 * Every replica gets the same file, and none is synchronised by Qdrant: with the priority `snapshot` the others would be
 * Dead until they have copied it. Qdrant compares the SHA-256 before it takes anything.
 */
async function putPart({ client, config, keeper, signal, log }: Restoring, { part, shard, peer, open }: Putting) {
  await keeper.mayWrite();
  const stream = heldStream(await open(), () => keeper.mayWrite());
  const scope = { collection: config.side.collection, shard };
  try {
    await client
      .peer(peer)
      .uploadSnapshot(
        scope,
        { body: stream, bytes: part.bytes },
        { priority: 'no_sync', checksum: part.sha256, signal },
      );
  } catch (error) {
    if (isQdrantError(error) && /checksum/i.test(error.message)) {
      const message = `part ${part.file} of shard ${part.shard} has another SHA-256 than when it was made`;
      throw new TaskFailure('ChecksumWrong', message, { lasting: true, cause: error });
    }
    throw error;
  } finally {
    stream.destroy();
  }
  log.info({ peer, shard, bytes: part.bytes }, 'part of a snapshot put in place');
}
