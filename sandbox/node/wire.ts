import type { ConfigMap, Pod, Secret } from '../../src/kube/index.ts';

export type PodSpec = NonNullable<Pod['spec']>;
export type PodStatus = NonNullable<Pod['status']>;
export type Container = PodSpec['containers'][number];
export type ContainerStatus = NonNullable<PodStatus['containerStatuses']>[number];
export type ContainerState = NonNullable<ContainerStatus['state']>;
export type PodCondition = NonNullable<PodStatus['conditions']>[number];
export type Probe = NonNullable<Container['readinessProbe']>;
export type LifecycleHandler = NonNullable<NonNullable<Container['lifecycle']>['preStop']>;
export type Volume = NonNullable<PodSpec['volumes']>[number];
export type ProjectedSource = NonNullable<NonNullable<Volume['projected']>['sources']>[number];
export type KeyToPath = NonNullable<NonNullable<Volume['configMap']>['items']>[number];
export type DownwardItem = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

/** The objects of a pod's namespace that its environment and volumes refer to. */
export type References = {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
};

export const podName = (pod: Pod): string => pod.metadata.name;
export const podNamespace = (pod: Pod): string => pod.metadata.namespace ?? '';
export const podUid = (pod: Pod): string => pod.metadata.uid ?? '';
