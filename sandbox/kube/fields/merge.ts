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

/** Items of both sides stand in the order of `right`; items of `left` alone keep their place among them. */
function mergeItems(left: Map<string, Json>, right: Map<string, Json>, schema: Schema | undefined): Json[] {
  const shared = [...right.keys()].filter((element) => left.has(element));
  const order: string[] = [];
  const pendingRight = [...right.keys()];
  const takeRightUpTo = (element: string): void => {
    while (pendingRight.length > 0) {
      const next = pendingRight.shift();
      if (next !== undefined) order.push(next);
      if (next === element) return;
    }
  };
  for (const element of left.keys()) {
    if (!right.has(element)) order.push(element);
    else {
      const next = shared.shift();
      if (next !== undefined) takeRightUpTo(next);
    }
  }
  order.push(...pendingRight);
  return order.map((element) => mergeFields(left.get(element), right.get(element), schema) ?? null);
}

/** `value` without the fields that are members of `set`; a member goes with all that stands below it. */
export function removeFields(value: Json | undefined, set: FieldSet, schema: Schema | undefined): Json | undefined {
  if (set.children.size === 0) return value;
  if (isObject(value) && mergingOf(value, schema).kind === 'map') {
    const rest: JsonObject = {};
    for (const [name, child] of Object.entries(value)) {
      const below = set.children.get(`f:${name}`);
      if (below?.member === true) continue;
      rest[name] = below === undefined ? child : removeFields(child, below, fieldSchema(schema, name));
    }
    return rest;
  }
  const items = isArray(value) ? keyedItems(value, schema) : undefined;
  if (items === undefined) return value;
  const rest: Json[] = [];
  for (const [element, item] of items) {
    const below = set.children.get(element);
    if (below?.member === true) continue;
    rest.push(below === undefined ? item : (removeFields(item, below, schema?.items) ?? null));
  }
  return rest;
}
