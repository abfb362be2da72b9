import { hash } from 'node:crypto';
import { ByteWriter } from './byte-writer.ts';
import { canonicalJson } from './canonical-json.ts';

type Dense = readonly number[];
type Multi = readonly Dense[];
type Sparse = { readonly indices: readonly number[]; readonly values: readonly number[] };
type Vector = Dense | Multi | Sparse;

/** What of a point goes into its hash; the shape in which `src/qdrant` gives points. */
export type HashedPoint = {
  readonly id: number | bigint | string;
  readonly vector: Dense | Multi | { readonly [name: string]: Vector };
  readonly payload: object;
  readonly shardKey?: string | number;
};

export const HASH_TAGS = {
  integer: 1,
  uuid: 2,
  dense: 3,
  multi: 4,
  sparse: 5,
  noKey: 6,
  textKey: 7,
  numberKey: 8,
} as const;
const TAG = HASH_TAGS;
const UNNAMED = '';

const scratch = new ByteWriter();

/**
 * 128 bits over everything a client can see of a point: id, vectors (float32), payload, shard key.
 *
 * Equal points have equal hashes whether they were read by REST or by gRPC.
 * @throws TypeError for an id that is neither an unsigned integer nor a UUID
 */
export function pointHash(point: HashedPoint): bigint {
  scratch.clear();
  writeId(point.id);
  writeVectors(point.vector);
  scratch.text(canonicalJson(point.payload));
  writeShardKey(point.shardKey);
  return hashOf(scratch);
}

/** The first 128 bits of SHA-256 of what was written. */
export function hashOf(written: ByteWriter): bigint {
  const digest = hash('sha256', written.bytes(), 'buffer');
  return (digest.readBigUInt64BE(0) << 64n) | digest.readBigUInt64BE(8);
}

function writeId(id: HashedPoint['id']): void {
  if (typeof id !== 'string') {
    scratch.byte(TAG.integer);
    scratch.uint64(BigInt(id));
    return;
  }
  const digits = id.replaceAll('-', '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) throw new TypeError('a point id is an unsigned integer or a UUID');
  scratch.byte(TAG.uuid);
  scratch.uint64(BigInt(`0x${digits.slice(0, 16)}`));
  scratch.uint64(BigInt(`0x${digits.slice(16)}`));
}

function writeVectors(vector: HashedPoint['vector']): void {
  const named: [string, Vector][] = isList(vector)
    ? [[UNNAMED, vector]]
    : Object.entries(vector).toSorted(([a], [b]) => (a < b ? -1 : 1));
  scratch.uint32(named.length);
  for (const [name, value] of named) {
    scratch.text(name);
    writeVector(value);
  }
}

function writeVector(vector: Vector): void {
  if (!isList(vector)) {
    writeSparse(vector);
  } else if (isMulti(vector)) {
    scratch.byte(TAG.multi);
    scratch.uint32(vector.length);
    for (const row of vector) scratch.floats(row);
  } else {
    scratch.byte(TAG.dense);
    scratch.floats(vector);
  }
}

/** Qdrant gives sparse vectors back sorted by index (measured): the order they were sent in is no part of them. */
function writeSparse({ indices, values }: Sparse): void {
  const order = indices.map((_, at) => at).toSorted((a, b) => (indices[a] ?? 0) - (indices[b] ?? 0));
  scratch.byte(TAG.sparse);
  scratch.uint32(indices.length);
  for (const at of order) scratch.uint32(indices[at] ?? 0);
  scratch.floats(order.map((at) => values[at] ?? Number.NaN));
}

function writeShardKey(key: HashedPoint['shardKey']): void {
  if (key === undefined) {
    scratch.byte(TAG.noKey);
  } else if (typeof key === 'string') {
    scratch.byte(TAG.textKey);
    scratch.text(key);
  } else {
    scratch.byte(TAG.numberKey);
    scratch.uint64(BigInt(key));
  }
}

const isList = (vector: HashedPoint['vector'] | Vector): vector is Dense | Multi => Array.isArray(vector);
const isMulti = (vector: Dense | Multi): vector is Multi => Array.isArray(vector[0]);
