import { deserialize, serialize } from 'node:v8';
import { EngineError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { StoredPoint } from '../shard/point.ts';
import type { Shard } from '../shard/shard.ts';
import type { CollectionConfig, CollectionState, ShardKey } from '../state/types.ts';

/** First frame of an archive. The format is the engine's own: a real server can't read it, nor this one a real archive. */
export type ArchiveHeader = {
  readonly format: 'embedded-qdrant-snapshot';
  readonly kind: 'collection' | 'shard';
  readonly config: CollectionConfig;
  readonly payloadSchema: Readonly<Record<string, JsonObject>>;
  readonly shards: readonly { readonly id: number; readonly key?: ShardKey }[];
};
type PointsFrame = { readonly shardId: number; readonly points: readonly StoredPoint[] };
export type Archive = { readonly header: ArchiveHeader; readonly points: ReadonlyMap<number, readonly StoredPoint[]> };

const HEADER = 4;

function frame(value: ArchiveHeader | PointsFrame): Buffer {
  const body = serialize(value);
  const head = Buffer.allocUnsafe(HEADER);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

/** The archive of these local shards, piece by piece. */
export function* archiveFrames(
  collection: CollectionState,
  options: { kind: ArchiveHeader['kind']; shards: readonly { id: number; shard: Shard }[] },
): Generator<Buffer> {
  const keys = new Map(collection.shards.map(({ id, key }) => [id, key]));
  yield frame({
    format: 'embedded-qdrant-snapshot',
    kind: options.kind,
    config: collection.config,
    payloadSchema: collection.payloadSchema,
    shards: options.shards.map(({ id }) => {
      const key = keys.get(id);
      return key === undefined ? { id } : { id, key };
    }),
  });
  for (const { id, shard } of options.shards)
    for (const points of shard.batches()) yield frame({ shardId: id, points });
}

/** @throws EngineError 400 for what is no archive of this engine, or is cut short */
export function readArchive(bytes: Buffer): Archive {
  const points = new Map<number, StoredPoint[]>();
  let header: ArchiveHeader | undefined;
  for (let position = 0; position < bytes.length; ) {
    const value = readFrame(bytes, position);
    position = value.next;
    if (header === undefined) header = headerOf(value.content);
    else {
      const part = value.content as PointsFrame;
      points.set(part.shardId, [...(points.get(part.shardId) ?? []), ...part.points]);
    }
  }
  if (!header) throw broken();
  return { header, points };
}

function readFrame(bytes: Buffer, position: number): { content: unknown; next: number } {
  const end = position + HEADER <= bytes.length ? position + HEADER + bytes.readUInt32LE(position) : Number.NaN;
  if (!(end <= bytes.length)) throw broken();
  try {
    return { content: deserialize(bytes.subarray(position + HEADER, end)), next: end };
  } catch {
    throw broken();
  }
}

function headerOf(content: unknown): ArchiveHeader {
  const header = content as Partial<ArchiveHeader> | null;
  if (header?.format === 'embedded-qdrant-snapshot') return header as ArchiveHeader;
  throw broken();
}

const broken = (): EngineError => new EngineError('BadInput', 'Failed to read snapshot archive: not a snapshot');
