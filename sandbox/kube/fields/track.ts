import { isObject, type JsonObject, omit } from '../json.ts';
import type { ManagedFieldsEntry } from '../objects.ts';
import { fieldSchema, type Schema } from '../schema.ts';
import { compare, fieldsOf } from './collect.ts';
import { Conflict, conflictsWith } from './conflict.ts';
import { difference, emptySet, type FieldSet, fromJson, isEmpty, sameSet, union } from './field-set.ts';
import { decodeManagers, encodeManagers, type Manager, type ManagerId, sameManager } from './managers.ts';
import { mergeFields, removeFields } from './merge.ts';

/** Metadata that no manager owns. Source: apimachinery `managedfields/internal/stripmeta.go`. */
const UNOWNED = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
]);

/** The object as far as managers can own it. */
function ownable(object: JsonObject | undefined): JsonObject | undefined {
  if (object === undefined) return undefined;
  const { metadata } = object;
  const rest = omit(object, 'apiVersion', 'kind', 'metadata');
  if (!isObject(metadata)) return rest;
  const entries = Object.entries(metadata).filter(([name, value]) => !UNOWNED.has(name) && value !== undefined);
  return entries.length === 0 ? rest : { ...rest, metadata: Object.fromEntries(entries) };
}

/** Every apply names the object, so its metadata as a whole is never dropped. */
const IDENTITY = fromJson({ 'f:metadata': { 'f:name': {} } });

type Writer = ManagerId & { readonly time: string };

/** managedFields after a write that is no apply: the writer owns what it changed, everyone loses what went away. */
export function trackUpdate(
  before: { readonly object: JsonObject | undefined; readonly entries: readonly ManagedFieldsEntry[] | undefined },
  after: JsonObject,
  options: { readonly schema: Schema | undefined; readonly writer: Writer },
): ManagedFieldsEntry[] {
  const { schema, writer } = options;
  const managers = decodeManagers(before.entries);
  const live = ownable(before.object) ?? {};
  const delta = compare(live, ownable(after) ?? {}, schema);
  for (const section of ['f:metadata', 'f:spec']) {
    const top = delta.changed.children.get(section);
    if (top !== undefined && top.children.size > 0) top.member = false;
  }
  if (isEmpty(delta.changed) && isEmpty(delta.removed)) return encodeManagers(managers);
  const mine = managers.find((manager) => sameManager(manager, writer));
  const fields = difference(union(mine?.fields ?? emptySet(), delta.changed), delta.removed);
  const others = withoutFields(withoutManager(managers, writer), union(delta.changed, delta.removed));
  return encodeManagers([...others, stamped(mine, writer, fields)]);
}

export type Applied = { readonly object: JsonObject; readonly entries: ManagedFieldsEntry[] };

/**
 * Server-side apply: `config` laid over `live`, without the fields that its manager no longer names and nobody else owns.
 *
 * @throws Conflict when another manager owns a changed field and `force` is false
 * Source: structured-merge-diff `merge/update.go`.
 */
export function applyFields(
  live: { readonly object: JsonObject | undefined; readonly entries: readonly ManagedFieldsEntry[] | undefined },
  config: JsonObject,
  options: { readonly schema: Schema | undefined; readonly writer: Writer; readonly force: boolean },
): Applied {
  const { schema, writer } = options;
  const wanted = rootless(fieldsOf(ownable(config) ?? {}, schema));
  const known = decodeManagers(live.entries);
  // Who claims nothing can't get into a conflict with those before him.
  const managers = isEmpty(wanted) ? known : withFirstApply(known, live.object, schema);
  const mine = managers.find((manager) => sameManager(manager, writer));
  const others = withoutManager(managers, writer);
  const merged = live.object === undefined ? config : asObjectOf(mergeFields(live.object, config, schema));
  const owners = [wanted, IDENTITY, ...others.map((other) => other.fields)];
  const dropped = unowned(difference(mine?.fields ?? emptySet(), wanted), owners, schema);
  const object = asObjectOf(removeFields(merged, dropped, schema));
  const delta = compare(ownable(live.object) ?? {}, ownable(object) ?? {}, schema);
  const conflicts = conflictsWith(others, delta.changed);
  if (conflicts.length > 0 && !options.force) throw new Conflict(conflicts);
  const rest = withoutFields(others, union(delta.changed, delta.removed));
  return { object, entries: encodeManagers([...rest, stamped(mine, writer, wanted)]) };
}

/** An object from before managedFields were kept: everything in it belongs to a manager of that name. */
function withFirstApply(managers: Manager[], live: JsonObject | undefined, schema: Schema | undefined): Manager[] {
  if (managers.length > 0 || live === undefined) return managers;
  const apiVersion = typeof live['apiVersion'] === 'string' ? live['apiVersion'] : '';
  const fields = rootless(fieldsOf(ownable(live) ?? {}, schema));
  return [{ name: 'before-first-apply', operation: 'Update', apiVersion, subresource: '', time: '', fields }];
}

/** The object itself is nobody's field. */
const rootless = (set: FieldSet): FieldSet => ({ ...set, member: false });

const withoutManager = (managers: readonly Manager[], id: ManagerId): Manager[] =>
  managers.filter((manager) => !sameManager(manager, id));

const withoutFields = (managers: readonly Manager[], fields: FieldSet): Manager[] =>
  managers.map((manager) => ({ ...manager, fields: difference(manager.fields, fields) }));

/** The manager's new entry; its time moves only when its fields do. */
function stamped(before: Manager | undefined, writer: Writer, fields: FieldSet): Manager {
  if (before !== undefined && before.apiVersion === writer.apiVersion && sameSet(before.fields, fields)) return before;
  const { name, operation, apiVersion, subresource, time } = writer;
  return { name, operation, apiVersion, subresource, time, fields };
}

/**
 * What goes away with `set`: its members that no owner names. A field that the schema declares goes with all it holds,
 * defaults included, once nobody names anything in it; an entry of a map goes field by field.
 *
 * Source: structured-merge-diff `EnsureNamedFieldsAreMembers`, `Updater.prune`.
 */
function unowned(set: FieldSet, owners: readonly FieldSet[], schema: Schema | undefined): FieldSet {
  const result = emptySet();
  for (const [element, child] of set.children) {
    const below = owners.flatMap((owner) => owner.children.get(element) ?? []);
    const name = element.startsWith('f:') ? element.slice(2) : undefined;
    const rest = unowned(child, below, name === undefined ? schema?.items : fieldSchema(schema, name));
    const isDeclared = name !== undefined && schema?.properties?.[name] !== undefined;
    rest.member = below.length === 0 && (child.member || isDeclared);
    if (!isEmpty(rest)) result.children.set(element, rest);
  }
  return result;
}

const asObjectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
