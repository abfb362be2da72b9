import { randomBytes, randomUUID } from 'node:crypto';
import { asString, equal, isArray, isObject, type Json, type JsonObject, omit } from '../json.ts';
import { type ApiObject, type Metadata, wireTime } from '../objects.ts';
import type { Call } from '../state.ts';
import { badRequest, conflict, MODIFIED, StatusError, type Violation } from '../status.ts';
import { groupVersion, type Resource } from '../types/resource.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const LONGEST_BASE = 58;

/** Source: apiserver `names.SimpleNameGenerator`. */
const generated = (base: string): string =>
  base.slice(0, LONGEST_BASE) + [...randomBytes(5)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');

const isEmptyValue = (value: Json | undefined): boolean =>
  value === undefined ||
  value === '' ||
  (isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

/** Empty labels, finalizers and the like are not written. */
function compact(metadata: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => !isEmptyValue(value)));
}

/** Name of the Go package of a kind. */
const internal = ({ group }: Resource): string => (group === '' ? 'core' : (group.split('.')[0] ?? ''));

/** Checks that the body is what the path says. */
export function checkBody(call: Call, body: JsonObject): void {
  const { resource } = call;
  const kind = asString(body['kind']);
  const version = asString(body['apiVersion']);
  if (kind !== '' && kind !== resource.kind) {
    throw badRequest(
      `${kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: converting (${resource.version}.${kind}) to (${internal(resource)}.${resource.kind}): unknown conversion`,
    );
  }
  if (version !== '' && version !== groupVersion(resource)) {
    throw badRequest(
      resource.custom === undefined
        ? `${resource.kind} in version "${version}" cannot be handled as a ${resource.kind}: no kind "${resource.kind}" is registered for version "${version}" in scheme "pkg/runtime/scheme.go:111"`
        : `the API version in the data (${version}) does not match the expected API version (${groupVersion(resource)})`,
    );
  }
  // Built-in kinds know themselves by their path.
  if (resource.custom !== undefined && (kind === '' || version === ''))
    throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(body).slice(0, 200)}'`);
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  const namespace = asString(metadata['namespace']);
  if (namespace !== '' && namespace !== call.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const name = asString(metadata['name']);
  if (call.name !== '' && name !== call.name && (name !== '' || call.verb === 'update')) {
    throw badRequest(
      name === ''
        ? `name must be provided`
        : `the name of the object (${name}) does not match the name on the URL (${call.name})`,
    );
  }
}

/** Metadata that clients can't set. */
const SERVER_OWNED = ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'selfLink', 'managedFields'];

/** Metadata of a new object. */
export function newMetadata(call: Call, given: JsonObject): Metadata {
  if (asString(given['resourceVersion']) !== '')
    throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
  const base = asString(given['generateName']);
  const name = asString(given['name']) || call.name || (base === '' ? '' : generated(base));
  return {
    ...compact(omit(given, ...SERVER_OWNED, 'namespace')),
    name,
    ...(call.resource.namespaced ? { namespace: call.namespace } : {}),
    uid: randomUUID(),
    resourceVersion: '',
    ...(call.resource.countsGenerations ? { generation: 1 } : {}),
    creationTimestamp: wireTime(call.state.now()),
  };
}

/**
 * Metadata of a changed object: what the server owns stays as it was.
 *
 * @throws StatusError 409 when resourceVersion or uid are not those of `live`
 */
export function changedMetadata(call: Call, live: ApiObject, given: JsonObject): Metadata {
  checkIdentity(call, live, given);
  const { uid, name, namespace, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = live.metadata;
  const { generation, resourceVersion } = live.metadata;
  return {
    ...compact(omit(given, ...SERVER_OWNED)),
    uid,
    name,
    creationTimestamp,
    resourceVersion,
    ...(namespace === undefined ? {} : { namespace }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
    ...(generation === undefined ? {} : { generation }),
  };
}

function checkIdentity(call: Call, live: ApiObject, given: JsonObject): void {
  const { resource } = call;
  const name = live.metadata.name;
  const uid = asString(given['uid']);
  // A replace names the uid as a precondition; a patch would change it, see `uidViolations`.
  if (call.verb !== 'patch' && uid !== '' && uid !== live.metadata.uid) {
    throw conflict(
      resource,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`,
    );
  }
  const version = asString(given['resourceVersion']);
  if (version !== '' && version !== live.metadata.resourceVersion) throw conflict(resource, name, MODIFIED);
}

/** Told twice: by the check of metadata and by that of the kind. */
const twice = (violation: Violation): Violation[] => [violation, violation];

export function uidViolations(live: ApiObject, given: JsonObject): Violation[] {
  const uid = asString(given['uid']);
  if (uid === '' || uid === live.metadata.uid) return [];
  const message = `Invalid value: ${JSON.stringify(uid)}: field is immutable`;
  return twice({ field: 'metadata.uid', type: 'FieldValueInvalid', message });
}

export function finalizerViolations(live: ApiObject, next: ApiObject): Violation[] {
  if (live.metadata.deletionTimestamp === undefined) return [];
  const before = new Set(live.metadata.finalizers);
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer));
  if (added.length === 0) return [];
  const text = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
  return twice({
    field: 'metadata.finalizers',
    type: 'FieldValueForbidden',
    message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${text}}`,
  });
}

/** Whether the desired state differs: everything but metadata and, where it is a subresource, status. */
export function desiredChanged(call: Call, live: ApiObject, next: ApiObject): boolean {
  const ignored = new Set(['metadata', 'apiVersion', 'kind', ...(call.resource.statusSubresource ? ['status'] : [])]);
  const names = new Set([...Object.keys(live), ...Object.keys(next)]);
  return [...names].some((name) => !ignored.has(name) && !equal(live[name], next[name]));
}
