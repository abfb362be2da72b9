import { ByteWriter, hashOf, HASH_TAGS as TAG } from '../vectors/index.ts';
import { signedAt, unsignedAt, WireReader } from './wire-reader.ts';

const scratch = new ByteWriter();

/** Field numbers of Qdrant's protobuf messages. Source: points.proto, json_with_int.proto, 1.18. */
const POINT = { id: 1, payload: 2, vectors: 4, shardKey: 5 } as const;
const DENSE = 101;
const VALUE = { double: 2, integer: 3, text: 4, boolean: 5, object: 6, list: 7 } as const;

/**
 * The hash that `pointHash` gives of the same point, made from the bytes in which gRPC gives it: nothing is decoded but
 * what is not a float or a plain text.
 *
 * @returns undefined for a point that has more than dense vectors: decode it
 */
export function wireHash(bytes: Buffer, withShardKey: boolean): bigint | undefined {
  const parts: { id?: Span; vectors?: Span; shardKey?: Span } = {};
  const payload: Entry[] = [];
  const reader = new WireReader(bytes);
  while (reader.next()) {
    const { number, start, end } = reader.field;
    if (number === POINT.payload) payload.push(entryAt(bytes, start, end));
    else if (number === POINT.id) parts.id = { start, end };
    else if (number === POINT.vectors) parts.vectors = { start, end };
    else if (number === POINT.shardKey) parts.shardKey = { start, end };
  }
  if (parts.id === undefined) return undefined;
  scratch.clear();
  writeId(bytes, parts.id);
  if (!writeVectors(bytes, parts.vectors)) return undefined;
  const mark = scratch.beginText();
  writeObject(bytes, payload);
  scratch.endText(mark);
  writeShardKey(bytes, withShardKey ? parts.shardKey : undefined);
  return hashOf(scratch);
}

type Span = { readonly start: number; readonly end: number };
type Entry = { readonly key: string; readonly value: Span | undefined };

/** An entry of a map from texts to messages. */
function entryAt(bytes: Buffer, from: number, to: number): Entry {
  let key = '';
  let value: Span | undefined;
  const reader = new WireReader(bytes, from, to);
  while (reader.next()) {
    const { number, start, end } = reader.field;
    if (number === 1) key = bytes.toString('utf8', start, end);
    else if (number === 2) value = { start, end };
  }
  return { key, value };
}

const byKey = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : 1);

function writeId(bytes: Buffer, { start, end }: Span): void {
  const reader = new WireReader(bytes, start, end);
  while (reader.next()) {
    const { field } = reader;
    if (field.number === 1) {
      scratch.byte(TAG.integer);
      scratch.uint64(BigInt(unsignedAt(bytes, field.start)));
    } else if (field.number === 2) {
      const digits = bytes.toString('latin1', field.start, field.end).replaceAll('-', '');
      scratch.byte(TAG.uuid);
      scratch.uint64(BigInt(`0x${digits.slice(0, 16)}`));
      scratch.uint64(BigInt(`0x${digits.slice(16)}`));
    }
  }
}

function writeVectors(bytes: Buffer, span: Span | undefined): boolean {
  if (span === undefined) {
    scratch.uint32(0);
    return true;
  }
  const reader = new WireReader(bytes, span.start, span.end);
  if (!reader.next()) {
    scratch.uint32(0);
    return true;
  }
  const { number, start, end } = reader.field;
  if (number === 1) {
    scratch.uint32(1);
    scratch.text('');
    return writeVector(bytes, { start, end });
  }
  const entries: Entry[] = [];
  const named = new WireReader(bytes, start, end);
  while (named.next()) entries.push(entryAt(bytes, named.field.start, named.field.end));
  scratch.uint32(entries.length);
  return entries.sort(byKey).every(({ key, value }) => {
    scratch.text(key);
    return value !== undefined && writeVector(bytes, value);
  });
}

/** False for what is no dense vector in the form that Qdrant gives since 1.17. */
function writeVector(bytes: Buffer, span: Span): boolean {
  const reader = new WireReader(bytes, span.start, span.end);
  let dense: Span | undefined;
  while (reader.next()) {
    if (reader.field.number !== DENSE) return false;
    dense = { start: reader.field.start, end: reader.field.end };
  }
  if (dense === undefined) return false;
  const data = new WireReader(bytes, dense.start, dense.end);
  // An empty list of floats is left out.
  if (!data.next() || data.field.wireType !== 2) return false;
  const { start, end } = data.field;
  if (data.next()) return false;
  scratch.byte(TAG.dense);
  scratch.packedFloats(bytes, start, end);
  return true;
}

function writeObject(bytes: Buffer, entries: Entry[]): void {
  if (entries.length > 1) entries.sort(byKey);
  let separator = '{';
  for (const { key, value } of entries) {
    scratch.ascii(separator);
    separator = ',';
    scratch.utf8(JSON.stringify(key));
    scratch.ascii(':');
    writeValue(bytes, value);
  }
  scratch.ascii(entries.length === 0 ? '{}' : '}');
}

function writeValue(bytes: Buffer, span: Span | undefined): void {
  const reader = span === undefined ? undefined : new WireReader(bytes, span.start, span.end);
  const { number, start, end } = reader?.next() === true ? reader.field : NULL_VALUE;
  if (number === VALUE.text) writeText(bytes, start, end);
  else if (number === VALUE.object) writeObject(bytes, entriesOf(bytes, { start, end }));
  else if (number === VALUE.list) writeList(bytes, { start, end });
  else scratch.ascii(scalarText(bytes, number, start));
}

const NULL_VALUE = { number: 1, start: 0, end: 0 } as const;

function scalarText(bytes: Buffer, number: number, start: number): string {
  if (number === VALUE.double) return doubleText(bytes.readDoubleLE(start));
  if (number === VALUE.integer) return `i${signedAt(bytes, start)}`;
  if (number === VALUE.boolean) return bytes[start] === 0 ? 'false' : 'true';
  return 'null';
}

const doubleText = (value: number): string => (Number.isFinite(value) ? `f${value === 0 ? 0 : value}` : 'null');

function entriesOf(bytes: Buffer, { start, end }: Span): Entry[] {
  const entries: Entry[] = [];
  const reader = new WireReader(bytes, start, end);
  while (reader.next()) entries.push(entryAt(bytes, reader.field.start, reader.field.end));
  return entries;
}

function writeList(bytes: Buffer, { start, end }: Span): void {
  const reader = new WireReader(bytes, start, end);
  let separator = '[';
  while (reader.next()) {
    scratch.ascii(separator);
    separator = ',';
    writeValue(bytes, { start: reader.field.start, end: reader.field.end });
  }
  scratch.ascii(separator === '[' ? '[]' : ']');
}

/** As JSON.stringify writes it; of UTF-8 only control characters, quotes and backslashes are changed by it. */
function writeText(bytes: Buffer, start: number, end: number): void {
  if (!isPlain(bytes, start, end)) {
    scratch.utf8(JSON.stringify(bytes.toString('utf8', start, end)));
    return;
  }
  scratch.ascii('"');
  scratch.copy(bytes, start, end);
  scratch.ascii('"');
}

function isPlain(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return false;
  }
  return true;
}

function writeShardKey(bytes: Buffer, span: Span | undefined): void {
  const reader = span === undefined ? undefined : new WireReader(bytes, span.start, span.end);
  if (reader?.next() !== true) {
    scratch.byte(TAG.noKey);
    return;
  }
  const { number, start, end } = reader.field;
  if (number === 1) {
    scratch.byte(TAG.textKey);
    scratch.text(bytes.toString('utf8', start, end));
  } else {
    scratch.byte(TAG.numberKey);
    scratch.uint64(BigInt(unsignedAt(bytes, start)));
  }
}
