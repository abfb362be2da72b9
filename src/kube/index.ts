export { KubeClient, type KubeClientOptions, type ListOptions, type ListPage } from './client.ts';
export { type Clock, microTime, systemClock } from './clock.ts';
export { type Connection, type Credentials, inClusterConnection, staticConnection } from './connection.ts';
export { KubeError, type Status, type StatusCause, type StatusDetails } from './errors.ts';
export { Informer, type InformerOptions } from './informer.ts';
export {
  connectionFromClientNode,
  connectionFromKubeconfig,
  connectionFromKubeconfigFile,
  defaultConnection,
} from './kubeconfig.ts';
export * from './objects.ts';
export * from './resources.ts';
export { type Change, type IndexFunction, Store } from './store.ts';
export type { WatchEvent } from './watch-stream.ts';
export type * from './wire.ts';
