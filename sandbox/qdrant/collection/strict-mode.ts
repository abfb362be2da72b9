import { EngineError } from '../base/errors.ts';
import { isArray, isObject, type Json, type JsonObject } from '../base/json.ts';
import { compileFilter } from '../shard/filter.ts';
import type { ShardOperation } from '../shard/operations.ts';
import type { CollectionState } from '../state/types.ts';

function setting(collection: CollectionState, name: string): Json | undefined {
  const strict = collection.config.strict_mode_config;
  return strict?.enabled === true ? strict[name] : undefined;
}

/** 400 when `value` is over the collection's limit of that name. */
function limit(collection: CollectionState, check: { setting: string; value: number; label: string }): void {
  const most = setting(collection, check.setting);
  if (typeof most !== 'number' || check.value <= most) return;
  const { label } = check;
  throw new EngineError(
    'BadRequest',
    `Limit exceeded ${check.value} > ${most} for "${label}". Help: Reduce the "${label}" parameter to or below ${most}.`,
  );
}

/** What strict mode says to a write; `points` = how many the collection has. */
export function checkWrite(collection: CollectionState, operation: ShardOperation, points: () => number): void {
  if (operation.kind === 'upsert') {
    limit(collection, { setting: 'upsert_max_batchsize', value: operation.points.length, label: 'upsert limit' });
    const most = setting(collection, 'max_points_count');
    if (typeof most === 'number' && points() >= most) {
      throw new EngineError('BadRequest', `Max points count limit of ${most} reached!`);
    }
  }
  if ('target' in operation) checkIndexed(collection, operation.target.filter, 'unindexed_filtering_update');
}

export function checkTimeout(collection: CollectionState, milliseconds: number | undefined): void {
  if (milliseconds === undefined) return;
  limit(collection, { setting: 'max_timeout', value: milliseconds / 1000, label: 'timeout' });
}

export function checkRead(
  collection: CollectionState,
  request: { limit?: number | undefined; filter?: Json | undefined },
): void {
  if (request.limit !== undefined)
    limit(collection, { setting: 'max_query_limit', value: request.limit, label: 'limit' });
  checkIndexed(collection, request.filter, 'unindexed_filtering_retrieve');
}

function checkIndexed(collection: CollectionState, filter: Json | undefined, name: string): void {
  if (setting(collection, name) !== false) return;
  const key = compileFilter(filter)?.keys.find((candidate) => collection.payloadSchema[candidate] === undefined);
  if (key === undefined) return;
  throw new EngineError(
    'BadRequest',
    `Index required but not found for "${key}" of one of the following types: [${typeWanted(filter, key)}]. Help: Create an index for this key or use a different filter.`,
  );
}

/** The type of index that the condition on a key asks for. */
function typeWanted(filter: Json | undefined, key: string): string {
  const condition = conditionOn(filter, key);
  const value = isObject(condition?.match) ? condition.match.value : undefined;
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'number' || typeof value === 'bigint' ? 'integer' : 'keyword';
}

function conditionOn(filter: Json | undefined, key: string): JsonObject | undefined {
  if (isArray(filter)) {
    for (const item of filter) {
      const found = conditionOn(item, key);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isObject(filter)) return undefined;
  return filter.key === key
    ? filter
    : conditionOn(
        Object.values(filter).filter((part) => part !== undefined),
        key,
      );
}
