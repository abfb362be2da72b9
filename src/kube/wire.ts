import type {
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1ConfigMap,
  V1Deployment,
  V1EndpointSlice,
  V1Job,
  V1Lease,
  V1Namespace,
  V1NetworkPolicy,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
  V1StorageClass,
} from '@kubernetes/client-node';
import type { KubeObject } from './objects.ts';

type IsAny<T> = 0 extends 1 & T ? true : false;

/** Model names that are words of JavaScript bear an underscore (`_from`), the wire does not. */
type WireKey<K> = K extends `_${infer Name}` ? Name : K;

/** The JSON form of a client-node model: times are strings, names are those on the wire. */
export type Wire<T> =
  IsAny<T> extends true
    ? unknown
    : T extends Date
      ? string
      : T extends (infer Item)[]
        ? Wire<Item>[]
        : T extends object
          ? { [K in keyof T as WireKey<K>]: Wire<T[K]> }
          : T;

/** A built-in kind: the model's fields in wire form under our own metadata. */
type BuiltIn<Kind extends string, Model> = KubeObject & { kind: Kind } & Omit<
    Wire<Model>,
    'apiVersion' | 'kind' | 'metadata'
  >;

export type ClusterRole = BuiltIn<'ClusterRole', V1ClusterRole>;
export type ClusterRoleBinding = BuiltIn<'ClusterRoleBinding', V1ClusterRoleBinding>;
export type ConfigMap = BuiltIn<'ConfigMap', V1ConfigMap>;
export type Deployment = BuiltIn<'Deployment', V1Deployment>;
export type EndpointSlice = BuiltIn<'EndpointSlice', V1EndpointSlice>;
export type Job = BuiltIn<'Job', V1Job>;
export type Lease = BuiltIn<'Lease', V1Lease>;
export type Namespace = BuiltIn<'Namespace', V1Namespace>;
export type NetworkPolicy = BuiltIn<'NetworkPolicy', V1NetworkPolicy>;
export type Node = BuiltIn<'Node', V1Node>;
export type PersistentVolume = BuiltIn<'PersistentVolume', V1PersistentVolume>;
export type PersistentVolumeClaim = BuiltIn<'PersistentVolumeClaim', V1PersistentVolumeClaim>;
export type Pod = BuiltIn<'Pod', V1Pod>;
export type PodDisruptionBudget = BuiltIn<'PodDisruptionBudget', V1PodDisruptionBudget>;
export type Role = BuiltIn<'Role', V1Role>;
export type RoleBinding = BuiltIn<'RoleBinding', V1RoleBinding>;
export type Secret = BuiltIn<'Secret', V1Secret>;
export type Service = BuiltIn<'Service', V1Service>;
export type ServiceAccount = BuiltIn<'ServiceAccount', V1ServiceAccount>;
export type StatefulSet = BuiltIn<'StatefulSet', V1StatefulSet>;
export type StorageClass = BuiltIn<'StorageClass', V1StorageClass>;

/** `events.k8s.io/v1`. Times have six fractional digits. */
export type KubeEvent = KubeObject & {
  kind: 'Event';
  eventTime: string;
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note: string;
  reportingController: string;
  reportingInstance: string;
  regarding: ObjectReference;
  series?: { count: number; lastObservedTime: string };
};

export type ObjectReference = {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
};

/** The model of client-node renames schema keywords, so schemas are left open here. */
export type CustomResourceDefinition = KubeObject & {
  kind: 'CustomResourceDefinition';
  spec: {
    group: string;
    scope: 'Namespaced' | 'Cluster';
    names: {
      kind: string;
      plural: string;
      singular?: string;
      listKind?: string;
      shortNames?: string[];
      categories?: string[];
    };
    versions: {
      name: string;
      served: boolean;
      storage: boolean;
      schema?: { openAPIV3Schema?: Record<string, unknown> };
      subresources?: { status?: Record<string, never>; scale?: Record<string, string> };
      additionalPrinterColumns?: Record<string, unknown>[];
    }[];
  };
  status?: { conditions?: { type: string; status: string; reason?: string; message?: string }[] };
};
