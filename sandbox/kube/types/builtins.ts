import type { ApiObject } from '../objects.ts';
import { builtinSchema } from './builtin-schemas.ts';
import { eventFromStored, eventToStored } from './events.ts';
import type { Resource, Scale } from './resource.ts';

type Entry = {
  kind: string;
  plural: string;
  short?: readonly string[];
  all?: true;
  cluster?: true;
  model?: string;
  status?: true;
  scale?: true;
  subresources?: { readonly [name: string]: readonly string[] };
  generation?: true;
  conditionalUpdate?: true;
  readOnly?: true;
  fields?: readonly string[];
};

const REPLICAS: Scale = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.spec.selector',
};

const POD_FIELDS = [
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.serviceAccountName',
  'status.phase',
  'status.podIP',
  'status.nominatedNodeName',
];
const objectFields = (field: string): string[] =>
  ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((name) => `${field}.${name}`);
const CORE_EVENT_FIELDS = [...objectFields('involvedObject'), 'reason', 'reportingComponent', 'source', 'type'];
const NEW_EVENT_FIELDS = [...objectFields('regarding'), 'reason', 'reportingController', 'type'];

/** What is served, by group and version. Workloads, storage and network kinds as far as the product needs them. */
const TABLE: { readonly [groupVersion: string]: readonly Entry[] } = {
  v1: [
    {
      kind: 'Namespace',
      plural: 'namespaces',
      short: ['ns'],
      cluster: true,
      status: true,
      subresources: { finalize: ['update'] },
      fields: ['status.phase'],
    },
    { kind: 'Node', plural: 'nodes', short: ['no'], cluster: true, status: true, fields: ['spec.unschedulable'] },
    {
      kind: 'Pod',
      plural: 'pods',
      short: ['po'],
      all: true,
      status: true,
      generation: true,
      fields: POD_FIELDS,
      subresources: { log: ['get'], eviction: ['create'], binding: ['create'] },
    },
    {
      kind: 'Service',
      plural: 'services',
      short: ['svc'],
      all: true,
      status: true,
      fields: ['spec.clusterIP', 'spec.type'],
    },
    { kind: 'ConfigMap', plural: 'configmaps', short: ['cm'] },
    { kind: 'Secret', plural: 'secrets', fields: ['type'] },
    { kind: 'ServiceAccount', plural: 'serviceaccounts', short: ['sa'], subresources: { token: ['create'] } },
    { kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', short: ['pvc'], status: true },
    { kind: 'PersistentVolume', plural: 'persistentvolumes', short: ['pv'], cluster: true, status: true },
    { kind: 'Event', plural: 'events', short: ['ev'], model: 'CoreV1Event', fields: CORE_EVENT_FIELDS },
    { kind: 'Endpoints', plural: 'endpoints', short: ['ep'] },
    { kind: 'ResourceQuota', plural: 'resourcequotas', short: ['quota'], readOnly: true },
    { kind: 'LimitRange', plural: 'limitranges', short: ['limits'], readOnly: true },
  ],
  'apps/v1': [
    {
      kind: 'StatefulSet',
      plural: 'statefulsets',
      short: ['sts'],
      all: true,
      status: true,
      scale: true,
      generation: true,
    },
    {
      kind: 'Deployment',
      plural: 'deployments',
      short: ['deploy'],
      all: true,
      status: true,
      scale: true,
      generation: true,
    },
    {
      kind: 'ReplicaSet',
      plural: 'replicasets',
      short: ['rs'],
      all: true,
      status: true,
      scale: true,
      generation: true,
    },
    { kind: 'ControllerRevision', plural: 'controllerrevisions' },
  ],
  'batch/v1': [
    { kind: 'Job', plural: 'jobs', all: true, status: true, generation: true, fields: ['status.successful'] },
  ],
  'policy/v1': [
    {
      kind: 'PodDisruptionBudget',
      plural: 'poddisruptionbudgets',
      short: ['pdb'],
      status: true,
      generation: true,
      conditionalUpdate: true,
    },
  ],
  'networking.k8s.io/v1': [{ kind: 'NetworkPolicy', plural: 'networkpolicies', short: ['netpol'], generation: true }],
  'rbac.authorization.k8s.io/v1': [
    { kind: 'Role', plural: 'roles' },
    { kind: 'RoleBinding', plural: 'rolebindings' },
    { kind: 'ClusterRole', plural: 'clusterroles', cluster: true },
    { kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', cluster: true },
  ],
  'coordination.k8s.io/v1': [{ kind: 'Lease', plural: 'leases', conditionalUpdate: true }],
  'discovery.k8s.io/v1': [{ kind: 'EndpointSlice', plural: 'endpointslices', generation: true }],
  'events.k8s.io/v1': [
    { kind: 'Event', plural: 'events', short: ['ev'], model: 'EventsV1Event', fields: NEW_EVENT_FIELDS },
  ],
  'storage.k8s.io/v1': [{ kind: 'StorageClass', plural: 'storageclasses', short: ['sc'], cluster: true }],
  'apiextensions.k8s.io/v1': [
    {
      kind: 'CustomResourceDefinition',
      plural: 'customresourcedefinitions',
      short: ['crd', 'crds'],
      cluster: true,
      status: true,
      generation: true,
      conditionalUpdate: true,
    },
  ],
};

/** Kinds of Kubernetes that exist and aren't modelled: asking for them answers 501, not 404. */
export const NOT_MODELLED: ReadonlySet<string> = new Set([
  '/replicationcontrollers',
  '/podtemplates',
  '/componentstatuses',
  '/bindings',
  'apps/daemonsets',
  'batch/cronjobs',
  'autoscaling/horizontalpodautoscalers',
  'networking.k8s.io/ingresses',
  'networking.k8s.io/ingressclasses',
  'storage.k8s.io/csidrivers',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/volumeattachments',
  'scheduling.k8s.io/priorityclasses',
  'admissionregistration.k8s.io/validatingwebhookconfigurations',
  'admissionregistration.k8s.io/mutatingwebhookconfigurations',
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  'apiregistration.k8s.io/apiservices',
  'certificates.k8s.io/certificatesigningrequests',
  'node.k8s.io/runtimeclasses',
  'authorization.k8s.io/selfsubjectrulesreviews',
]);

export const builtinResources = (): Resource[] =>
  Object.entries(TABLE).flatMap(([gv, entries]) => {
    const [first = '', second] = gv.split('/');
    const group = second === undefined ? '' : first;
    return entries.map((entry) => resourceOf(group, second ?? first, entry));
  });

function resourceOf(group: string, version: string, entry: Entry): Resource {
  const isEvent = entry.kind === 'Event';
  const model = entry.model ?? `V1${entry.kind}`;
  const resource: Resource = {
    group,
    version,
    kind: entry.kind,
    listKind: `${entry.kind}List`,
    plural: entry.plural,
    singular: entry.kind.toLowerCase(),
    shortNames: entry.short ?? [],
    categories: entry.all === true ? ['all'] : [],
    namespaced: entry.cluster !== true,
    storedAs: isEvent ? '/events' : `${group}/${entry.plural}`,
    get schema() {
      return builtinSchema(model);
    },
    statusSubresource: entry.status === true,
    ...(entry.scale === true ? { scale: REPLICAS } : {}),
    subresources: entry.subresources ?? {},
    countsGenerations: entry.generation === true,
    unconditionalUpdate: entry.conditionalUpdate !== true,
    readOnly: entry.readOnly === true,
    selectableFields: entry.fields ?? [],
    toStored: group === 'events.k8s.io' ? eventToStored : same,
    fromStored: group === 'events.k8s.io' ? eventFromStored : same,
  };
  return resource;
}

const same = (object: ApiObject): ApiObject => object;
