import { asArray, clone, equal, isArray, isObject, type Json, type JsonObject } from '../json.ts';
import { fieldSchema, type Schema } from '../schema.ts';
import { badRequest } from '../status.ts';

const DIRECTIVE = '$patch';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';
const RETAIN = '$retainKeys';

/** Strategic merge patch as kubectl writes it. Source: apimachinery `strategicpatch`. */
export function strategicPatch(document: Json | undefined, patch: Json, schema: Schema | undefined): Json {
  if (!isObject(patch)) return clone(patch);
  if (patch[DIRECTIVE] === 'replace') return clone(without(patch, [DIRECTIVE]));
  if (patch[DIRECTIVE] === 'delete') return {};
  const result: JsonObject = isObject(document) ? { ...document } : {};
  const retained = patch[RETAIN];
  if (isArray(retained)) for (const name of Object.keys(result)) if (!retained.includes(name)) delete result[name];
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined || name.startsWith('$')) continue;
    if (value === null) delete result[name];
    else result[name] = patchField(result[name], value, fieldSchema(schema, name));
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(DELETE_PRIMITIVES))
      removePrimitives(result, name.slice(DELETE_PRIMITIVES.length), asArray(value));
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(ORDER)) reorder(result, name.slice(ORDER.length), { order: asArray(value), schema });
  }
  return result;
}

function patchField(current: Json | undefined, value: Json, schema: Schema | undefined): Json {
  if (!isArray(value)) return strategicPatch(current, value, schema);
  const key = schema?.['x-kubernetes-patch-merge-key'];
  if (key !== undefined) return mergeByKey(asArray(current), value, { key, schema });
  if (schema?.['x-kubernetes-list-type'] !== 'set') return clone(value);
  return [...asArray(current), ...value.filter((item) => !asArray(current).some((other) => equal(other, item)))];
}

function mergeByKey(
  current: readonly Json[],
  patch: readonly Json[],
  options: { key: string; schema: Schema | undefined },
): Json[] {
  const { key, schema } = options;
  if (patch.some((item) => isObject(item) && item[DIRECTIVE] === 'replace' && item[key] === undefined)) {
    return clone(patch.filter((item) => !isObject(item) || item[DIRECTIVE] === undefined));
  }
  const result = [...current];
  for (const item of patch) {
    if (!isObject(item) || item[key] === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const index = result.findIndex((other) => isObject(other) && equal(other[key], item[key]));
    if (item[DIRECTIVE] === 'delete') {
      if (index >= 0) result.splice(index, 1);
    } else if (index < 0) result.push(strategicPatch(undefined, item, schema?.items));
    else result[index] = strategicPatch(result[index], item, schema?.items);
  }
  return result;
}

function removePrimitives(target: JsonObject, name: string, values: readonly Json[]): void {
  const list = target[name];
  if (isArray(list)) target[name] = list.filter((item) => !values.some((value) => equal(value, item)));
}

/** Named items in the given order first, the others after the item they followed. */
function reorder(
  target: JsonObject,
  name: string,
  options: { order: readonly Json[]; schema: Schema | undefined },
): void {
  const list = target[name];
  if (!isArray(list)) return;
  const key = fieldSchema(options.schema, name)?.['x-kubernetes-patch-merge-key'];
  const identity = (item: Json): Json => (key !== undefined && isObject(item) ? (item[key] ?? null) : item);
  const wanted = options.order.map(identity);
  const named = list.filter((item) => wanted.some((value) => equal(value, identity(item))));
  const queue = named.toSorted((a, b) => position(wanted, identity(a)) - position(wanted, identity(b)));
  target[name] = list.map((item) => (named.includes(item) ? (queue.shift() ?? item) : item));
}

const position = (order: readonly Json[], value: Json): number => order.findIndex((other) => equal(other, value));

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
