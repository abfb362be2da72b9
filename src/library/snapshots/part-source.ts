import { isQdrantError } from '../../qdrant/index.ts';
import type { Bucket } from './bucket.ts';
import { TaskFailure } from './failure.ts';
import type { Working } from './make.ts';
import type { Manifest, Part } from './manifest.ts';

export type PartSource = {
  /** @throws TaskFailure `PartMissing`, `ChecksumWrong` */
  check(part: Part): Promise<void>;
  open(part: Part): Promise<AsyncIterable<Buffer>>;
};

type Options = Pick<Working, 'client' | 'signal'> & {
  readonly manifest: Manifest;
  readonly bucket: Bucket | undefined;
};

export const partSource = (options: Options): PartSource =>
  options.manifest.destination === 'local' ? onPeers(options) : inBucket(options);

const LASTING = { lasting: true } as const;

function inBucket({ bucket }: Options): PartSource {
  if (bucket === undefined) throw new TaskFailure('SnapshotNotFound', 'spec.snapshots names no bucket', LASTING);
  return {
    check: async ({ file, bytes, shard }) => {
      const kept = await bucket.size(file);
      if (kept === undefined)
        throw new TaskFailure('PartMissing', `${file}, the part of shard ${shard}, is gone`, LASTING);
      if (kept === bytes) return;
      throw new TaskFailure('ChecksumWrong', `${file} has ${kept} bytes, ${bytes} were written`, LASTING);
    },
    open: async ({ file }) => bucket.get(file),
  };
}

function onPeers({ client, manifest, signal }: Options): PartSource {
  const scopeOf = (part: Part) => ({ collection: manifest.collection, shard: part.shard });
  return {
    check: async (part) => {
      const where = `${part.file}, the part of shard ${part.shard} on ${part.peer},`;
      if (!client.peers.some(({ name }) => name === part.peer)) {
        throw new TaskFailure('PartMissing', `${where} is gone with that peer`, LASTING);
      }
      const listed = await client
        .peer(part.peer)
        .listSnapshots(scopeOf(part), { signal })
        .catch((error: unknown) => {
          if (isQdrantError(error, 'NotFound')) return [];
          throw error;
        });
      const found = listed.find(({ name }) => name === part.file);
      if (found === undefined) throw new TaskFailure('PartMissing', `${where} is gone`, LASTING);
      if (found.size !== part.bytes || found.checksum !== part.sha256) {
        throw new TaskFailure('ChecksumWrong', `${where} has another size or checksum than when it was made`, LASTING);
      }
    },
    // Without Qdrant's own checksum: it would be that of the file as it is now. The target compares the one recorded.
    open: async (part) =>
      (await client.peer(part.peer).downloadSnapshot(scopeOf(part), part.file, { signal, checksum: part.sha256 })).body,
  };
}
