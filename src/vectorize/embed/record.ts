import { crc32 } from 'node:zlib';
import type { CacheEntry } from './cache.ts';

/** Bytes before the numbers: their length, CRC-32 of all that follows, the key's 32 bytes. */
export const HEAD = 40;
const KEY = 8;
/** 65 536 numbers: a longer record is damage. */
const MOST = 65_536 * 4;

/** One vector as bytes, little-endian. @param key 64 hex digits */
export function encodeRecord({ key, vector }: CacheEntry): Buffer {
  const record = Buffer.alloc(HEAD + vector.length * 4);
  record.writeUInt32LE(vector.length * 4, 0);
  record.write(key, KEY, 'hex');
  for (const [index, value] of vector.entries()) record.writeFloatLE(value, HEAD + index * 4);
  record.writeUInt32LE(crc32(record.subarray(KEY)), 4);
  return record;
}

/** Length of the record that begins here; undefined when none does, or not a whole and undamaged one. */
export function recordLength(bytes: Buffer): number | undefined {
  if (bytes.length < HEAD) return undefined;
  const numbers = bytes.readUInt32LE(0);
  const length = HEAD + numbers;
  if (numbers === 0 || numbers % 4 !== 0 || numbers > MOST || length > bytes.length) return undefined;
  return crc32(bytes.subarray(KEY, length)) === bytes.readUInt32LE(4) ? length : undefined;
}

export const recordKey = (record: Buffer): string => record.toString('hex', KEY, HEAD);

/** @param record whole and undamaged */
export function recordVector(record: Buffer): Float32Array {
  const vector = new Float32Array((record.length - HEAD) / 4);
  for (let index = 0; index < vector.length; index += 1) vector[index] = record.readFloatLE(HEAD + index * 4);
  return vector;
}
