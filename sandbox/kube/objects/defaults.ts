import { asArray, asObject, asString, at, isObject, type JsonObject } from '../json.ts';
import { fill } from './fill.ts';
import { podSpecDefaults } from './pod-defaults.ts';

type Defaulter = (object: JsonObject) => void;

const template = (object: JsonObject): void => {
  const spec = at(object, 'spec', 'template', 'spec');
  if (isObject(spec)) podSpecDefaults(spec);
};

function service(object: JsonObject): void {
  fill(object, ['spec', 'type'], 'ClusterIP');
  fill(object, ['spec', 'sessionAffinity'], 'None');
  if (at(object, 'spec', 'type') === 'ExternalName') return;
  fill(object, ['spec', 'internalTrafficPolicy'], 'Cluster');
  fill(object, ['spec', 'ipFamilies'], ['IPv4']);
  fill(object, ['spec', 'ipFamilyPolicy'], 'SingleStack');
  for (const port of asArray(at(object, 'spec', 'ports')).filter(isObject)) {
    fill(port, ['protocol'], 'TCP');
    if (port['port'] !== undefined) fill(port, ['targetPort'], port['port']);
  }
}

function statefulSet(object: JsonObject): void {
  fill(object, ['spec', 'podManagementPolicy'], 'OrderedReady');
  fill(object, ['spec', 'updateStrategy', 'type'], 'RollingUpdate');
  if (at(object, 'spec', 'updateStrategy', 'type') === 'RollingUpdate') {
    fill(object, ['spec', 'updateStrategy', 'rollingUpdate', 'partition'], 0);
  }
  fill(object, ['spec', 'persistentVolumeClaimRetentionPolicy', 'whenDeleted'], 'Retain');
  fill(object, ['spec', 'persistentVolumeClaimRetentionPolicy', 'whenScaled'], 'Retain');
  fill(object, ['spec', 'replicas'], 1);
  fill(object, ['spec', 'revisionHistoryLimit'], 10);
  template(object);
  for (const claim of asArray(at(object, 'spec', 'volumeClaimTemplates')).filter(isObject)) {
    fill(claim, ['apiVersion'], 'v1');
    fill(claim, ['kind'], 'PersistentVolumeClaim');
    fill(claim, ['spec', 'volumeMode'], 'Filesystem');
    fill(claim, ['status', 'phase'], 'Pending');
  }
}

function deployment(object: JsonObject): void {
  fill(object, ['spec', 'replicas'], 1);
  fill(object, ['spec', 'revisionHistoryLimit'], 10);
  fill(object, ['spec', 'progressDeadlineSeconds'], 600);
  fill(object, ['spec', 'strategy', 'type'], 'RollingUpdate');
  if (at(object, 'spec', 'strategy', 'type') === 'RollingUpdate') {
    fill(object, ['spec', 'strategy', 'rollingUpdate', 'maxUnavailable'], '25%');
    fill(object, ['spec', 'strategy', 'rollingUpdate', 'maxSurge'], '25%');
  }
  template(object);
}

function job(object: JsonObject): void {
  if (at(object, 'spec', 'completions') === undefined && at(object, 'spec', 'parallelism') === undefined) {
    fill(object, ['spec', 'completions'], 1);
  }
  fill(object, ['spec', 'parallelism'], 1);
  fill(object, ['spec', 'backoffLimit'], 6);
  fill(object, ['spec', 'completionMode'], 'NonIndexed');
  fill(object, ['spec', 'suspend'], false);
  fill(object, ['spec', 'podReplacementPolicy'], 'TerminatingOrFailed');
  fill(object, ['spec', 'manualSelector'], false);
  template(object);
}

function secret(object: JsonObject): void {
  fill(object, ['type'], 'Opaque');
  const text = object['stringData'];
  if (!isObject(text)) return;
  const encoded = Object.entries(text).map(([key, value]) => [key, Buffer.from(asString(value)).toString('base64')]);
  object['data'] = { ...asObject(object['data']), ...Object.fromEntries(encoded) };
  delete object['stringData'];
}

function networkPolicy(object: JsonObject): void {
  fill(object, ['spec', 'podSelector'], {});
  fill(
    object,
    ['spec', 'policyTypes'],
    at(object, 'spec', 'egress') === undefined ? ['Ingress'] : ['Ingress', 'Egress'],
  );
  for (const rule of [...asArray(at(object, 'spec', 'ingress')), ...asArray(at(object, 'spec', 'egress'))]) {
    for (const port of asArray(at(rule, 'ports')).filter(isObject)) fill(port, ['protocol'], 'TCP');
  }
}

function binding(object: JsonObject): void {
  for (const subject of asArray(object['subjects']).filter(isObject)) {
    if (subject['kind'] !== 'ServiceAccount') fill(subject, ['apiGroup'], 'rbac.authorization.k8s.io');
  }
  fill(object, ['roleRef', 'apiGroup'], 'rbac.authorization.k8s.io');
}

function claim(object: JsonObject): void {
  fill(object, ['spec', 'volumeMode'], 'Filesystem');
}

function volume(object: JsonObject): void {
  fill(object, ['spec', 'persistentVolumeReclaimPolicy'], 'Retain');
  fill(object, ['spec', 'volumeMode'], 'Filesystem');
}

function storageClass(object: JsonObject): void {
  fill(object, ['reclaimPolicy'], 'Delete');
  fill(object, ['volumeBindingMode'], 'Immediate');
}

function endpointSlice(object: JsonObject): void {
  for (const port of asArray(object['ports']).filter(isObject)) {
    fill(port, ['protocol'], 'TCP');
    fill(port, ['name'], '');
  }
}

function definition(object: JsonObject): void {
  const names = at(object, 'spec', 'names');
  if (isObject(names)) {
    const kind = asString(names['kind']);
    fill(names, ['singular'], kind.toLowerCase());
    fill(names, ['listKind'], `${kind}List`);
  }
  fill(object, ['spec', 'conversion'], { strategy: 'None' });
}

/** What Go writes of an event, whichever group sees it. */
function event(object: JsonObject): void {
  const isNew = object['apiVersion'] === 'events.k8s.io/v1';
  fill(object, ['eventTime'], null);
  for (const name of isNew
    ? ['deprecatedFirstTimestamp', 'deprecatedLastTimestamp']
    : ['firstTimestamp', 'lastTimestamp']) {
    fill(object, [name], null);
  }
  fill(object, [isNew ? 'deprecatedSource' : 'source'], {});
  if (!isNew) for (const name of ['reportingComponent', 'reportingInstance']) fill(object, [name], '');
}

/** What Go writes of the status of a pod beside what was said. */
function podStatus(status: JsonObject): void {
  for (const condition of asArray(status['conditions']).filter(isObject)) {
    fill(condition, ['lastProbeTime'], null);
    fill(condition, ['lastTransitionTime'], null);
  }
  for (const name of ['containerStatuses', 'initContainerStatuses']) {
    for (const container of asArray(status[name]).filter(isObject)) {
      fill(container, ['lastState'], {});
      fill(container, ['state'], {});
    }
  }
  const ip = asString(status['podIP']);
  const first = asArray(status['podIPs'])[0];
  if (ip !== '' && at(first, 'ip') !== ip) status['podIPs'] = [{ ip }];
}

const role: Defaulter = (object) => fill(object, ['rules'], []);

const DEFAULTERS: { readonly [type: string]: Defaulter } = {
  '/services': service,
  '/secrets': secret,
  '/events': event,
  '/persistentvolumeclaims': claim,
  '/persistentvolumes': volume,
  '/pods': (object) => {
    const spec = object['spec'];
    if (!isObject(spec)) return;
    podSpecDefaults(spec);
    fill(spec, ['enableServiceLinks'], true);
    if (isObject(object['status'])) podStatus(object['status']);
  },
  'apps/statefulsets': statefulSet,
  'apps/deployments': deployment,
  'apps/replicasets': (object) => {
    fill(object, ['spec', 'replicas'], 1);
    template(object);
  },
  'batch/jobs': job,
  'networking.k8s.io/networkpolicies': networkPolicy,
  'rbac.authorization.k8s.io/roles': role,
  'rbac.authorization.k8s.io/clusterroles': role,
  'rbac.authorization.k8s.io/rolebindings': binding,
  'rbac.authorization.k8s.io/clusterrolebindings': binding,
  'storage.k8s.io/storageclasses': storageClass,
  'discovery.k8s.io/endpointslices': endpointSlice,
  'apiextensions.k8s.io/customresourcedefinitions': definition,
};

/** Sets, in place, the defaults of a built-in kind. Source: `pkg/apis/<group>/v1/defaults.go`. */
export function builtinDefaults(storedAs: string, object: JsonObject): void {
  DEFAULTERS[storedAs]?.(object);
}
