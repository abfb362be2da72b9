import { isObject, type JsonObject, omit } from '../json.ts';
import type { ManagedFieldsEntry } from '../objects.ts';
import { fieldSchema, type Schema } from '../schema.ts';
import { compare, fieldsOf } from './collect.ts';
import { Conflict, conflictsWith } from './conflict.ts';
import { difference, emptySet, type FieldSet, fromJson, isEmpty, union } from './field-set.ts';
import { followLastApplied, KUBECTL, takenOver } from './last-applied.ts';
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
  // An object of nobody stays so until it is applied. Source: apimachinery `managedfields/internal/skipnonapplied.go`.
  if (before.object !== undefined && managers.length === 0) return [];
  const live = ownable(before.object) ?? NOTHING[schema?.['x-model'] ?? ''] ?? {};
  const delta = compare({ metadata: {}, ...live }, { metadata: {}, ...ownable(after) }, schema);
  const gone = union(delta.changed, delta.removed);
  if (isEmpty(gone)) return encodeManagers(managers);
  const kept = withoutFields(managers, gone);
  // Who only takes away gets no entry, and his time stays.
  if (isEmpty(delta.changed)) return encodeManagers(kept);
  const mine = managers.find((manager) => sameManager(manager, writer));
  const fields = difference(union(mine?.fields ?? emptySet(), delta.changed), delta.removed);
  return encodeManagers([...withoutManager(kept, writer), { ...writer, fields }]);
}

const TEMPLATE: JsonObject = { metadata: {}, spec: { containers: [] } };

/** What a Go struct says of an object with nothing in it: a new object sets none of these. Custom kinds have no struct. */
const NOTHING: { readonly [model: string]: JsonObject } = {
  V1Pod: { spec: { containers: [] }, status: {} },
  V1Service: { spec: {}, status: {} },
  V1StatefulSet: { spec: { template: TEMPLATE }, status: {} },
  V1Deployment: { spec: { template: TEMPLATE, strategy: {} }, status: {} },
  V1ReplicaSet: { spec: { template: TEMPLATE }, status: {} },
  V1Job: { spec: { template: TEMPLATE }, status: {} },
  V1PersistentVolumeClaim: { spec: { resources: {} }, status: {} },
  V1PersistentVolume: { spec: {}, status: {} },
  V1PodDisruptionBudget: { spec: {}, status: {} },
  V1NetworkPolicy: { spec: {} },
  V1Lease: { spec: {} },
  V1Namespace: { spec: {}, status: {} },
  V1Node: { spec: {}, status: {} },
  V1RoleBinding: { roleRef: {} },
  V1ClusterRoleBinding: { roleRef: {} },
  V1CustomResourceDefinition: { spec: {}, status: {} },
  CoreV1Event: {
    source: {},
    involvedObject: {},
    eventTime: null,
    firstTimestamp: null,
    lastTimestamp: null,
    reportingComponent: '',
    reportingInstance: '',
  },
  EventsV1Event: {
    deprecatedSource: {},
    regarding: {},
    eventTime: null,
    deprecatedFirstTimestamp: null,
    deprecatedLastTimestamp: null,
  },
};

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
  const managers = isEmpty(wanted) ? known : withFirstApply(known, live.object, options);
  const mine = managers.find((manager) => sameManager(manager, writer));
  const others = withoutManager(managers, writer);
  const merged = live.object === undefined ? config : asObjectOf(mergeFields(live.object, config, schema));
  const owners = [wanted, IDENTITY, ...others.map((other) => other.fields)];
  const dropped = unowned(difference(mine?.fields ?? emptySet(), wanted), owners, schema);
  const object = asObjectOf(removeFields(merged, dropped, schema));
  const delta = compare(ownable(live.object) ?? {}, ownable(object) ?? {}, schema);
  const isKubectl = writer.name === KUBECTL;
  const allowed = isKubectl ? takenOver(live.object, schema) : emptySet();
  const conflicts = conflictsWith(others, difference(delta.changed, allowed));
  if (conflicts.length > 0 && !options.force) throw new Conflict(conflicts);
  if (isKubectl) followLastApplied(object, config);
  const rest = withoutFields(others, union(delta.changed, delta.removed));
  // The time is that of the last apply that changed the object; a claim alone has none.
  const time = isEmpty(delta.changed) && isEmpty(delta.removed) ? (mine?.time ?? '') : writer.time;
  return { object, entries: encodeManagers([...rest, { ...writer, time, fields: wanted }]) };
}

/** An object from before managedFields were kept: everything in it belongs to a manager of that name. */
function withFirstApply(
  managers: Manager[],
  live: JsonObject | undefined,
  { schema, writer }: { readonly schema: Schema | undefined; readonly writer: Writer },
): Manager[] {
  if (managers.length > 0 || live === undefined) return managers;
  const before = { ...writer, name: 'before-first-apply', operation: 'Update', subresource: '' } as const;
  return decodeManagers(trackUpdate({ object: undefined, entries: [] }, live, { schema, writer: before }));
}

/** The object itself is nobody's field. */
const rootless = (set: FieldSet): FieldSet => ({ ...set, member: false });

const withoutManager = (managers: readonly Manager[], id: ManagerId): Manager[] =>
  managers.filter((manager) => !sameManager(manager, id));

const withoutFields = (managers: readonly Manager[], fields: FieldSet): Manager[] =>
  managers.map((manager) => ({ ...manager, fields: difference(manager.fields, fields) }));

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
    // A declared field is held by what anyone names in it, an entry or an item only by who names itself.
    const isHeld = isDeclared ? below.length > 0 : below.some(({ member }) => member);
    rest.member = !isHeld && (child.member || isDeclared);
    if (!isEmpty(rest)) result.children.set(element, rest);
  }
  return result;
}

const asObjectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
