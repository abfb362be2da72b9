import { asArray, asNumber, asObject, asString, asStrings, at, type Json, textOf } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import { age } from './age.ts';
import { selectorText } from './selector-text.ts';

type Reader = (object: ApiObject, now: number) => Json;
/** Title, cell, and priority (above 0 only in `-o wide`). */
export type BuiltinColumn = readonly [name: string, read: Reader, priority?: number];

const AGE: BuiltinColumn = ['Age', (object, now) => age(object.metadata.creationTimestamp, now)];

const field =
  (...path: string[]): Reader =>
  (object) =>
    plain(at(object, ...path));
const count =
  (...path: string[]): Reader =>
  (object) =>
    asNumber(at(object, ...path)) ?? 0;

const plain = (value: Json | undefined): string => blank(textOf(value));
const blank = (text: string): string => (text === '' ? '<none>' : text);
const size = (value: Json | undefined): number => Object.keys(asObject(value)).length;
const joined = (values: readonly string[]): string => blank(values.join(','));
const names = (containers: Json | undefined, name: string): string =>
  joined(asArray(containers).map((item) => asString(at(item, name))));

const ACCESS: { readonly [mode: string]: string } = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};
const modes: Reader = (object) =>
  joined(asStrings(at(object, 'spec', 'accessModes')).map((mode) => ACCESS[mode] ?? mode)).replace('<none>', '');

function podStatus(pod: ApiObject): string {
  const reason = asString(at(pod, 'status', 'reason')) || asString(at(pod, 'status', 'phase'));
  const waiting = asArray(at(pod, 'status', 'containerStatuses')).map((status) => {
    const state = asObject(at(status, 'state'));
    const stopped = asString(at(state['terminated'], 'reason'));
    return asString(at(state['waiting'], 'reason')) || stopped || (state['terminated'] === undefined ? '' : 'Error');
  });
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  return waiting.find((text) => text !== '') ?? reason;
}

const podReady: Reader = (pod) => {
  const ready = asArray(at(pod, 'status', 'containerStatuses')).filter((status) => at(status, 'ready') === true);
  return `${ready.length}/${asArray(at(pod, 'spec', 'containers')).length}`;
};

const restarts: Reader = (pod) =>
  asArray(at(pod, 'status', 'containerStatuses')).reduce<number>(
    (sum, status) => sum + (asNumber(at(status, 'restartCount')) ?? 0),
    0,
  );

const ready: Reader = (object) =>
  `${asNumber(at(object, 'status', 'readyReplicas')) ?? 0}/${asNumber(at(object, 'spec', 'replicas')) ?? 0}`;

const containers = (...path: string[]): BuiltinColumn[] => [
  ['Containers', (object) => names(at(object, ...path, 'containers'), 'name'), 1],
  ['Images', (object) => names(at(object, ...path, 'containers'), 'image'), 1],
];
const TEMPLATE = ['spec', 'template', 'spec'];
const SELECTOR: BuiltinColumn = ['Selector', (object) => blank(selectorText(at(object, 'spec', 'selector'))), 1];

function ports(service: ApiObject): string {
  return joined(
    asArray(at(service, 'spec', 'ports')).map((port) => {
      const node = asNumber(at(port, 'nodePort'));
      return `${plain(at(port, 'port'))}${node === undefined ? '' : `:${node}`}/${plain(at(port, 'protocol'))}`;
    }),
  );
}

const serviceSelector: Reader = (service) =>
  joined(Object.entries(asObject(at(service, 'spec', 'selector'))).map(([key, value]) => `${key}=${asString(value)}`));

function nodeStatus(node: ApiObject): string {
  const condition = asArray(at(node, 'status', 'conditions')).find((item) => at(item, 'type') === 'Ready');
  const state = condition === undefined ? 'Unknown' : at(condition, 'status') === 'True' ? 'Ready' : 'NotReady';
  return at(node, 'spec', 'unschedulable') === true ? `${state},SchedulingDisabled` : state;
}

const ROLE_LABEL = 'node-role.kubernetes.io/';
const nodeRoles: Reader = ({ metadata }) =>
  joined(
    Object.keys(metadata.labels ?? {})
      .filter((key) => key.startsWith(ROLE_LABEL))
      .map((key) => key.slice(ROLE_LABEL.length)),
  );

const nodeAddress =
  (type: string): Reader =>
  (node) =>
    plain(
      at(
        asArray(at(node, 'status', 'addresses')).find((item) => at(item, 'type') === type),
        'address',
      ),
    );

function jobStatus(job: ApiObject): string {
  const holds = (type: string): boolean =>
    asArray(at(job, 'status', 'conditions')).some((item) => at(item, 'type') === type && at(item, 'status') === 'True');
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  return holds('Suspended') ? 'Suspended' : 'Running';
}

function jobDuration(job: ApiObject, now: number): string {
  const started = asString(at(job, 'status', 'startTime'));
  const ended = asString(at(job, 'status', 'completionTime'));
  return started === '' ? '' : age(started, ended === '' ? now : Date.parse(ended));
}

const roleName: Reader = (object) =>
  `${asString(at(object, 'roleRef', 'kind'))}/${asString(at(object, 'roleRef', 'name'))}`;
const lastSeen: Reader = (event, now) => {
  const series = asString(at(event, 'series', 'lastObservedTime'));
  return age(
    series || asString(event['lastTimestamp']) || asString(event['eventTime']) || asString(event['firstTimestamp']),
    now,
  );
};
const firstSeen: Reader = (event, now) =>
  age(
    asString(event['firstTimestamp']) || asString(event['eventTime']) || asString(event['deprecatedFirstTimestamp']),
    now,
  );

const eventSource: Reader = (event) => {
  const source = event['source'] ?? event['deprecatedSource'];
  const who = [asString(at(source, 'component')), asString(at(source, 'host'))].filter((part) => part !== '');
  if (who.length > 0) return who.join(', ');
  const controller = event['reportingComponent'] ?? event['reportingController'];
  return [asString(controller), asString(event['reportingInstance'])].filter((part) => part !== '').join(', ');
};

const regarding: Reader = (event) => {
  const object = asObject(event['involvedObject'] ?? event['regarding']);
  return `${asString(object['kind']).toLowerCase()}/${asString(object['name'])}`;
};
const budget =
  (name: string): Reader =>
  (object) => {
    const value = at(object, 'spec', name);
    return value === undefined ? 'N/A' : plain(value);
  };
const endpoints: Reader = (object) =>
  joined(asArray(object['endpoints']).flatMap((item) => asStrings(at(item, 'addresses'))));
const slicePorts: Reader = (object) => joined(asArray(object['ports']).map((port) => plain(at(port, 'port'))));
const subsets: Reader = (object) =>
  joined(
    asArray(object['subsets']).flatMap((subset) =>
      asArray(at(subset, 'addresses')).flatMap((address) =>
        asArray(at(subset, 'ports')).map((port) => `${asString(at(address, 'ip'))}:${plain(at(port, 'port'))}`),
      ),
    ),
  );

const bound: Reader = (object) =>
  object.metadata.deletionTimestamp === undefined ? asString(at(object, 'status', 'phase')) : 'Terminating';
const text =
  (...path: string[]): Reader =>
  (object) =>
    asString(at(object, ...path));
const claimRef: Reader = (object) => {
  const ref = asObject(at(object, 'spec', 'claimRef'));
  return ref['name'] === undefined ? '' : `${asString(ref['namespace'])}/${asString(ref['name'])}`;
};

/** Columns by storage type. Source: `pkg/printers/internalversion/printers.go`. */
export const BUILTIN_COLUMNS: { readonly [storedAs: string]: readonly BuiltinColumn[] } = {
  '/pods': [
    ['Ready', podReady],
    ['Status', podStatus],
    ['Restarts', restarts],
    AGE,
    ['IP', field('status', 'podIP'), 1],
    ['Node', field('spec', 'nodeName'), 1],
    ['Nominated Node', field('status', 'nominatedNodeName'), 1],
    ['Readiness Gates', () => '<none>', 1],
  ],
  '/services': [
    ['Type', text('spec', 'type')],
    ['Cluster-IP', field('spec', 'clusterIP')],
    ['External-IP', () => '<none>'],
    ['Port(s)', ports],
    AGE,
    ['Selector', serviceSelector, 1],
  ],
  '/configmaps': [['Data', (object) => size(object['data']) + size(object['binaryData'])], AGE],
  '/secrets': [['Type', text('type')], ['Data', (object) => size(object['data'])], AGE],
  '/serviceaccounts': [AGE],
  '/namespaces': [['Status', text('status', 'phase')], AGE],
  '/nodes': [
    ['Status', nodeStatus],
    ['Roles', nodeRoles],
    AGE,
    ['Version', text('status', 'nodeInfo', 'kubeletVersion')],
    ['Internal-IP', nodeAddress('InternalIP'), 1],
    ['External-IP', nodeAddress('ExternalIP'), 1],
    ['OS-Image', text('status', 'nodeInfo', 'osImage'), 1],
    ['Kernel-Version', text('status', 'nodeInfo', 'kernelVersion'), 1],
    ['Container-Runtime', text('status', 'nodeInfo', 'containerRuntimeVersion'), 1],
  ],
  '/persistentvolumeclaims': [
    ['Status', bound],
    ['Volume', text('spec', 'volumeName')],
    ['Capacity', text('status', 'capacity', 'storage')],
    ['Access Modes', modes],
    ['StorageClass', text('spec', 'storageClassName')],
    ['VolumeAttributesClass', () => '<unset>'],
    AGE,
    ['VolumeMode', text('spec', 'volumeMode'), 1],
  ],
  '/persistentvolumes': [
    ['Capacity', text('spec', 'capacity', 'storage')],
    ['Access Modes', modes],
    ['Reclaim Policy', text('spec', 'persistentVolumeReclaimPolicy')],
    ['Status', bound],
    ['Claim', claimRef],
    ['StorageClass', text('spec', 'storageClassName')],
    ['VolumeAttributesClass', () => '<unset>'],
    ['Reason', text('status', 'reason')],
    AGE,
    ['VolumeMode', text('spec', 'volumeMode'), 1],
  ],
  '/endpoints': [['Endpoints', subsets], AGE],
  '/events': [
    ['Last Seen', lastSeen],
    ['Type', text('type')],
    ['Reason', text('reason')],
    ['Object', regarding],
    ['Subobject', text('involvedObject', 'fieldPath'), 1],
    ['Source', eventSource, 1],
    ['Message', (event) => asString(event['message'] ?? event['note'])],
    ['First Seen', firstSeen, 1],
    ['Count', (event) => asNumber(at(event, 'series', 'count')) ?? (asNumber(event['count']) || 1), 1],
    ['Name', (event) => event.metadata.name, 1],
  ],
  'apps/statefulsets': [['Ready', ready], AGE, ...containers(...TEMPLATE)],
  'apps/deployments': [
    ['Ready', ready],
    ['Up-to-date', count('status', 'updatedReplicas')],
    ['Available', count('status', 'availableReplicas')],
    AGE,
    ...containers(...TEMPLATE),
    SELECTOR,
  ],
  'apps/replicasets': [
    ['Desired', count('spec', 'replicas')],
    ['Current', count('status', 'replicas')],
    ['Ready', count('status', 'readyReplicas')],
    AGE,
    ...containers(...TEMPLATE),
    SELECTOR,
  ],
  'apps/controllerrevisions': [
    [
      'Controller',
      ({ metadata }) =>
        joined((metadata.ownerReferences ?? []).map(({ kind, name }) => `${kind.toLowerCase()}/${name}`)),
    ],
    ['Revision', count('revision')],
    AGE,
  ],
  'batch/jobs': [
    ['Status', jobStatus],
    [
      'Completions',
      (job) => `${asNumber(at(job, 'status', 'succeeded')) ?? 0}/${asNumber(at(job, 'spec', 'completions')) ?? 1}`,
    ],
    ['Duration', jobDuration],
    AGE,
    ...containers(...TEMPLATE),
    SELECTOR,
  ],
  'policy/poddisruptionbudgets': [
    ['Min Available', budget('minAvailable')],
    ['Max Unavailable', budget('maxUnavailable')],
    ['Allowed Disruptions', count('status', 'disruptionsAllowed')],
    AGE,
  ],
  'networking.k8s.io/networkpolicies': [
    ['Pod-Selector', (object) => blank(selectorText(at(object, 'spec', 'podSelector')))],
    AGE,
  ],
  'rbac.authorization.k8s.io/roles': [['Created At', (object) => object.metadata.creationTimestamp]],
  'rbac.authorization.k8s.io/clusterroles': [['Created At', (object) => object.metadata.creationTimestamp]],
  'rbac.authorization.k8s.io/rolebindings': [['Role', roleName], AGE],
  'rbac.authorization.k8s.io/clusterrolebindings': [['Role', roleName], AGE],
  'coordination.k8s.io/leases': [['Holder', text('spec', 'holderIdentity')], AGE],
  'discovery.k8s.io/endpointslices': [
    ['AddressType', text('addressType')],
    ['Ports', slicePorts],
    ['Endpoints', endpoints],
    AGE,
  ],
  'storage.k8s.io/storageclasses': [
    ['Provisioner', text('provisioner')],
    ['ReclaimPolicy', text('reclaimPolicy')],
    ['VolumeBindingMode', text('volumeBindingMode')],
    ['AllowVolumeExpansion', (object) => object['allowVolumeExpansion'] === true],
    AGE,
  ],
  'apiextensions.k8s.io/customresourcedefinitions': [['Created At', (object) => object.metadata.creationTimestamp]],
};
