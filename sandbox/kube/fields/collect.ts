import { canonical, equal, isArray, isObject, type Json } from '../json.ts';
import { fieldSchema, itemKey, mergingOf, type Schema } from '../schema.ts';
import { emptySet, type FieldSet, isEmpty, leaf } from './field-set.ts';

/** The items of a mergeable list by path element, in order; undefined when it can't be keyed (then it is atomic). */
export function keyedItems(list: readonly Json[], schema: Schema | undefined): Map<string, Json> | undefined {
  const merging = mergingOf([...list], schema);
  const items = new Map<string, Json>();
  for (const item of list) {
    let element: string;
    if (merging.kind === 'list-set') element = `v:${canonical(item)}`;
    else if (merging.kind === 'list-map' && isObject(item)) {
      element = `k:${canonical(itemKey(item, merging.keys, schema?.items))}`;
    } else return undefined;
    if (items.has(element)) return undefined;
    items.set(element, item);
  }
  return items;
}

const isMap = (value: Json | undefined, schema: Schema | undefined): boolean =>
  isObject(value) && mergingOf(value, schema).kind === 'map';

const keyed = (value: Json | undefined, schema: Schema | undefined): Map<string, Json> | undefined =>
  isArray(value) && mergingOf(value, schema).kind !== 'leaf' ? keyedItems(value, schema) : undefined;

/** The fields that a value names: leaves, list items, entries of maps, and empty maps; an empty list names nothing. */
export function fieldsOf(value: Json | undefined, schema: Schema | undefined): FieldSet {
  const set = emptySet();
  if (isObject(value) && isMap(value, schema)) {
    for (const [name, child] of Object.entries(value)) {
      if (child === undefined) continue;
      const fields = fieldsOf(child, fieldSchema(schema, name));
      if (schema?.properties?.[name] === undefined) fields.member = true;
      if (!isEmpty(fields)) set.children.set(`f:${name}`, fields);
    }
  } else {
    const items = keyed(value, schema);
    for (const [element, item] of items ?? []) {
      const child = element.startsWith('v:') ? leaf() : fieldsOf(item, schema?.items);
      child.member = true;
      set.children.set(element, child);
    }
    if (items?.size === 0) return set;
  }
  if (set.children.size === 0)
    set.member = !isObject(value) || Object.keys(value).length === 0 || !isMap(value, schema);
  return set;
}

export type Difference = { readonly changed: FieldSet; readonly removed: FieldSet };

/** What changed (added or modified) and what was removed from `before` to `after`. */
export function compare(before: Json | undefined, after: Json | undefined, schema: Schema | undefined): Difference {
  if (equal(before, after)) return { changed: emptySet(), removed: emptySet() };
  if (before === undefined) return { changed: withContainers(after, schema), removed: emptySet() };
  if (after === undefined) return { changed: emptySet(), removed: withContainers(before, schema) };
  // Beside a container that holds something, null is an empty one. Source: structured-merge-diff `typed/compare.go`.
  if (after === null && holdsSomething(before)) return compare(before, Array.isArray(before) ? [] : {}, schema);
  if (before === null && holdsSomething(after)) return compare(Array.isArray(after) ? [] : {}, after, schema);
  if (isObject(before) && isObject(after) && isMap(before, schema)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return gather([...names], (name) => [`f:${name}`, compare(before[name], after[name], fieldSchema(schema, name))]);
  }
  const left = keyed(before, schema);
  const right = keyed(after, schema);
  if (left !== undefined && right !== undefined) {
    const elements = new Set([...left.keys(), ...right.keys()]);
    return gather([...elements], (element) => [
      element,
      compareItem(element, left.get(element), right.get(element), schema?.items),
    ]);
  }
  return { changed: leaf(), removed: emptySet() };
}

const holdsSomething = (value: Json): boolean =>
  isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;

function compareItem(element: string, before: Json | undefined, after: Json | undefined, schema: Schema | undefined) {
  const difference = compare(before, after, element.startsWith('v:') ? undefined : schema);
  if (before === undefined) difference.changed.member = true;
  if (after === undefined) difference.removed.member = true;
  return difference;
}

function gather(names: readonly string[], compareOne: (name: string) => [string, Difference]): Difference {
  const changed = emptySet();
  const removed = emptySet();
  for (const name of names) {
    const [element, difference] = compareOne(name);
    if (!isEmpty(difference.changed)) changed.children.set(element, difference.changed);
    if (!isEmpty(difference.removed)) removed.children.set(element, difference.removed);
  }
  return { changed, removed };
}

/** Like `fieldsOf`, naming the containers too: an update that adds a map owns the map. */
function withContainers(value: Json | undefined, schema: Schema | undefined): FieldSet {
  const set = emptySet();
  set.member = true;
  if (isObject(value) && isMap(value, schema)) {
    for (const [name, child] of Object.entries(value)) {
      if (child !== undefined) set.children.set(`f:${name}`, withContainers(child, fieldSchema(schema, name)));
    }
  } else {
    for (const [element, item] of keyed(value, schema) ?? []) {
      set.children.set(element, element.startsWith('v:') ? leaf() : withContainers(item, schema?.items));
    }
  }
  return set;
}
