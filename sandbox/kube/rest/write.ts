import { checkEscalation } from '../access/escalation.ts';
import { trackUpdate } from '../fields/track.ts';
import { equal, isObject, type Json, type JsonObject, omit } from '../json.ts';
import { prepareCreate, prepareUpdate } from '../objects/creation.ts';
import { decode } from '../objects/decode.ts';
import { builtinDefaults } from '../objects/defaults.ts';
import {
  changedMetadata,
  desiredChanged,
  finalizerViolations,
  newMetadata,
  uidViolations,
} from '../objects/metadata.ts';
import { schemaDefaults } from '../objects/schema-defaults.ts';
import type { ApiObject, ManagedFieldsEntry } from '../objects.ts';
import { wireTime } from '../objects.ts';
import type { Call } from '../state.ts';
import { alreadyExists, forbidden, invalid, notFound, notModelled, StatusError, type Violation } from '../status.ts';
import { groupVersion } from '../types/resource.ts';
import { createViolations, updateViolations } from '../validate/builtin.ts';
import { customViolations, statusViolations } from '../validate/custom.ts';
import { eventViolations } from '../validate/event.ts';
import { metadataViolations } from '../validate/names.ts';
import { fieldValidation, isDryRun, writer } from './options.ts';

/** The stored object in the version that was asked for. */
export function find(call: Call, name = call.name): ApiObject | undefined {
  const stored = call.state.store.get(call.resource.storedAs, call.namespace, name);
  return stored === undefined ? undefined : call.resource.fromStored(stored);
}

export function get(call: Call): ApiObject {
  const object = find(call);
  if (object === undefined) throw notFound(call.resource, call.name);
  return object;
}

/** The body with only known fields; warns or refuses as the request wants it. */
export function decodeBody(call: Call, body: JsonObject): JsonObject {
  const { object, warnings } = decode(call.resource, body, fieldValidation(call));
  call.warnings.push(...warnings);
  return object;
}

function setDefaults(call: Call, object: JsonObject): void {
  if (call.resource.custom !== undefined) schemaDefaults(object, call.resource.schema);
  else builtinDefaults(call.resource.storedAs, object);
}

function refuse({ resource }: Call, name: string, violations: Violation[]): void {
  // An event of any group is refused as what is stored.
  const kind = resource.storedAs === '/events' ? { group: '', kind: 'Event' } : resource;
  if (violations.length > 0) throw invalid(kind, name, violations);
}

function store(call: Call, object: ApiObject): ApiObject {
  const { resource, state } = call;
  if (isDryRun(call)) return object.metadata.resourceVersion === '' ? versionless(object) : object;
  return resource.fromStored(state.store.put(resource.storedAs, resource.toStored(object)));
}

/** A new object that is not stored has no version. */
const versionless = (object: ApiObject): ApiObject =>
  ({ ...object, metadata: omit(object.metadata, 'resourceVersion') }) as ApiObject;

/** Namespaces must exist and not be on their way out. */
function checkNamespace(call: Call, name: string): void {
  if (!call.resource.namespaced) return;
  const namespaces = { group: '', plural: 'namespaces' };
  const namespace = call.state.store.get('/namespaces', '', call.namespace);
  if (namespace === undefined) throw notFound(namespaces, call.namespace);
  if (namespace.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${call.namespace} because it is being terminated`;
  const refusal = forbidden(call.resource, name, why);
  const message = `namespace ${call.namespace} is being terminated`;
  throw new StatusError(403, 'Forbidden', refusal.message, {
    ...refusal.details,
    causes: [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }],
  });
}

/**
 * Creates an object from a decoded body.
 *
 * @param applied managedFields when the object comes from server-side apply
 */
export function create(call: Call, body: JsonObject, applied?: ManagedFieldsEntry[]): ApiObject {
  const { resource, state } = call;
  if (resource.readOnly) throw notModelled(`writes to ${resource.plural}`);
  const given: Json | undefined = body['metadata'];
  const metadata = newMetadata(call, isObject(given) ? given : {});
  checkNamespace(call, metadata.name);
  const object: ApiObject = { ...body, apiVersion: groupVersion(resource), kind: resource.kind, metadata };
  if (resource.statusSubresource) delete object['status'];
  setDefaults(call, object);
  const time = wireTime(state.now());
  const track = () =>
    trackUpdate({ object: undefined, entries: undefined }, object, {
      schema: resource.schema,
      writer: writer(call, 'Update', time),
    });
  // What the server adds from here on belongs to no manager.
  const entries = applied ?? track();
  if (entries.length > 0) object.metadata.managedFields = entries;
  prepareCreate(resource.storedAs, object, state);
  refuse(call, metadata.name, [...metadataViolations(resource, metadata), ...kindViolations(call, object, undefined)]);
  if (find(call, metadata.name) !== undefined) throw alreadyExists(resource, metadata.name);
  checkEscalation(call, object);
  return store(call, object);
}

function kindViolations(call: Call, object: ApiObject, live: ApiObject | undefined): Violation[] {
  if (call.resource.custom !== undefined) {
    const violations = call.subresource === 'status' ? statusViolations : customViolations;
    return violations(call.resource, object, live);
  }
  const { storedAs } = call.resource;
  const stored = call.resource.toStored(object);
  const before = live === undefined ? undefined : call.resource.toStored(live);
  if (storedAs === '/events') return eventViolations(call.resource, stored, before);
  return before === undefined ? createViolations(storedAs, stored) : updateViolations(storedAs, stored, before);
}

/**
 * Changes `live` to `body` (decoded), through the subresource of the call. Equal to what is there: nothing is written.
 *
 * @param applied managedFields when the change comes from server-side apply
 */
export function update(
  call: Call,
  live: ApiObject,
  change: { body: JsonObject; applied?: ManagedFieldsEntry[] },
): ApiObject {
  const { resource } = call;
  if (resource.readOnly) throw notModelled(`writes to ${resource.plural}`);
  const given = isObject(change.body['metadata']) ? change.body['metadata'] : {};
  const next = compose(call, live, { body: change.body, given });
  setDefaults(call, next);
  const entries = change.applied ?? tracked(call, live, { next, given });
  prepareUpdate(resource.storedAs, next, live);
  const { name } = live.metadata;
  refuse(call, name, [
    ...finalizerViolations(live, next),
    ...uidViolations(live, given),
    ...metadataViolations(resource, next.metadata),
    ...kindViolations(call, next, live),
  ]);
  checkEscalation(call, next, live);
  if (resource.countsGenerations && call.subresource !== 'status' && desiredChanged(call, live, next)) {
    next.metadata.generation = (live.metadata.generation ?? 0) + 1;
  }
  if (entries.length > 0) next.metadata.managedFields = entries;
  if (equal(timeless(live), timeless(next))) return live;
  if (!isFinished(next)) return store(call, next);
  // The last finalizer went: the answer is the object as it was written, without a version of its own.
  remove(call, next);
  return next;
}

/** A write that would change nothing but its own time is none. Source: apiserver `fieldmanager/equality.go`. */
function timeless(object: ApiObject): JsonObject {
  const { managedFields, ...metadata } = object.metadata;
  const entries = managedFields?.map(({ time: _time, ...entry }) => entry);
  return { ...object, metadata: { ...metadata, ...(entries === undefined ? {} : { managedFields: entries }) } };
}

/** The fields that the subresource may change, on top of what is there. */
function compose(call: Call, live: ApiObject, { body, given }: { body: JsonObject; given: JsonObject }): ApiObject {
  const identity = { apiVersion: live.apiVersion, kind: live.kind };
  const metadata = changedMetadata(call, live, given);
  if (call.subresource === 'status') {
    const next: ApiObject = { ...live, metadata: { ...live.metadata }, status: body['status'] };
    if (body['status'] === undefined) delete next['status'];
    return next;
  }
  const next: ApiObject = { ...body, ...identity, metadata };
  if (!call.resource.statusSubresource) return next;
  if (live['status'] === undefined) delete next['status'];
  else next['status'] = live['status'];
  return next;
}

function tracked(
  call: Call,
  live: ApiObject,
  { next, given }: { next: ApiObject; given: JsonObject },
): ManagedFieldsEntry[] {
  const { resource, state } = call;
  const entries = entriesOf(given, live);
  const options = { schema: resource.schema, writer: writer(call, 'Update', wireTime(state.now())) };
  return trackUpdate({ object: live, entries }, next, options);
}

/** A client may rewrite managedFields; without any in its body, what is stored counts; `[{}]` resets. */
function entriesOf(given: JsonObject, live: ApiObject): ManagedFieldsEntry[] {
  const stored = live.metadata.managedFields ?? [];
  const sent = given['managedFields'];
  if (!Array.isArray(sent) || sent.length === 0) return stored;
  return sent.filter((entry): entry is ManagedFieldsEntry => isObject(entry) && isObject(entry['fieldsV1']));
}

/** Whether a deleted object has nothing left to wait for. */
export function isFinished(object: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  const grace = deletionGracePeriodSeconds ?? 0;
  return deletionTimestamp !== undefined && grace === 0 && (finalizers ?? []).length === 0 && !isHeldNamespace(object);
}

export function isHeldNamespace(object: ApiObject): boolean {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return false;
  const finalizers = isObject(object['spec']) ? object['spec']['finalizers'] : undefined;
  return Array.isArray(finalizers) && finalizers.length > 0;
}

export function remove(call: Call, object: ApiObject): ApiObject {
  const { resource, state } = call;
  if (isDryRun(call)) return object;
  const address =
    resource.storedAs === '/services' && isObject(object['spec']) ? object['spec']['clusterIP'] : undefined;
  if (typeof address === 'string' && address !== '' && address !== 'None') state.hooks.releaseClusterIP?.(address);
  return resource.fromStored(state.store.remove(resource.storedAs, resource.toStored(object)));
}

/** Writes an object as given, without checks: for what the server itself decides (deletion marks, scale, eviction). */
export const overwrite = store;
