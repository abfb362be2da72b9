import { type ClusterClient, isQdrantError, type PeerClient } from '../../qdrant/index.ts';
import { type Asked, leftFiles } from './asked.ts';
import type { LocalPart } from './task-config.ts';
import type { SnapshotWorld } from './world.ts';

/** Files on peers that only this library's ConfigMaps tell of. */
export type LocalFiles = {
  /** Snapshots that are no more without them. */
  readonly names: readonly string[];
  readonly parts: readonly LocalPart[];
  /** What workers have asked for that did not finish. */
  readonly asked: readonly Asked[];
};

/** What lies with a collection; undefined: nothing. */
export function filesWith({ kept }: SnapshotWorld, collection: string): LocalFiles | undefined {
  const concerned = kept.filter(
    ({ progress }) =>
      (progress?.manifest?.destination === 'local' && progress.manifest.collection === collection) ||
      progress?.asked?.some((each) => each.collection === collection) === true,
  );
  if (concerned.length === 0) return undefined;
  return {
    names: concerned.map(({ name }) => name),
    parts: concerned.flatMap(({ progress }) =>
      (progress?.manifest?.destination === 'local' ? progress.manifest.parts : []).map(({ shard, peer, file }) => ({
        collection,
        shard,
        peer,
        file,
      })),
    ),
    asked: concerned.flatMap(({ progress }) => progress?.asked ?? []).filter((each) => each.collection === collection),
  };
}

type Dropping = { readonly client: ClusterClient; readonly signal: AbortSignal };

/** Deletes parts; of a peer that is no more they are gone already. */
export async function dropParts({ client, signal }: Dropping, parts: readonly LocalPart[]): Promise<void> {
  for (const { collection, shard, peer: name, file } of parts) {
    await ofPeer(client, name, (peer) => peer.deleteSnapshot({ collection, shard }, file, { signal }));
  }
}

/** Must happen while the collection is there: Qdrant leaves the files of a dropped one on its disk (measured). */
export async function dropLocalFiles(dropping: Dropping, { parts, asked }: Omit<LocalFiles, 'names'>): Promise<void> {
  const { client, signal } = dropping;
  await dropParts(dropping, parts);
  for (const entry of asked) {
    const { peer: name, collection, shard } = entry;
    await ofPeer(client, name, async (peer) => {
      const listed = (await peer.listSnapshots({ collection, shard }, { signal })).map((file) => file.name);
      for (const file of leftFiles({ asked: entry, listed, kept: [] }))
        await peer.deleteSnapshot({ collection, shard }, file, { signal });
    });
  }
}

async function ofPeer(client: ClusterClient, name: string, run: (peer: PeerClient) => Promise<unknown>): Promise<void> {
  const peer = client.peers.find((candidate) => candidate.name === name);
  if (peer === undefined) return;
  try {
    await run(peer);
  } catch (error) {
    if (!isQdrantError(error, 'NotFound')) throw error;
  }
}
