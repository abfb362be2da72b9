import { asArray, asObject, asString, at, equal, isObject, type Json, type JsonObject } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import { matchesLabels, selectorOf } from '../selectors.ts';
import type { Violation } from '../status.ts';
import { definitionViolations } from './definition.ts';
import { labelViolations } from './names.ts';

type CreateRule = (object: ApiObject) => Violation[];
type UpdateRule = (object: ApiObject, live: ApiObject) => Violation[];

const required = (field: string, why = ''): Violation => ({
  field,
  type: 'FieldValueRequired',
  message: why === '' ? 'Required value' : `Required value: ${why}`,
});
const wrong = (field: string, value: Json | undefined, why: string): Violation => ({
  field,
  type: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value ?? null)}: ${why}`,
});
const prohibited = (field: string, why: string): Violation => ({
  field,
  type: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
});

function podSpec(spec: Json | undefined, field: string, claims: readonly string[] = []): Violation[] {
  const containers = asArray(at(spec, 'containers'));
  const volumes = new Set([...asArray(at(spec, 'volumes')).map((volume) => asString(at(volume, 'name'))), ...claims]);
  const violations = containers.length === 0 ? [required(`${field}.containers`)] : [];
  for (const [index, container] of containers.entries()) {
    const path = `${field}.containers[${index}]`;
    if (asString(at(container, 'name')) === '') violations.push(required(`${path}.name`));
    if (asString(at(container, 'image')) === '') violations.push(required(`${path}.image`));
    for (const [position, mount] of asArray(at(container, 'volumeMounts')).entries()) {
      const name = asString(at(mount, 'name'));
      if (!volumes.has(name)) violations.push(missingVolume(`${path}.volumeMounts[${position}].name`, name));
    }
  }
  return violations;
}

const missingVolume = (field: string, name: string): Violation => ({
  field,
  type: 'FieldValueInvalid',
  message: `Not found: ${JSON.stringify(name)}`,
});

const NOT_NEGATIVE = 'must be greater than or equal to 0';

function workload(object: ApiObject, claims: readonly string[] = []): Violation[] {
  const selector = at(object, 'spec', 'selector');
  const labels = asObject(at(object, 'spec', 'template', 'metadata', 'labels'));
  const violations = labelViolations(labels, 'spec.template.metadata.labels');
  const replicas = at(object, 'spec', 'replicas');
  if (typeof replicas === 'number' && replicas < 0) violations.push(wrong('spec.replicas', replicas, NOT_NEGATIVE));
  if (!isObject(selector)) violations.push(required('spec.selector'));
  if (!isObject(selector) || !matchesLabels(selectorOf(selector), textValues(labels))) {
    const given = at(object, 'spec', 'template', 'metadata', 'labels');
    violations.push(wrong('spec.template.metadata.labels', given, '`selector` does not match template `labels`'));
  }
  return [...violations, ...podSpec(at(object, 'spec', 'template', 'spec'), 'spec.template.spec', claims)];
}

const textValues = (labels: JsonObject): { [key: string]: string } =>
  Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, asString(value)]));

const statefulSet: CreateRule = (object) => {
  const claims = asArray(at(object, 'spec', 'volumeClaimTemplates')).map((claim) =>
    asString(at(claim, 'metadata', 'name')),
  );
  const violations = workload(object, claims);
  const policy = at(object, 'spec', 'template', 'spec', 'restartPolicy');
  if (policy === undefined || policy === 'Always') return violations;
  const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Always"`;
  return [...violations, { field: 'spec.template.spec.restartPolicy', type: 'FieldValueNotSupported', message }];
};

const job: CreateRule = (object) => {
  const violations = podSpec(at(object, 'spec', 'template', 'spec'), 'spec.template.spec');
  const policy = at(object, 'spec', 'template', 'spec', 'restartPolicy');
  if (policy === 'Never' || policy === 'OnFailure') return violations;
  return [...violations, required('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"')];
};

const service: CreateRule = (object) => {
  const ports = asArray(at(object, 'spec', 'ports'));
  const clusterIP = at(object, 'spec', 'clusterIP');
  const portless = clusterIP === 'None' || at(object, 'spec', 'type') === 'ExternalName';
  if (ports.length === 0 && !portless) return [required('spec.ports')];
  if (ports.length < 2) return [];
  return ports.flatMap((port, index) =>
    asString(at(port, 'name')) === '' ? [required(`spec.ports[${index}].name`)] : [],
  );
};

const KEY = /^[-._a-zA-Z0-9]+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const MAX_DATA_BYTES = 1024 * 1024;

const data: CreateRule = (object) => {
  const entries = Object.entries(asObject(object['data']));
  const violations = entries.flatMap(([key]) => (KEY.test(key) ? [] : [wrong(`data[${key}]`, key, KEY_TEXT)]));
  const size = entries.reduce((sum, [, value]) => sum + asString(value).length, 0);
  if (size > MAX_DATA_BYTES) {
    violations.push({
      field: 'data',
      type: 'FieldValueTooLong',
      message: `Too long: may not be more than ${MAX_DATA_BYTES} bytes`,
    });
  }
  return violations;
};

const secret: CreateRule = (object) => [
  ...data(object),
  ...Object.entries(asObject(object['data'])).flatMap(([key, value]) =>
    BASE64.test(asString(value)) ? [] : [wrong(`data[${key}]`, '<redacted>', 'illegal base64 data')],
  ),
];

const lease: CreateRule = (object) => {
  const seconds = at(object, 'spec', 'leaseDurationSeconds');
  return typeof seconds === 'number' && seconds <= 0
    ? [wrong('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]
    : [];
};

const CREATE: { readonly [storedAs: string]: CreateRule } = {
  '/pods': (object) => podSpec(object['spec'], 'spec'),
  '/services': service,
  '/configmaps': data,
  '/secrets': secret,
  'apps/statefulsets': statefulSet,
  'apps/deployments': (object) => workload(object),
  'batch/jobs': job,
  'coordination.k8s.io/leases': lease,
  'apiextensions.k8s.io/customresourcedefinitions': definitionViolations,
};

const immutable = (object: ApiObject, live: ApiObject, ...paths: string[][]): Violation[] =>
  paths.flatMap((path) => {
    const value = at(object, ...path);
    return equal(value, at(live, ...path)) ? [] : [wrong(path.join('.'), value, 'field is immutable')];
  });

function without(value: Json | undefined, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(asObject(value)).filter(([name]) => !names.includes(name)));
}

const STATEFUL_SET_MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

const statefulSetUpdate: UpdateRule = (object, live) =>
  equal(without(object['spec'], STATEFUL_SET_MUTABLE), without(live['spec'], STATEFUL_SET_MUTABLE))
    ? []
    : [
        prohibited(
          'spec',
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
      ];

const frozenData: UpdateRule = (object, live) => {
  if (live['immutable'] !== true) return [];
  const why = 'field is immutable when `immutable` is set';
  const fields = ['data', 'binaryData'].filter((name) => !equal(object[name], live[name]));
  if (object['immutable'] !== true) fields.push('immutable');
  return fields.map((field) => prohibited(field, why));
};

const serviceUpdate: UpdateRule = (object, live) => {
  const before = at(live, 'spec', 'clusterIPs');
  const isClusterIP = at(live, 'spec', 'type') !== 'ExternalName' && at(object, 'spec', 'type') !== 'ExternalName';
  if (!isClusterIP || equal(at(object, 'spec', 'clusterIPs'), before)) return immutableAddress(object, live);
  return [wrong('spec.clusterIPs[0]', at(object, 'spec', 'clusterIPs'), 'may not change once set')];
};

function immutableAddress(object: ApiObject, live: ApiObject): Violation[] {
  const address = at(object, 'spec', 'clusterIP');
  return equal(address, at(live, 'spec', 'clusterIP'))
    ? []
    : [wrong('spec.clusterIP', address, 'may not change once set')];
}

const claimUpdate: UpdateRule = (object, live) => {
  const mutable = [
    'resources',
    'volumeAttributesClassName',
    ...(at(live, 'spec', 'volumeName') === undefined ? ['volumeName'] : []),
  ];
  if (equal(without(object['spec'], mutable), without(live['spec'], mutable))) return [];
  return [
    prohibited(
      'spec',
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
    ),
  ];
};

/** `nodeName` may be set once here; a real server takes it through the binding subresource only. */
const podUpdate: UpdateRule = (object, live) => {
  const mutable = ['activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'schedulingGates'];
  if (at(live, 'spec', 'nodeName') === undefined) mutable.push('nodeName');
  const stripped = (pod: ApiObject): JsonObject => ({
    ...without(pod['spec'], [...mutable, 'containers', 'initContainers']),
    containers: asArray(at(pod, 'spec', 'containers')).map((container) => without(container, ['image'])),
    initContainers: asArray(at(pod, 'spec', 'initContainers')).map((container) => without(container, ['image'])),
  });
  if (equal(stripped(object), stripped(live))) return [];
  return [
    prohibited(
      'spec',
      'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    ),
  ];
};

/** The value is shown under the names of Go's fields. */
const roleRef: UpdateRule = (object, live) => {
  const { apiGroup, kind, name } = asObject(object['roleRef']);
  const shown = { APIGroup: apiGroup, Kind: kind, Name: name };
  return equal(object['roleRef'], live['roleRef']) ? [] : [wrong('roleRef', shown, 'cannot change roleRef')];
};

const UPDATE: { readonly [storedAs: string]: UpdateRule } = {
  '/pods': podUpdate,
  '/services': serviceUpdate,
  '/configmaps': frozenData,
  '/secrets': (object, live) => [...frozenData(object, live), ...immutable(object, live, ['type'])],
  '/persistentvolumeclaims': claimUpdate,
  'apps/statefulsets': statefulSetUpdate,
  'apps/deployments': (object, live) => immutable(object, live, ['spec', 'selector']),
  'apps/replicasets': (object, live) => immutable(object, live, ['spec', 'selector']),
  'batch/jobs': (object, live) =>
    immutable(
      object,
      live,
      ['spec', 'completions'],
      ['spec', 'selector'],
      ['spec', 'template'],
      ['spec', 'completionMode'],
    ),
  'rbac.authorization.k8s.io/rolebindings': roleRef,
  'rbac.authorization.k8s.io/clusterrolebindings': roleRef,
  'apiextensions.k8s.io/customresourcedefinitions': (object, live) =>
    immutable(
      object,
      live,
      ['spec', 'group'],
      ['spec', 'scope'],
      ['spec', 'names', 'kind'],
      ['spec', 'names', 'plural'],
    ),
};

export const createViolations = (storedAs: string, object: ApiObject): Violation[] => CREATE[storedAs]?.(object) ?? [];

export const updateViolations = (storedAs: string, object: ApiObject, live: ApiObject): Violation[] => [
  ...(UPDATE[storedAs]?.(object, live) ?? []),
  ...createViolations(storedAs, object),
];
