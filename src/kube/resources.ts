import { resourceType } from './objects.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  CustomResourceDefinition,
  Deployment,
  EndpointSlice,
  Job,
  KubeEvent,
  Lease,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
  StorageClass,
} from './wire.ts';

const core = { group: '', version: 'v1' } as const;
const apps = { group: 'apps', version: 'v1' } as const;
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;

export const CONFIG_MAPS = resourceType<ConfigMap>({ ...core, kind: 'ConfigMap', plural: 'configmaps' });
export const NAMESPACES = resourceType<Namespace>({
  ...core,
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
});
export const NODES = resourceType<Node>({ ...core, kind: 'Node', plural: 'nodes', namespaced: false });
export const PERSISTENT_VOLUMES = resourceType<PersistentVolume>({
  ...core,
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  namespaced: false,
});
export const PERSISTENT_VOLUME_CLAIMS = resourceType<PersistentVolumeClaim>({
  ...core,
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
});
export const PODS = resourceType<Pod>({ ...core, kind: 'Pod', plural: 'pods' });
export const SECRETS = resourceType<Secret>({ ...core, kind: 'Secret', plural: 'secrets' });
export const SERVICES = resourceType<Service>({ ...core, kind: 'Service', plural: 'services' });
export const SERVICE_ACCOUNTS = resourceType<ServiceAccount>({
  ...core,
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
});

export const DEPLOYMENTS = resourceType<Deployment>({ ...apps, kind: 'Deployment', plural: 'deployments' });
export const STATEFUL_SETS = resourceType<StatefulSet>({ ...apps, kind: 'StatefulSet', plural: 'statefulsets' });
export const JOBS = resourceType<Job>({ group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs' });
export const POD_DISRUPTION_BUDGETS = resourceType<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
});
export const NETWORK_POLICIES = resourceType<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
});
export const ENDPOINT_SLICES = resourceType<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
});
export const LEASES = resourceType<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
});
export const EVENTS = resourceType<KubeEvent>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
});

export const ROLES = resourceType<Role>({ ...rbac, kind: 'Role', plural: 'roles' });
export const ROLE_BINDINGS = resourceType<RoleBinding>({ ...rbac, kind: 'RoleBinding', plural: 'rolebindings' });
export const CLUSTER_ROLES = resourceType<ClusterRole>({
  ...rbac,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
});
export const CLUSTER_ROLE_BINDINGS = resourceType<ClusterRoleBinding>({
  ...rbac,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
});
export const STORAGE_CLASSES = resourceType<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  namespaced: false,
});
export const CUSTOM_RESOURCE_DEFINITIONS = resourceType<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
});
