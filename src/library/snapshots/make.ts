import type { Keeper, PlacedShard, ShardLayout, ShardScope } from '../../migration/index.ts';
import { DamagedSnapshot, heldStream, layoutOf, MARK_KEY, makeShardFile } from '../../migration/index.ts';
import { type ClusterClient, isQdrantError, type PeerClient } from '../../qdrant/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import { formatDigest, sameDigest } from '../../vectors/index.ts';
import { type Asked, leftFiles } from './asked.ts';
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
  const { config, keeper, log } = making;
  const scope = { collection: config.side.collection, shard };
  const made = await askPeer(making, peer, scope);
  const common = { shard, ...(key === undefined ? {} : { key }), peer: peer.name };
  const part = await stored(making, { peer, scope, made, common });
  log.info({ peer: peer.name, shard, bytes: part.bytes }, 'part of a snapshot made');
  keeper.update({ bytes: (keeper.progress.bytes ?? 0) + part.bytes });
  await keeper.mayWrite();
  return part;
}

type ShardFile = Awaited<ReturnType<typeof makeShardFile>>;

/** @throws TaskFailure when the file is not the one that was told of */
async function askPeer(making: Making, peer: PeerClient, scope: ShardScope): Promise<ShardFile> {
  const { keeper, signal, sleep } = making;
  const before = (await peer.listSnapshots(scope, { signal })).map(({ name }) => name);
  const first: Asked = { peer: peer.name, ...scope, before, files: [], open: 0 };
  // Written down first: what a worker that is killed now leaves behind can be told from what others have made.
  noteAsked(keeper, first, ({ open = 1, ...entry }) => ({ ...entry, open: open + 1 }));
  await keeper.save();
  try {
    const made = await makeShardFile({ peer, scope, before, signal, sleep });
    noteAsked(keeper, first, ({ files = [], open = 1, ...entry }) => ({
      ...entry,
      files: [...files, made.name],
      open: open - 1,
    }));
    return made;
  } catch (error) {
    if (error instanceof DamagedSnapshot) throw new TaskFailure('SnapshotDamaged', error.message, { cause: error });
    throw error;
  }
}

/** Changes what is known of one shard on one peer; `first`: where nothing is known yet. */
function noteAsked(keeper: Keeper<TaskProgress>, first: Asked, change: (entry: Asked) => Asked): void {
  const { asked = [] } = keeper.progress;
  const same = ({ peer, shard, collection }: Asked): boolean =>
    peer === first.peer && shard === first.shard && collection === first.collection;
  const known = asked.find(same) ?? first;
  keeper.update({ asked: [...asked.filter((entry) => !same(entry)), change(known)] });
}

type Storing = {
  readonly peer: PeerClient;
  readonly scope: ShardScope;
  readonly made: ShardFile;
  readonly common: Pick<Part, 'shard' | 'key' | 'peer'>;
};

/** Where it stays: on the peer, or streamed to the bucket, and then no longer on the peer. */
async function stored(making: Making, { peer, scope, made, common }: Storing): Promise<Part> {
  const { bucket, config, keeper, signal, id } = making;
  const { bytes, sha256 } = made;
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

/** Files that were asked for and that nobody will name: a peer may finish one after its worker was killed. */
async function removeUnlisted({ client, keeper, signal, log }: Making, parts: readonly Part[]): Promise<void> {
  for (const asked of keeper.progress.asked ?? []) {
    const { peer: name, collection, shard } = asked;
    try {
      const peer = client.peer(name);
      const listed = (await peer.listSnapshots({ collection, shard }, { signal })).map((file) => file.name);
      const left = leftFiles({ asked, listed, kept: parts.map(({ file }) => file) });
      for (const file of left) {
        await peer.deleteSnapshot({ collection, shard }, file, { signal });
        log.info({ peer: name, shard, file }, 'a file that an earlier attempt left is deleted');
      }
      const heard = new Set(asked.files);
      const unheard = left.filter((file) => !heard.has(file)).length;
      noteAsked(keeper, asked, ({ open = 1, ...entry }) => ({ ...entry, open: Math.max(0, open - unheard) }));
    } catch (error) {
      // The peer or the collection may be gone for good: then there is nothing to remove.
      if (!isQdrantError(error)) throw error;
      log.warn({ err: error, peer: name, shard }, 'what an earlier attempt left could not be looked for');
    }
  }
}
