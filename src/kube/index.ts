/**
 * A small library to write Kubernetes operators with. It knows no operator of its own.
 *
 * A client over one pool of connections, caches that list and watch keep equal to the server, a controller that calls
 * `reconcile` for whatever changed, leader election, events, conditions. A whole operator (test/kube/example.test.ts
 * runs it):
 *
 * ```ts
 * type Greeting = KubeObject & { spec: { name: string }; status?: { conditions: Condition[] } };
 * const type = { apiVersion: 'example.com/v1', kind: 'Greeting' } as const;
 * const GREETINGS = resourceType<Greeting>({ ...type, group: 'example.com', version: 'v1', plural: 'greetings' });
 *
 * export async function runOperator(client: KubeClient, leaseClient: KubeClient, signal: AbortSignal) {
 *   const greetings = new Informer({ client, type: GREETINGS });
 *   const configMaps = new Informer({ client, type: CONFIG_MAPS });
 *   const lease = { client: leaseClient, namespace: 'default', name: 'greeter', identity: randomUUID() };
 *   const elector = new LeaderElector(lease);
 *   const controller = new Controller({
 *     name: 'greeting',
 *     primary: greetings,
 *     filter: specChanged,
 *     watches: [watching({ informer: configMaps, map: toController(GREETINGS) })],
 *     assertLeading: () => elector.assertLeading(),
 *     reconcile: async (key, { signal }) => {
 *       const greeting = greetings.store.get(key);
 *       if (greeting === undefined) return DONE;
 *       const metadata = { ...key, ownerReferences: [ownerReference(greeting)] };
 *       const data = { text: `Hello, ${greeting.spec.name}` };
 *       const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as const;
 *       await client.apply(CONFIG_MAPS, configMap, { fieldManager: 'greeter', signal });
 *       const pass = { result: DONE, generation: greeting.metadata.generation ?? 0, now: new Date().toISOString() };
 *       const status = finalizeConditions(greeting.status?.conditions ?? [], pass);
 *       const report = { ...type, metadata: key, status };
 *       await client.apply(GREETINGS, report, { fieldManager: 'greeter-status', subresource: 'status', signal });
 *       return DONE;
 *     },
 *   });
 *   const onLeading = () => controller.start(signal);
 *   await Promise.all([greetings.start(signal), configMaps.start(signal), elector.run(signal, { onLeading })]);
 * }
 * ```
 *
 * Objects have their wire form: times are strings, names are those of the JSON. Objects in a store are shared: never
 * change one. Everything that needs time takes a `Clock`, everything that counts a prom-client `Registry`.
 */
export { AccessCheck, type AccessCheckOptions } from './access-check.ts';
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
export { type LabelSelector, matchesSelector } from './label-selector.ts';
export { LeaderElector, type LeaderElectorOptions, type LeaderHandlers, LeadershipError } from './leader.ts';
export * from './objects.ts';
export { DONE, type Outcome, TerminalError } from './outcome.ts';
export { byOwner, controllerOf, isControlledBy, ownerReference, toController } from './owner.ts';
export {
  type AccessRule,
  distinct,
  type Permission,
  type PolicyRule,
  permissionsOf,
  permissionText,
  policyRules,
} from './permissions.ts';
export { LOW_PRIORITY, type QueueOptions, WorkQueue } from './queue.ts';
export * from './resources.ts';
export { type Change, type IndexFunction, Store } from './store.ts';
export type { WatchEvent } from './watch-stream.ts';
export type * from './wire.ts';
export {
  secretFiles,
  type Volume,
  type WorkerAccess,
  type WorkerMount,
  workerAccess,
  workerConfigData,
  workerJob,
  workerRules,
} from './worker-objects.ts';
