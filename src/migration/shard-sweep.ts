import { isQdrantError } from '../qdrant/index.ts';
import type { LeftFile } from './progress.ts';
import { sweepShardFiles } from './shard-file.ts';
import { forgetShard, putShard, type ShardRun, Unsettled } from './shard-run.ts';
import { untilMade } from './shard-settle.ts';

/**
 * What workers before have left on the source: files of finished shards, and such as were asked for and never heard of.
 * Of a peer that is away it is noted, for the next time.
 */
export async function sweepLeft(run: ShardRun): Promise<void> {
  for (const [id, { done, file }] of Object.entries(run.progress().shards)) {
    if (done !== (file !== undefined)) continue;
    await sweep(run, Number(id));
  }
  for (const entry of run.progress().left ?? []) {
    if (await isSwept(run, entry)) run.update({ left: (run.progress().left ?? []).filter((other) => other !== entry) });
  }
}

/** Deletes the file of one shard, and what is known of a shard that is not finished. */
export async function sweep(run: ShardRun, shard: number): Promise<void> {
  const known = run.progress().shards[shard];
  // What is named no more may be somebody else's.
  if (known === undefined || (known.done && known.file === undefined)) return;
  const { peer, before, file, recovered, done } = known;
  const entry = { peer, shard, before, ...(file === undefined ? {} : { file }) };
  if (!(await isSwept(run, entry))) run.update({ left: [...(run.progress().left ?? []), entry] });
  if (done) putShard(run, shard, { peer, before, recovered, done });
  else forgetShard(run, shard);
  await run.save();
}

async function isSwept(run: ShardRun, { peer: name, shard, ...record }: LeftFile): Promise<boolean> {
  const { source, signal, log } = run;
  const peer = source.client.peers.find((candidate) => candidate.name === name);
  if (peer === undefined) return true;
  try {
    if (record.file === undefined) await untilMade(run, peer);
    const swept = await sweepShardFiles(peer, { collection: source.collection, shard }, { record, signal });
    if (swept.length > 0) log.info({ peer: name, shard, files: swept }, 'snapshots that were asked for are deleted');
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (!isQdrantError(error) && !(error instanceof Unsettled)) throw error;
    log.warn({ err: error, peer: name, shard }, 'the snapshot of a shard could not be deleted');
    return false;
  }
}

/** Deletes all that the copy has asked for. */
export async function sweepAll(run: ShardRun): Promise<void> {
  for (const id of Object.keys(run.progress().shards)) await sweep(run, Number(id));
  await sweepLeft(run);
}
