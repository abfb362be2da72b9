import { BinaryReader, type WireType } from '@bufbuild/protobuf/wire';
import { asString, type Json, type JsonObject } from '../json.ts';
import { unsupportedMediaType } from '../status.ts';

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

type Shape =
  | { readonly kind: 'text' | 'bytes' | 'integer' | 'boolean' | 'skip' }
  | { readonly kind: 'message'; readonly fields: Fields }
  | { readonly kind: 'map'; readonly value: Shape };
type Field = { readonly name: string; readonly shape: Shape; readonly repeated?: true };
type Fields = { readonly [number: number]: Field };

const as = (name: string, kind: 'text' | 'bytes' | 'integer' | 'boolean' | 'skip'): Field => ({
  name,
  shape: { kind },
});
const list = (name: string): Field => ({ name, shape: { kind: 'text' }, repeated: true });
const message = (name: string, fields: Fields): Field => ({ name, shape: { kind: 'message', fields } });
const map = (name: string, kind: 'text' | 'bytes'): Field => ({ name, shape: { kind: 'map', value: { kind } } });

const METADATA = message('metadata', {
  1: as('name', 'text'),
  2: as('generateName', 'text'),
  3: as('namespace', 'text'),
  11: map('labels', 'text'),
  12: map('annotations', 'text'),
  14: list('finalizers'),
});

const RULES: Field = {
  ...message('rules', {
    1: list('verbs'),
    2: list('apiGroups'),
    3: list('resources'),
    4: list('resourceNames'),
    5: list('nonResourceURLs'),
  }),
  repeated: true,
};
const SUBJECTS: Field = {
  ...message('subjects', {
    1: as('kind', 'text'),
    2: as('apiGroup', 'text'),
    3: as('name', 'text'),
    4: as('namespace', 'text'),
  }),
  repeated: true,
};
const ROLE: Fields = { 1: METADATA, 2: RULES };
const BINDING: Fields = {
  1: METADATA,
  2: SUBJECTS,
  3: message('roleRef', { 1: as('apiGroup', 'text'), 2: as('kind', 'text'), 3: as('name', 'text') }),
};

const ATTRIBUTES = message('resourceAttributes', {
  1: as('namespace', 'text'),
  2: as('verb', 'text'),
  3: as('group', 'text'),
  4: as('version', 'text'),
  5: as('resource', 'text'),
  6: as('subresource', 'text'),
  7: as('name', 'text'),
});

const DELETE_OPTIONS = message('deleteOptions', {
  1: as('gracePeriodSeconds', 'integer'),
  2: message('preconditions', { 1: as('uid', 'text'), 2: as('resourceVersion', 'text') }),
  4: as('propagationPolicy', 'text'),
  5: list('dryRun'),
});

/** The kinds that kubectl sends as protobuf in everyday use. Source: `generated.proto` of k8s.io/api, release 1.36. */
const KINDS: { readonly [kind: string]: Fields } = {
  Namespace: { 1: METADATA, 2: as('spec', 'skip'), 3: as('status', 'skip') },
  ConfigMap: { 1: METADATA, 2: map('data', 'text'), 3: map('binaryData', 'bytes'), 4: as('immutable', 'boolean') },
  Secret: {
    1: METADATA,
    2: map('data', 'bytes'),
    3: as('type', 'text'),
    4: map('stringData', 'text'),
    5: as('immutable', 'boolean'),
  },
  ServiceAccount: { 1: METADATA },
  Role: ROLE,
  ClusterRole: ROLE,
  RoleBinding: BINDING,
  ClusterRoleBinding: BINDING,
  TokenRequest: {
    1: METADATA,
    2: message('spec', { 1: list('audiences'), 4: as('expirationSeconds', 'integer') }),
    3: as('status', 'skip'),
  },
  SelfSubjectAccessReview: {
    1: METADATA,
    2: message('spec', {
      1: ATTRIBUTES,
      2: message('nonResourceAttributes', { 1: as('path', 'text'), 2: as('verb', 'text') }),
    }),
    3: as('status', 'skip'),
  },
  SelfSubjectReview: { 1: METADATA, 2: as('status', 'skip') },
  Eviction: { 1: METADATA, 2: DELETE_OPTIONS },
};

const ENVELOPE: Fields = {
  1: message('type', { 1: as('apiVersion', 'text'), 2: as('kind', 'text') }),
  2: as('raw', 'bytes'),
};

/** `k8s` and a zero stand before every message. */
const MAGIC_BYTES = 4;

/**
 * An object from its protobuf form.
 *
 * @throws StatusError 415 for a kind whose fields aren't known here
 */
export function fromProtobuf(bytes: Buffer): JsonObject {
  const envelope = read(bytes.subarray(MAGIC_BYTES), ENVELOPE);
  const type = envelope['type'] as JsonObject | undefined;
  const fields = KINDS[asString(type?.['kind'])];
  if (type === undefined || fields === undefined) throw unsupportedMediaType(['application/json', 'application/yaml']);
  const raw = typeof envelope['raw'] === 'string' ? Buffer.from(envelope['raw'], 'base64') : Buffer.alloc(0);
  return { ...type, ...read(raw, fields) };
}

function read(bytes: Uint8Array, fields: Fields): JsonObject {
  const reader = new BinaryReader(bytes);
  const result: JsonObject = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = fields[number];
    if (field === undefined || field.shape.kind === 'skip') {
      reader.skip(wireType);
      continue;
    }
    if (field.shape.kind === 'map') {
      const entry = read(reader.bytes(), { 1: as('key', 'text'), 2: { name: 'value', shape: field.shape.value } });
      result[field.name] = {
        ...(result[field.name] as JsonObject | undefined),
        [asString(entry['key'])]: entry['value'] ?? '',
      };
      continue;
    }
    const value = readValue(reader, field.shape, wireType);
    // Go writes empty texts where nothing was set.
    if (field.repeated === true) result[field.name] = [...((result[field.name] as Json[] | undefined) ?? []), value];
    else if (value !== '') result[field.name] = value;
  }
  return result;
}

function readValue(reader: BinaryReader, shape: Shape, wireType: WireType): Json {
  if (shape.kind === 'text') return reader.string();
  if (shape.kind === 'bytes') return Buffer.from(reader.bytes()).toString('base64');
  if (shape.kind === 'boolean') return reader.bool();
  if (shape.kind === 'integer') return Number(reader.int64());
  if (shape.kind === 'message') return read(reader.bytes(), shape.fields);
  reader.skip(wireType);
  return null;
}
