import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { parseKept } from '../../migration/index.ts';

const text = Type.String({ minLength: 1, maxLength: 2048 });
const count = Type.Integer({ minimum: 0 });
const shardKey = Type.Union([Type.String(), Type.Integer()]);
const section = Type.Record(Type.String(), Type.Unknown());

export const placeSchema = Type.Object({
  bucket: text,
  /** What keys begin with: ends with `/` or is empty. */
  prefix: Type.String({ maxLength: 1024 }),
  endpoint: Type.Optional(text),
  region: text,
});
/** Where a bucket is. */
export type BucketPlace = Static<typeof placeSchema>;

/** One shard's file. Each shard has one, whatever its number of replicas. */
const part = Type.Object({
  shard: count,
  key: Type.Optional(shardKey),
  /** Peer that made it; local parts lie there. */
  peer: text,
  /** Name that Qdrant gave it there, or key of the object in the bucket. */
  file: text,
  bytes: count,
  /** SHA-256 in hex. */
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});
export type Part = Static<typeof part>;

const manifest = Type.Object({
  version: Type.Literal(1),
  /** Name of the snapshot. */
  name: text,
  library: Type.Object({ namespace: text, name: text, uid: text }),
  /** QdrantCluster that the parts were made on. */
  cluster: text,
  /** Public name and physical collection. */
  alias: text,
  collection: text,
  generation: count,
  destination: Type.Union([Type.Literal('local'), Type.Literal('s3')]),
  /** Undefined: local. */
  bucket: Type.Optional(placeSchema),
  startedAt: text,
  createdAt: text,
  qdrantVersion: text,
  /** Exact, counted after the last part was made. */
  points: count,
  /** Order-independent digest of all points; only where reading before and after the parts were made gave the same. */
  digest: Type.Optional(Type.String({ pattern: '^\\d{1,16}-[0-9a-f]{32}$' })),
  parts: Type.Array(part, { maxItems: 4096 }),
  /** All shards and the peers that held replicas. */
  layout: Type.Array(
    Type.Object({ shard: count, key: Type.Optional(shardKey), replicas: Type.Array(Type.Integer()) }),
    { maxItems: 4096 },
  ),
  /** Names that led to the collection: Qdrant's own snapshots hold none. */
  aliases: Type.Array(text, { maxItems: 256 }),
  /** As Qdrant showed them, without the operator's mark. */
  config: section,
  payloadSchema: section,
});
/** What a snapshot is: without one it does not exist. Written last. */
export type Manifest = Static<typeof manifest>;

export const manifestSchema = manifest;

/** @returns undefined for a text that is no manifest of this version */
export const parseManifest = (json: string | undefined): Manifest | undefined => parseKept(manifest, json);

/** One SHA-256 for all parts: over theirs, in the order of shards. */
export function partsChecksum(parts: readonly Part[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of parts.toSorted((a, b) => a.shard - b.shard)) hash.update(sha256);
  return hash.digest('hex');
}

export const partsBytes = (parts: readonly Part[]): number => parts.reduce((sum, { bytes }) => sum + bytes, 0);
