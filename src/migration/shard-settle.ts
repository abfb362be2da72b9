import type { PeerClient } from '../qdrant/index.ts';
import { layoutOf } from './placed-shards.ts';
import { pause, type ShardRun, Unsettled } from './shard-run.ts';

const POLL_MILLISECONDS = 100;
const SETTLE_MILLISECONDS = 60_000;
const TELEMETRY_OF_SHARDS = 3;

/** How many snapshots are being put in place of shards of the collection, or made of them, on these peers. */
export async function runningOn(
  peers: readonly PeerClient[],
  collection: string,
  { what, signal }: { readonly what: 'running_snapshot_recovery' | 'running_snapshots'; readonly signal: AbortSignal },
): Promise<number> {
  const counts = await Promise.all(
    peers.map(async (peer) => {
      const { collections } = await peer.telemetry(TELEMETRY_OF_SHARDS, { signal });
      const list = (collections as { snapshots?: readonly Running[] | null }).snapshots ?? [];
      return list.find(({ id }) => id === collection)?.[what] ?? 0;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
type Running = {
  readonly id: string;
  readonly running_snapshot_recovery?: number;
  readonly running_snapshots?: number;
};

/** What a worker before has asked of this peer is made though nobody listens any more (measured). */
export const untilMade = (run: ShardRun, peer: PeerClient): Promise<void> =>
  until(run, async ({ source: { collection }, signal }) => {
    const making = await runningOn([peer], collection, { what: 'running_snapshots', signal });
    return making > 0 ? `${making} snapshots are being made on ${peer.name}` : undefined;
  });

/** Until nothing is on its way on the target that an earlier worker, or Qdrant itself, has begun. */
export const untilQuiet = (run: ShardRun): Promise<void> => until(run, unquiet);

/** Until also every replica is Active in every view, and every peer able to read its own. */
export const settle = (run: ShardRun): Promise<void> =>
  until(run, async (seen) => (await unquiet(seen)) ?? (await unready(seen)));

async function until(run: ShardRun, unrestOf: (run: ShardRun) => Promise<string | undefined>): Promise<void> {
  const { signal, mayWrite } = run;
  const end = performance.now() + SETTLE_MILLISECONDS;
  for (;;) {
    const unrest = await unrestOf(run);
    if (unrest === undefined) return;
    if (performance.now() > end) throw new Unsettled(`not at rest: ${unrest}`);
    await mayWrite();
    await pause(POLL_MILLISECONDS, signal);
  }
}

async function unquiet({ target, signal }: ShardRun): Promise<string | undefined> {
  const { client, collection } = target;
  const running = await runningOn(client.peers, collection, { what: 'running_snapshot_recovery', signal });
  if (running > 0) return `${running} snapshots are being put in place`;
  for (const peer of client.peers) {
    const { shard_transfers: transfers } = await peer.collectionCluster(collection, { signal });
    if (transfers.length > 0) return `${transfers.length} shard transfers run`;
  }
  return undefined;
}

async function unready({ target, signal }: ShardRun): Promise<string | undefined> {
  const { client, collection } = target;
  const layout = await layoutOf(client, collection);
  if (!layout.settled) return layout.problem ?? 'some replica is not Active';
  // A shard whose recovery was cut off is shown as Active and answers nothing (measured).
  for (const peer of client.peers) await peer.collection(collection, { attempts: 1, signal });
  return undefined;
}

/** Replicas of the same file hold the same number of points, and nobody else writes. */
export async function mustBeEqual({ target, signal }: ShardRun, id: number): Promise<void> {
  const { shards } = await layoutOf(target.client, target.collection);
  signal.throwIfAborted();
  const shard = shards.find((candidate) => candidate.shard === id);
  const counts = shard?.owners.map((owner) => shard.points?.[owner]) ?? [];
  if (shard !== undefined && shard.active.length === shard.peerIds.length && new Set(counts).size === 1) return;
  const shown = shard?.owners.map((owner) => `${owner} ${shard.points?.[owner] ?? 'none'}`).join(', ') ?? 'nothing';
  throw new Unsettled(`replicas of shard ${id} differ after they were recovered: ${shown}`);
}
