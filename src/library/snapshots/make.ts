import type { Keeper, PlacedShard, ShardLayout } from '../../migration/index.ts';
import { heldStream, layoutOf, MARK_KEY } from '../../migration/index.ts';
import { type ClusterClient, isQdrantError, type PeerClient, type Snapshot } from '../../qdrant/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import { formatDigest, sameDigest } from '../../vectors/index.ts';
import type { Bucket } from './bucket.ts';
import { TaskFailure } from './failure.ts';
import { libraryPrefix, manifestKey, partKey, partsPrefix } from './keys.ts';
import type { Manifest, Part } from './manifest.ts';
import { readDigest } from './read-digest.ts';
import type { SnapshotConfig } from './task-config.ts';
import type { TaskProgress } from './task-progress.ts';

export type Working = {
  readonly client: ClusterClient;
  readonly keeper: Keeper<TaskProgress>;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Of this worker: no two have the same. */
  readonly id: string;
};

export type Making = Working & {
  readonly config: SnapshotConfig & { readonly make: NonNullable<SnapshotConfig['make']> };
  /** Undefined: the parts stay on the peers. */
  readonly bucket: Bucket | undefined;
};

/** Asks every peer for its shards, one file a shard, checks each, and says last of all that they are a snapshot. */
export async function makeSnapshot(making: Making): Promise<Manifest> {
  const { client, config, keeper, bucket, now, signal } = making;
  const { collection } = config.side;
  const startedAt = now();
  await removeUnlisted(making, []);
  const before = await readableLayout(making);
  const [info, aliases, version] = [
    await client.collection(collection, { signal }),
    await client.collectionAliases(collection, { signal }),
    await client.version({ signal }),
  ];
  const first = await digest(making, 'reads all points before');
  keeper.update({ bytes: 0, step: 'makes the parts' });
  const parts = await makeParts(making, before);
  const last = await digest(making, 'reads all points after');
  await removeUnlisted(making, bucket === undefined ? parts : []);
  const points = await client.count(collection, { exact: true, signal });
  await readableLayout(making);
  const { [MARK_KEY]: _mark, ...metadata } = (info.config.metadata ?? {}) as Record<string, unknown>;
  const manifest: Manifest = {
    version: 1,
    name: config.make.name,
    library: config.library,
    cluster: config.make.cluster,
    alias: config.make.alias,
    collection,
    generation: config.make.generation,
    destination: bucket === undefined ? 'local' : 's3',
    ...(config.bucket === undefined ? {} : { bucket: placeOf(config.bucket) }),
    startedAt: new Date(startedAt).toISOString(),
    createdAt: new Date(now()).toISOString(),
    qdrantVersion: version,
    points,
    ...(sameDigest(first, last) && last.count === points ? { digest: formatDigest(last) } : {}),
    parts: parts.toSorted((a, b) => a.shard - b.shard),
    layout: before.shards.map(({ shard, key, peerIds }) => ({
      shard,
      ...(key === undefined ? {} : { key }),
      replicas: [...peerIds],
    })),
    aliases: aliases.map(({ alias }) => alias).toSorted(),
    config: { ...info.config, metadata },
    payloadSchema: { ...info.payload_schema },
  };
  await keeper.mayWrite();
  if (bucket !== undefined) {
    const base = libraryPrefix(bucket.prefix, config.library);
    await bucket.putText(manifestKey(base, manifest.name), JSON.stringify(manifest));
  }
  return manifest;
}

/** All that says where it is, and nothing of how one gets in. */
const placeOf = ({ credentials: _credentials, ...place }: NonNullable<SnapshotConfig['bucket']>) => place;

async function readableLayout({ client, config }: Making): Promise<ShardLayout> {
  const layout = await layoutOf(client, config.side.collection);
  if (layout.problem !== undefined) throw new TaskFailure('ShardsUnreadable', layout.problem);
  return layout;
}

function digest({ client, config, keeper, signal }: Making, step: string) {
  keeper.update({ step });
  const { collection } = config.side;
  const onPage = (): Promise<void> => keeper.mayWrite();
  return readDigest({ client, collection, pageSize: config.pageSize, signal, onPage });
}

/** Peers side by side, the shards of one after the other: Qdrant holds up its optimizers meanwhile. */
async function makeParts(making: Making, { shards }: ShardLayout): Promise<Part[]> {
  const byPeer = new Map<string, PlacedShard[]>();
  for (const shard of shards) {
    // Of the peers that could, the one that has the fewest to make.
    const [name] = shard.active.toSorted((a, b) => (byPeer.get(a)?.length ?? 0) - (byPeer.get(b)?.length ?? 0));
    if (name === undefined) throw new TaskFailure('ShardsUnreadable', `shard ${shard.shard} has no Active replica`);
    byPeer.set(name, [...(byPeer.get(name) ?? []), shard]);
  }
  // A peer that was asked goes on though nobody listens any more: the others stop only between two parts.
  let failed = false;
  const lanes = [...byPeer].map(async ([name, list]) => {
    const parts: Part[] = [];
    for (const shard of list) {
      if (!failed) parts.push(await makePart(making, making.client.peer(name), shard));
    }
    return parts;
  });
  for (const lane of lanes) {
    lane.catch(() => {
      failed = true;
    });
  }
  await Promise.allSettled(lanes);
  return (await Promise.all(lanes)).flat();
}

async function makePart(making: Making, peer: PeerClient, { shard, key }: PlacedShard): Promise<Part> {
  const { config, keeper, signal, log } = making;
  const scope = { collection: config.side.collection, shard };
  const before = (await peer.listSnapshots(scope, { signal })).map(({ name }) => name);
  // Written down first: what a worker that is killed now leaves behind can be told from what others have made.
  const { asked = [] } = keeper.progress;
  if (
    !asked.some((entry) => entry.peer === peer.name && entry.shard === shard && entry.collection === scope.collection)
  ) {
    keeper.update({ asked: [...asked, { peer: peer.name, ...scope, before }] });
    await keeper.save();
  }
  const made = await askPeer(making, peer, { scope, before });
  const common = { shard, ...(key === undefined ? {} : { key }), peer: peer.name };
  const part = await stored(making, { peer, scope, made, common });
  log.info({ peer: peer.name, shard, bytes: part.bytes }, 'part of a snapshot made');
  keeper.update({ bytes: (keeper.progress.bytes ?? 0) + part.bytes });
  await keeper.mayWrite();
  return part;
}

type Scope = { readonly collection: string; readonly shard: number };

/** Names have a resolution of a second (S7). */
const NAME_MILLISECONDS = 1100;
const NAMES_TRIED = 3;

/** @throws TaskFailure when the file is not the one that was told of */
async function askPeer(
  { signal, sleep }: Making,
  peer: PeerClient,
  { scope, before }: { readonly scope: Scope; readonly before: readonly string[] },
): Promise<Snapshot & { readonly checksum: string }> {
  let made = await peer.createSnapshot(scope, { signal });
  for (let tried = 1; before.includes(made.name) && tried < NAMES_TRIED; tried += 1) {
    await sleep(NAME_MILLISECONDS, signal);
    made = await peer.createSnapshot(scope, { signal });
  }
  const listed = (await peer.listSnapshots(scope, { signal })).find(({ name }) => name === made.name);
  const what = `snapshot ${made.name} of shard ${scope.shard} on ${peer.name}`;
  if (before.includes(made.name)) throw new TaskFailure('SnapshotDamaged', `${what} took the place of an earlier one`);
  if (listed === undefined || listed.size !== made.size || listed.checksum !== made.checksum) {
    throw new TaskFailure('SnapshotDamaged', `${what} is listed with another size or checksum than it was made with`);
  }
  const { checksum } = made;
  if (typeof checksum !== 'string') throw new TaskFailure('SnapshotDamaged', `${what} has no checksum`);
  return { ...made, checksum };
}

type Storing = {
  readonly peer: PeerClient;
  readonly scope: Scope;
  readonly made: Snapshot & { readonly checksum: string };
  readonly common: Pick<Part, 'shard' | 'key' | 'peer'>;
};

/** Where it stays: on the peer, or streamed to the bucket, and then no longer on the peer. */
async function stored(making: Making, { peer, scope, made, common }: Storing): Promise<Part> {
  const { bucket, config, keeper, signal, id } = making;
  const { size: bytes, checksum: sha256 } = made;
  if (bucket === undefined) return { ...common, file: made.name, bytes, sha256 };
  const base = libraryPrefix(bucket.prefix, config.library);
  const run = `${config.library.uid}-${id}`;
  const file = partKey(partsPrefix(base, { snapshot: config.make.name, run }), scope.shard);
  const download = await peer.downloadSnapshot(scope, made.name, { checksum: sha256, signal });
  const passed = heldStream(download.body, () => keeper.mayWrite());
  try {
    await bucket.put(file, passed, { bytes, signal });
  } finally {
    passed.destroy();
    download.body.destroy();
  }
  const kept = await bucket.size(file);
  if (kept !== bytes) {
    throw new TaskFailure('BucketFailed', `${file} has ${kept ?? 'no'} bytes in the bucket, ${bytes} were written`);
  }
  await peer.deleteSnapshot(scope, made.name, { signal });
  return { ...common, file, bytes, sha256 };
}

/**
 * Files that were asked for and that nobody will name: a worker that is killed can't tell of them any more, and the peer
 * may finish one after that. What lay there before is not ours.
 */
async function removeUnlisted({ client, keeper, signal, log }: Making, parts: readonly Part[]): Promise<void> {
  for (const { peer: name, collection, shard, before } of keeper.progress.asked ?? []) {
    const kept = new Set([...before, ...parts.map(({ file }) => file)]);
    try {
      const peer = client.peer(name);
      const listed = await peer.listSnapshots({ collection, shard }, { signal });
      for (const left of listed.filter((file) => !kept.has(file.name))) {
        await peer.deleteSnapshot({ collection, shard }, left.name, { signal });
        log.info({ peer: name, shard, file: left.name }, 'a file that an earlier attempt left is deleted');
      }
    } catch (error) {
      // The peer or the collection may be gone for good: then there is nothing to remove.
      if (!isQdrantError(error)) throw error;
      log.warn({ err: error, peer: name, shard }, 'what an earlier attempt left could not be looked for');
    }
  }
}
