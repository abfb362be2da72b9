import type { Json, JsonObject } from '../base/json.ts';
import type { Point, PointId, StoredPoint, Vectors } from './point.ts';

/** What a payload or vector operation is about. */
export type Target = { readonly ids?: readonly PointId[]; readonly filter?: Json };
export type UpdateMode = 'upsert' | 'insert_only' | 'update_only';

/** One change of a shard, as the log and the peers carry it. */
export type ShardOperation =
  | { readonly kind: 'upsert'; readonly points: readonly Point[]; readonly mode?: UpdateMode; readonly filter?: Json }
  | { readonly kind: 'delete'; readonly target: Target }
  | { readonly kind: 'setPayload'; readonly target: Target; readonly payload: JsonObject; readonly key?: string }
  | { readonly kind: 'overwritePayload'; readonly target: Target; readonly payload: JsonObject }
  | { readonly kind: 'deletePayload'; readonly target: Target; readonly keys: readonly string[] }
  | { readonly kind: 'clearPayload'; readonly target: Target }
  | {
      readonly kind: 'updateVectors';
      readonly points: readonly { id: PointId; vectors: Vectors }[];
      readonly filter?: Json;
    }
  | { readonly kind: 'deleteVectors'; readonly target: Target; readonly names: readonly string[] }
  /** A transfer or snapshot: points with the versions they had. */
  | { readonly kind: 'load'; readonly points: readonly StoredPoint[] }
  | { readonly kind: 'clear' };

export type VersionedOperation = { readonly operation: ShardOperation; readonly version: number };

/** How many points an operation names, for rate limits; undefined when a filter decides. */
export function pointsNamed(operation: ShardOperation): number | undefined {
  switch (operation.kind) {
    case 'upsert':
    case 'updateVectors':
    case 'load':
      return operation.points.length;
    case 'clear':
      return 0;
    case 'delete':
    case 'setPayload':
    case 'overwritePayload':
    case 'deletePayload':
    case 'clearPayload':
    case 'deleteVectors':
      return operation.target.ids?.length;
  }
}

/** The server answers 404 when one of these is absent, unless the caller doesn't wait. */
export function idsThatMustExist(operation: ShardOperation): readonly PointId[] {
  switch (operation.kind) {
    case 'setPayload':
    case 'overwritePayload':
    case 'deletePayload':
      return operation.target.ids ?? [];
    case 'updateVectors':
      return operation.filter === undefined ? operation.points.map(({ id }) => id) : [];
    case 'upsert':
    case 'delete':
    case 'clearPayload':
    case 'deleteVectors':
    case 'load':
    case 'clear':
      return [];
  }
}
