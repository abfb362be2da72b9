export {
  type ApplyOptions,
  type DeleteOptions,
  KubeClient,
  type KubeClientOptions,
  type ListOptions,
  type ListPage,
  type PatchOptions,
  type RequestOptions,
  type WriteOptions,
} from './client.ts';
export { type Clock, microTime, systemClock } from './clock.ts';
export * from './conditions.ts';
export { type Connection, type Credentials, inClusterConnection, staticConnection } from './connection.ts';
export {
  Controller,
  type ControllerOptions,
  type ReconcileContext,
  type Watched,
  watching,
} from './controller.ts';
export { KubeError, type Status, type StatusCause, type StatusDetails } from './errors.ts';
export { EventRecorder, type EventRecorderOptions, type Occurrence } from './events.ts';
export { Expectations } from './expectations.ts';
export { specChanged } from './filters.ts';
export { addFinalizer, hasFinalizer, removeFinalizer } from './finalizer.ts';
export { Informer, type InformerOptions } from './informer.ts';
export {
  connectionFromClientNode,
  connectionFromKubeconfig,
  connectionFromKubeconfigFile,
  defaultConnection,
} from './kubeconfig.ts';
export { LeaderElector, type LeaderElectorOptions, type LeaderHandlers, LeadershipError } from './leader.ts';
export * from './objects.ts';
export { DONE, type Outcome, TerminalError } from './outcome.ts';
export { controllerOf, isControlledBy, ownerReference, toController } from './owner.ts';
export { LOW_PRIORITY, type QueueOptions, WorkQueue } from './queue.ts';
export * from './resources.ts';
export { type Change, type IndexFunction, Store } from './store.ts';
export type { WatchEvent } from './watch-stream.ts';
export type * from './wire.ts';
