import { pointHash } from '../vectors/index.ts';
import type { Payload, Point, PointId, PointVectors, ShardKey } from './types.ts';
import { wireHash } from './wire-hash.ts';
import { unsignedAt, varint, WireReader } from './wire-reader.ts';

/** Decodes the bytes of a RetrievedPoint. */
export type Decoder = (bytes: Buffer) => Point;

/**
 * A point as gRPC gave it, decoded only when somebody looks into it: decoding and encoding its floats takes ten times
 * as long as all else that copying and comparing do with a point (measured).
 */
export class WirePoint implements Point {
  readonly id: PointId;
  /** Undefined, too, where the target has no shard keys. */
  readonly shardKey?: ShardKey;
  readonly bytes: Buffer;
  readonly #decode: Decoder;
  readonly #withShardKey: boolean;
  #decoded: Point | undefined;

  constructor(bytes: Buffer, decode: Decoder, withShardKey = true) {
    this.bytes = bytes;
    this.#decode = decode;
    this.#withShardKey = withShardKey;
    const { id, shardKey } = headOf(bytes);
    this.id = id;
    if (shardKey !== undefined && withShardKey) this.shardKey = shardKey;
  }

  get vector(): PointVectors {
    return this.#point.vector;
  }

  get payload(): Payload {
    return this.#point.payload;
  }

  get #point(): Point {
    this.#decoded ??= this.#decode(this.bytes);
    return this.#decoded;
  }

  withoutShardKey(): WirePoint {
    return new WirePoint(this.bytes, this.#decode, false);
  }

  /** As `pointHash` gives it. */
  hash(): bigint {
    return wireHash(this.bytes, this.#withShardKey) ?? pointHash(this);
  }
}

/** The hash of a point, from its bytes where it has come with them. */
export const hashOfPoint = (point: Point): bigint => (point instanceof WirePoint ? point.hash() : pointHash(point));

function headOf(bytes: Buffer): { readonly id: PointId; readonly shardKey: ShardKey | undefined } {
  let id: PointId | undefined;
  let shardKey: ShardKey | undefined;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    const { number, wireType, start, end } = reader.field;
    if (number === 1) id = eitherOf(bytes, { start, end }, NUMBER_FIRST);
    else if (number === 5 && wireType === 2)
      shardKey = eitherOf(bytes, { start, end }, TEXT_FIRST) as ShardKey | undefined;
  }
  if (id === undefined) throw new RangeError('a point without an id');
  return { id, shardKey };
}

/** `version` is the number that the last change of the point has in its shard's own log of changes. */
export type PointVersion = { readonly id: PointId; readonly version: number | bigint };

/** Of the bytes of a ScoredPoint. */
export function versionOf(bytes: Buffer): PointVersion {
  const { id } = headOf(bytes);
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field.number === 5) return { id, version: unsignedAt(bytes, reader.field.start) };
  }
  return { id, version: 0 };
}

/** Field numbers of the number and of the text. */
const NUMBER_FIRST = { number: 1, text: 2 } as const;
const TEXT_FIRST = { number: 2, text: 1 } as const;

function eitherOf(
  bytes: Buffer,
  span: { readonly start: number; readonly end: number },
  fields: { readonly number: number; readonly text: number },
): PointId | undefined {
  const reader = new WireReader(bytes, span.start, span.end);
  if (!reader.next()) return undefined;
  const { number, start, end } = reader.field;
  if (number === fields.number) return unsignedAt(bytes, start);
  return number === fields.text ? bytes.toString('utf8', start, end) : undefined;
}

const PAYLOAD_READ = 2 * 8 + 2;
const PAYLOAD_WRITTEN = 3 * 8 + 2;

/**
 * A RetrievedPoint as a PointStruct with its length before it: the number of the payload's field is all that differs
 * between the two messages, in what a copy carries. Undefined for a point without vectors: decode it. Source: points.proto of Qdrant 1.18.
 */
export function toWritten({ bytes }: WirePoint): Buffer | undefined {
  const prefix = varint(bytes.length);
  const written = Buffer.allocUnsafe(prefix.length + bytes.length);
  const reader = new WireReader(bytes);
  let from = 0;
  let at = prefix.length;
  let whole = false;
  while (reader.next()) {
    const { number, end } = reader.field;
    const start = from;
    from = end;
    if (number !== 1 && number !== 2 && number !== 4) continue;
    bytes.copy(written, at, start, end);
    if (number === 4) whole = true;
    if (number === 2) {
      if (written[at] !== PAYLOAD_READ) throw new RangeError('a payload is not written as it should be');
      written[at] = PAYLOAD_WRITTEN;
    }
    at += end - start;
  }
  if (!whole) return undefined;
  const length = at - prefix.length;
  if (length === bytes.length) {
    prefix.copy(written);
    return written;
  }
  // Something was left out: its length may take fewer bytes.
  return Buffer.concat([varint(length), written.subarray(prefix.length, at)]);
}
