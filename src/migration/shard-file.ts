import { isQdrantError, type PeerClient } from '../qdrant/index.ts';
import type { ShardProgress } from './progress.ts';

export type ShardScope = { readonly collection: string; readonly shard: number };
export type ShardFile = NonNullable<ShardProgress['file']>;

/** What Qdrant sends, stores or lists of a shard is not what it said it is. */
export class DamagedSnapshot extends Error {
  override readonly name = 'DamagedSnapshot';
}

/** Names have a resolution of a second (S7). */
const NAME_MILLISECONDS = 1100;
const NAMES_TRIED = 3;

export type MakingFile = {
  readonly peer: PeerClient;
  readonly scope: ShardScope;
  /** What lay there before it was asked for the first time. */
  readonly before: readonly string[];
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

/**
 * A snapshot of one shard as a file on its peer.
 *
 * @throws DamagedSnapshot when the file is not the one that was told of, or has no checksum; QdrantError
 */
export async function makeShardFile({ peer, scope, before, signal, sleep }: MakingFile): Promise<ShardFile> {
  let made = await peer.createSnapshot(scope, { signal });
  for (let tried = 1; before.includes(made.name) && tried < NAMES_TRIED; tried += 1) {
    await sleep(NAME_MILLISECONDS, signal);
    made = await peer.createSnapshot(scope, { signal });
  }
  const what = `snapshot ${made.name} of shard ${scope.shard} on ${peer.name}`;
  if (before.includes(made.name)) throw new DamagedSnapshot(`${what} took the place of an earlier one`);
  const { name, size: bytes, checksum } = made;
  if (typeof checksum !== 'string' || checksum === '') throw new DamagedSnapshot(`${what} has no checksum`);
  const file = { name, bytes, sha256: checksum };
  if (!(await isThere(peer, scope, { file, signal }))) {
    throw new DamagedSnapshot(`${what} is listed with another size or checksum than it was made with`);
  }
  return file;
}

/** Whether the file lies there with the size and checksum that it was made with. */
export async function isThere(
  peer: PeerClient,
  scope: ShardScope,
  { file, signal }: { readonly file: ShardFile; readonly signal: AbortSignal },
): Promise<boolean> {
  const listed = (await peer.listSnapshots(scope, { signal })).find(({ name }) => name === file.name);
  return listed !== undefined && listed.size === file.bytes && listed.checksum === file.sha256;
}

export type SweepSubject = {
  readonly scope: ShardScope;
  readonly record: Pick<ShardProgress, 'before' | 'file'>;
  /** All that is listed for the shard. */
  readonly listed: readonly string[];
};

type Predicate = {
  readonly name: string;
  readonly refuse: (file: string, subject: SweepSubject) => string | undefined;
};

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** Whether Qdrant would name a snapshot of this shard so. */
export const isShardFile = ({ collection, shard }: ShardScope, file: string): boolean =>
  new RegExp(`^${escaped(collection)}-shard-${shard}-\\d{4}(-\\d{2}){5}\\.snapshot$`).test(file);

/** What must hold before a file is taken for one that a copy has asked for. */
export const SHARD_FILE_PREDICATES: readonly Predicate[] = [
  {
    name: 'named-as-a-shard-snapshot',
    refuse: (file, { scope }) =>
      isShardFile(scope, file) ? undefined : `${file} is no snapshot of shard ${scope.shard} of ${scope.collection}`,
  },
  {
    name: 'not-there-before',
    refuse: (file, { record }) => (record.before.includes(file) ? `${file} lay there before` : undefined),
  },
  {
    name: 'known-or-alone',
    // Whoever is killed before the answer comes doesn't know the name; of several new ones nobody can tell whose they are.
    refuse: (file, { record, listed }) => {
      if (record.file !== undefined) return record.file.name === file ? undefined : `${file} was made by somebody else`;
      const fresh = listed.filter((name) => !record.before.includes(name));
      return fresh.length === 1 ? undefined : `${fresh.length} snapshots were made meanwhile`;
    },
  },
];

/** Files of a shard that the copy has asked for. */
export const ourFiles = (subject: SweepSubject): string[] =>
  subject.listed.filter((file) => SHARD_FILE_PREDICATES.every(({ refuse }) => refuse(file, subject) === undefined));

/**
 * Deletes what a copy has left of a shard on its source. Must happen while the collection is there: Qdrant leaves the
 * files of a dropped one on its disk and shows them to nobody (measured).
 *
 * @returns what was deleted; none when the peer or the collection is gone
 */
export async function sweepShardFiles(
  peer: PeerClient,
  scope: ShardScope,
  { record, signal }: { readonly record: Pick<ShardProgress, 'before' | 'file'>; readonly signal: AbortSignal },
): Promise<string[]> {
  try {
    const listed = (await peer.listSnapshots(scope, { signal })).map(({ name }) => name);
    const ours = ourFiles({ scope, record, listed });
    for (const name of ours) await peer.deleteSnapshot(scope, name, { signal });
    return ours;
  } catch (error) {
    if (isQdrantError(error, 'NotFound')) return [];
    throw error;
  }
}
