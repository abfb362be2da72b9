import { clone, isArray, isObject, type Json, type JsonObject } from '../json.ts';
import { fieldSchema, mergingOf, type Schema } from '../schema.ts';
import { keyedItems } from './collect.ts';
import type { FieldSet } from './field-set.ts';

/** `live` with the fields of `config` laid over it: maps and keyed lists merge, everything else is replaced. */
export function mergeFields(
  live: Json | undefined,
  config: Json | undefined,
  schema: Schema | undefined,
): Json | undefined {
  if (config === undefined) return clone(live);
  if (isObject(live) && isObject(config) && mergingOf(config, schema).kind === 'map') {
    const merged: JsonObject = {};
    for (const name of new Set([...Object.keys(live), ...Object.keys(config)])) {
      merged[name] = mergeFields(live[name], config[name], fieldSchema(schema, name));
    }
    return merged;
  }
  if (isArray(live) && isArray(config) && mergingOf(config, schema).kind !== 'leaf') {
    const left = keyedItems(live, schema);
    const right = keyedItems(config, schema);
    if (left !== undefined && right !== undefined) return mergeItems(left, right, schema?.items);
  }
  return clone(config);
}

/** Source: structured-merge-diff `typed/merge.go`, `visitListItems`. */
function mergeItems(left: Map<string, Json>, right: Map<string, Json>, schema: Schema | undefined): Json[] {
  return mergedOrder([...left.keys()], [...right.keys()]).map(
    (element) => mergeFields(left.get(element), right.get(element), schema) ?? null,
  );
}

/** Items of both sides stand in the order of `right`; items of `left` alone keep their place among them. */
function mergedOrder(left: readonly string[], right: readonly string[]): string[] {
  const inRight = new Set(right);
  const inLeft = new Set(left);
  const shared = right.filter((element) => inLeft.has(element));
  let next = shared.shift();
  const order: string[] = [];
  const taken = new Set<string>();
  const takeRight = (element: string): void => {
    taken.add(element);
    order.push(element);
    if (element === next) next = shared.shift();
  };
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const mine = left[l];
    const other = right[r];
    if (mine !== undefined && mine === other) {
      takeRight(other);
      l += 1;
      r += 1;
      continue;
    }
    // A shared item that is not the one whose turn it is comes later.
    if (mine !== undefined && other !== undefined && inRight.has(mine) && next !== undefined && next !== mine) {
      l += 1;
      continue;
    }
    if (mine !== undefined && !inRight.has(mine)) {
      order.push(mine);
      l += 1;
      continue;
    }
    if (mine !== undefined && taken.has(mine)) l += 1;
    if (other === undefined) continue;
    takeRight(other);
    r += 1;
  }
  return order;
}

/**
 * `value` without the fields that are members of `set`; a member goes with all that stands below it. A map or list that
 * loses its last entry becomes null, which a custom kind then refuses. Source: structured-merge-diff `typed/remove.go`.
 */
export function removeFields(value: Json | undefined, set: FieldSet, schema: Schema | undefined): Json | undefined {
  if (set.children.size === 0) return value;
  if (isObject(value) && mergingOf(value, schema).kind === 'map') {
    const rest: JsonObject = {};
    for (const [name, child] of Object.entries(value)) {
      const below = set.children.get(`f:${name}`);
      if (below?.member === true) continue;
      rest[name] = below === undefined ? child : removeFields(child, below, fieldSchema(schema, name));
    }
    return Object.keys(rest).length === 0 && Object.keys(value).length > 0 ? null : rest;
  }
  const items = isArray(value) ? keyedItems(value, schema) : undefined;
  if (items === undefined) return value;
  const rest: Json[] = [];
  for (const [element, item] of items) {
    const below = set.children.get(element);
    if (below?.member === true) continue;
    rest.push(below === undefined ? item : (removeFields(item, below, schema?.items) ?? null));
  }
  return rest.length === 0 && items.size > 0 ? null : rest;
}
