import { isObject, type Json, type JsonObject } from '../base/json.ts';
import { compileFilter } from './filter.ts';
import type { ShardOperation, Target, VersionedOperation } from './operations.ts';
import type { Point, PointId, StoredPoint } from './point.ts';

type Store = { readonly points: Map<PointId, StoredPoint>; readonly tombstones: Map<PointId, number> };
const TOMBSTONES = 10_000;

/**
 * Applies one change to a shard. The same changes in any order of arrival end in the same points as long as each
 * names whole points: an older write never replaces a newer one, nor revives a deleted point.
 */
export function applyOperation(store: Store, change: VersionedOperation): void {
  const { operation, version } = change;
  switch (operation.kind) {
    case 'upsert':
      for (const point of operation.points) upsert(store, point, change);
      return;
    case 'load':
      for (const point of operation.points) put(store, point);
      return;
    case 'clear':
      store.points.clear();
      store.tombstones.clear();
      return;
    case 'delete':
      for (const id of operation.target.ids ?? targets(store, operation.target).map((point) => point.id)) {
        remove(store, id, version);
      }
      return;
    case 'updateVectors': {
      const filter = compileFilter(operation.filter);
      for (const { id, vectors } of operation.points) {
        const point = store.points.get(id);
        if (point === undefined || (filter && !filter.matches(point))) continue;
        replace(store, { ...point, vectors: { ...point.vectors, ...vectors } }, version);
      }
      return;
    }
    case 'deleteVectors':
      for (const point of targets(store, operation.target)) {
        const kept = Object.entries(point.vectors).filter(([name]) => !operation.names.includes(name));
        replace(store, { ...point, vectors: Object.fromEntries(kept) }, version);
      }
      return;
    case 'setPayload':
    case 'overwritePayload':
    case 'deletePayload':
    case 'clearPayload':
      for (const point of targets(store, operation.target)) {
        replace(store, { ...point, payload: changedPayload(point.payload, operation) }, version);
      }
  }
}

function upsert(store: Store, point: Point, change: VersionedOperation): void {
  const { operation, version } = change;
  if (operation.kind !== 'upsert') return;
  const present = store.points.get(point.id);
  if (operation.mode === 'insert_only' && present) return;
  if (operation.mode === 'update_only' && !present) return;
  // New ids are inserted whatever the filter says.
  if (operation.filter !== undefined && present && !compileFilter(operation.filter)?.matches(present)) return;
  put(store, { ...point, version });
}

function put(store: Store, point: StoredPoint): void {
  const newest = Math.max(store.points.get(point.id)?.version ?? -1, store.tombstones.get(point.id) ?? -1);
  if (newest > point.version) return;
  store.points.set(point.id, point);
  store.tombstones.delete(point.id);
}

function replace(store: Store, point: StoredPoint, version: number): void {
  store.points.set(point.id, { ...point, version: Math.max(point.version, version) });
}

function remove(store: Store, id: PointId, version: number): void {
  const present = store.points.get(id);
  if (present && present.version > version) return;
  store.points.delete(id);
  store.tombstones.set(id, Math.max(version, store.tombstones.get(id) ?? 0));
  if (store.tombstones.size > TOMBSTONES) store.tombstones.delete(store.tombstones.keys().next().value ?? id);
}

function targets(store: Store, target: Target): StoredPoint[] {
  if (target.ids) return target.ids.flatMap((id) => store.points.get(id) ?? []);
  const filter = compileFilter(target.filter);
  return [...store.points.values()].filter((point) => filter === undefined || filter.matches(point));
}

type PayloadOperation = Extract<
  ShardOperation,
  { kind: 'setPayload' | 'overwritePayload' | 'deletePayload' | 'clearPayload' }
>;

function changedPayload(payload: JsonObject, operation: PayloadOperation): JsonObject {
  switch (operation.kind) {
    case 'setPayload':
      return operation.key === undefined
        ? withoutNulls({ ...payload, ...operation.payload })
        : mergeAt(payload, operation.key.split('.'), operation.payload);
    case 'overwritePayload':
      return operation.payload;
    case 'deletePayload':
      return operation.keys.reduce((rest, key) => removeAt(rest, key.split('.')), payload);
    case 'clearPayload':
      return {};
  }
}

// `undefined` never reaches the log: serialised values would differ from what REST shows.
function withoutNulls(payload: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
}

function mergeAt(payload: JsonObject, path: readonly string[], patch: JsonObject): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) return { ...payload, ...patch };
  const inner: Json | undefined = payload[name];
  return { ...payload, [name]: mergeAt(isObject(inner) ? inner : {}, rest, patch) };
}

function removeAt(payload: JsonObject, path: readonly string[]): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined || !(name in payload)) return payload;
  if (rest.length === 0) return Object.fromEntries(Object.entries(payload).filter(([key]) => key !== name));
  const inner = payload[name];
  return isObject(inner) ? { ...payload, [name]: removeAt(inner, rest) } : payload;
}
