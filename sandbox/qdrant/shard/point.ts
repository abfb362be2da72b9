import { EngineError } from '../base/errors.ts';
import { type Json, type JsonObject, stringifyJson } from '../base/json.ts';

/** Integers are numbers below 2^53 and BigInt above; UUIDs are lower-case strings with hyphens. */
export type PointId = number | bigint | string;
export type SparseVector = { readonly indices: Uint32Array; readonly values: Float32Array };
export type VectorValue = Float32Array | SparseVector | readonly Float32Array[];
/** By vector name; the unnamed vector is `''`. */
export type Vectors = Readonly<Record<string, VectorValue>>;
export type Payload = JsonObject;
export type Point = { readonly id: PointId; readonly vectors: Vectors; readonly payload: Payload };
/** `version` orders the writes of all peers: milliseconds, a counter and the writer's number. */
export type StoredPoint = Point & { readonly version: number };

const MAX_ID = 2n ** 64n - 1n;
const UUID = /^(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;

export function isSparse(value: VectorValue): value is SparseVector {
  return !Array.isArray(value) && 'indices' in value;
}

export function isMulti(value: VectorValue): value is readonly Float32Array[] {
  return Array.isArray(value);
}

/** Reads a point id; 400 in the server's words for anything else. */
export function parsePointId(value: Json | undefined): PointId {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === 'bigint' && value >= 0n && value <= MAX_ID) return normalizeInteger(value);
  const uuid = typeof value === 'string' ? UUID.exec(value) : null;
  if (uuid) return uuid.slice(1).join('-').toLowerCase();
  const shown = typeof value === 'string' ? value : stringifyJson(value);
  throw new EngineError(
    'Format',
    `value ${shown} is not a valid point ID, valid values are either an unsigned integer or a UUID`,
  );
}

export function normalizeInteger(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** Integers ascending, then UUIDs ascending: the order of scroll. */
export function compareIds(a: PointId, b: PointId): number {
  if (typeof a === 'string') return typeof b === 'string' ? (a < b ? -1 : a > b ? 1 : 0) : 1;
  if (typeof b === 'string') return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A stable 32-bit hash of an id (FNV-1a), for routing to shards. */
export function hashId(id: PointId): number {
  const text = String(id);
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // FNV's low bits follow the last digit; mixing keeps `% shards` even.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return hash >>> 0;
}
