import { Double, type Json } from './json.ts';
import { isMulti, isNamed, isSparse } from './point-grpc.ts';
import type { Point, VectorValue } from './types.ts';

/** Tags, lengths and an id around the data of one point, at most. */
const POINT_OVERHEAD = 64;
const ENTRY_OVERHEAD = 16;

/** Bytes of a point in a gRPC request, at most: counted, not encoded. */
export function pointBytes({ vector, payload }: Point): number {
  const vectors = isNamed(vector) ? Object.entries(vector) : [['', vector] as const];
  const data = vectors.reduce((sum, [name, value]) => sum + ENTRY_OVERHEAD + textBytes(name) + vectorBytes(value), 0);
  return POINT_OVERHEAD + data + jsonBytes(payload);
}

/** Three bytes a UTF-16 unit is the most that UTF-8 takes: exact where that matters, cheap where it doesn't. */
const textBytes = (text: string): number => (text.length < 32 ? text.length * 3 : Buffer.byteLength(text));

function vectorBytes(vector: VectorValue): number {
  if (isSparse(vector)) return ENTRY_OVERHEAD + vector.indices.length * 5 + vector.values.length * 4;
  if (isMulti(vector)) return vector.reduce((sum, row) => sum + ENTRY_OVERHEAD + row.length * 4, 0);
  return ENTRY_OVERHEAD + vector.length * 4;
}

function jsonBytes(json: Json): number {
  if (typeof json === 'string') return ENTRY_OVERHEAD + textBytes(json);
  if (typeof json !== 'object' || json === null || json instanceof Double) return ENTRY_OVERHEAD;
  return Object.entries(json as Record<string, Json>).reduce(
    (sum, [key, value]) => sum + ENTRY_OVERHEAD + textBytes(key) + jsonBytes(value),
    ENTRY_OVERHEAD,
  );
}
