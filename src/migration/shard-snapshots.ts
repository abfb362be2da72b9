import { isQdrantError, type PeerClient } from '../qdrant/index.ts';
import { heldStream } from './held-stream.ts';
import { layoutOf, type PlacedShard } from './placed-shards.ts';
import { DamagedSnapshot, isThere, makeShardFile, type ShardFile, type ShardScope } from './shard-file.ts';
import { pause, putShard, recordShard, type ShardRun, Unsettled } from './shard-run.ts';
import { mustBeEqual, settle, untilQuiet } from './shard-settle.ts';
import { sweep, sweepLeft } from './shard-sweep.ts';

/** Shards at a time: one is made while another is sent. */
const LANES = 2;

/**
 * Brings every shard over as a snapshot, through this worker: the target needs no way to the source and never gets its
 * key. A shard that was finished is not touched again.
 *
 * @throws DamagedSnapshot, Unsettled, QdrantError; what is done by then stays done
 */
export async function copyShards(run: ShardRun): Promise<void> {
  const from = await layoutOf(run.source.client, run.source.collection);
  if (from.problem !== undefined) throw new Unsettled(`the source can't be read in full: ${from.problem}`);
  const to = await layoutOf(run.target.client, run.target.collection);
  // What a worker before had sent is put in place though nobody listens any more (measured), and would undo this run's.
  await untilQuiet(run);
  await sweepLeft(run);
  run.update({ shardsTotal: from.shards.length });
  const queue = from.shards.filter(({ shard }) => run.progress().shards[shard]?.done !== true);
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let shard = queue.shift(); shard !== undefined && !failed; shard = queue.shift()) {
      const place = to.shards.find((candidate) => candidate.shard === shard?.shard);
      if (place === undefined) throw new Unsettled(`the target has no shard ${shard.shard}`);
      await copyShard(run, shard, place);
    }
  };
  const lanes = Array.from({ length: LANES }, lane);
  for (const running of lanes) {
    running.catch(() => {
      failed = true;
    });
  }
  // A peer that was asked goes on though nobody listens any more: the other lane ends its shard.
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
  try {
    await settle(run);
  } catch (error) {
    // Some shard answers nothing though it was recovered: a peer was killed on the way. Nobody says which.
    if (isQdrantError(error, 'Internal')) run.update({ shards: {} });
    throw error;
  }
  await dropCarriedIndexes(run);
  await sweepLeft(run);
}

async function copyShard(run: ShardRun, from: PlacedShard, to: PlacedShard): Promise<void> {
  const { source, log } = run;
  const scope = { collection: source.collection, shard: from.shard };
  const began = performance.now();
  const { peer, file } = await fileOf(run, from, scope);
  if (to.owners.length !== to.peerIds.length) throw new Unsettled(`not every peer with shard ${from.shard} answers`);
  for (const owner of to.owners) {
    if (run.progress().shards[from.shard]?.recovered.includes(owner) === true) continue;
    await recover(run, { peer, scope, file, owner });
    recordShard(run, from.shard, ({ recovered }) => ({ recovered: [...recovered, owner] }));
    await run.save();
  }
  try {
    await mustBeEqual(run, from.shard);
  } catch (error) {
    await sweep(run, from.shard);
    throw error;
  }
  // Written down before the file is deleted: a file that is missed would have the shard copied again.
  recordShard(run, from.shard, () => ({ done: true }));
  await run.save();
  await sweep(run, from.shard);
  const milliseconds = Math.round(performance.now() - began);
  log.info({ shard: from.shard, bytes: file.bytes, replicas: to.owners.length, milliseconds }, 'shard is copied');
}

/** The snapshot that an earlier attempt has made, where it still lies there, else a new one. */
async function fileOf(
  run: ShardRun,
  from: PlacedShard,
  scope: ShardScope,
): Promise<{ peer: PeerClient; file: ShardFile }> {
  const { source, signal } = run;
  const known = run.progress().shards[from.shard];
  if (known !== undefined) {
    if (known.file !== undefined && from.active.includes(known.peer)) {
      const peer = source.client.peer(known.peer);
      if (await isThere(peer, scope, { file: known.file, signal })) return { peer, file: known.file };
    }
    await sweep(run, from.shard);
  }
  const peer = source.client.peer(turnOf(from));
  const before = (await peer.listSnapshots(scope, { signal })).map(({ name }) => name);
  await run.mayWrite();
  // Written down first: what a worker that is killed now leaves behind can be told from what others have made. All
  // replicas get the same file, so with a new one all are recovered again.
  putShard(run, from.shard, { peer: peer.name, before, recovered: [], done: false });
  await run.save();
  const file = await makeShardFile({ peer, scope, before, signal, sleep: pause });
  const { bytesTotal } = run.progress();
  recordShard(run, from.shard, () => ({ file }));
  run.update({ bytesTotal: bytesTotal + file.bytes });
  await run.save();
  return { peer, file };
}

/** Qdrant holds up the optimizers of a shard while it makes its snapshot: peers take turns. */
function turnOf({ shard, active }: PlacedShard): string {
  const name = active[shard % active.length];
  if (name === undefined) throw new Unsettled(`shard ${shard} of the source has no Active replica`);
  return name;
}

type Recovering = {
  readonly peer: PeerClient;
  readonly scope: ShardScope;
  readonly file: ShardFile;
  /** Peer of the target. */
  readonly owner: string;
};

/**
 * Every replica gets the same file and `no_sync`: with `snapshot` the other replicas would be Dead until they have pulled
 * it, with `replica` this one would be emptied to be like them (measured). The SHA-256 that the source told is compared
 * here at the end of the download, and by the target before it touches its shard.
 */
async function recover(run: ShardRun, { peer, scope, file, owner }: Recovering): Promise<void> {
  const { target, signal, log } = run;
  const to = target.client.peer(owner);
  await run.mayWrite();
  const download = await peer.downloadSnapshot(scope, file.name, { checksum: file.sha256, signal });
  const stream = heldStream(download.body, async (bytes) => {
    await run.mayWrite();
    run.update({ bytes: run.progress().bytes + bytes });
  });
  try {
    await to.uploadSnapshot(
      { collection: target.collection, shard: scope.shard },
      { body: stream, bytes: file.bytes },
      { priority: 'no_sync', checksum: file.sha256, signal },
    );
  } catch (error) {
    if (!isQdrantError(error) || !/checksum/i.test(error.message)) throw error;
    // Another one is made: this one would be no better the next time.
    await sweep(run, scope.shard);
    throw damaged(file, scope, error);
  } finally {
    stream.destroy();
    download.body.destroy();
  }
  log.info({ peer: owner, shard: scope.shard, bytes: file.bytes }, 'replica is recovered');
}

const damaged = ({ name }: ShardFile, { shard }: ShardScope, cause: unknown): DamagedSnapshot =>
  new DamagedSnapshot(`snapshot ${name} of shard ${shard} did not arrive with its checksum`, { cause });

/** A shard brings the payload indexes of its source along, to all of the collection (measured). */
export async function dropCarriedIndexes({ target, progress, mayWrite, signal, log }: ShardRun): Promise<void> {
  const { client, collection } = target;
  const { indexes } = progress();
  const fields = Object.keys((await client.collection(collection, { signal })).payload_schema);
  for (const field of fields.filter((name) => !indexes.includes(name))) {
    await mayWrite();
    await client.deletePayloadIndex(collection, field, { signal });
    log.info({ field }, 'a payload index that only the source has is dropped');
  }
}
