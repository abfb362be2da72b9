import {
  type Change,
  type KubeClient,
  KubeError,
  type KubeObject,
  keyOf,
  type ObjectKey,
  type OwnerReference,
  type ResourceType,
  removeFinalizer,
  WorkQueue,
} from '../../../src/kube/index.ts';
import type { Logger } from '../../../src/telemetry/index.ts';
import type { ControllerParts, Startable } from '../context.ts';
import type { KnownTypes } from '../known-types.ts';
import { decide, FOREGROUND, type GarbageStep, type OwnerState } from './decide.ts';
import { type GraphNode, OwnerGraph } from './graph.ts';

const WORKERS = 4;

type Parts = { readonly client: KubeClient; readonly log: Logger; readonly types: KnownTypes };

/** Deletes what lost its owners, as the propagation policy of the deletion says. */
export function garbageController({ client, informers, log }: ControllerParts, types: KnownTypes): Startable {
  const graph = new OwnerGraph();
  const collector = new Collector(graph, { client, log: log.child({ controller: 'garbage' }), types });

  function follow(type: ResourceType): void {
    informers.of(type).onChange((change) => collector.changed(type, change));
    collector.typeKnown();
  }

  return {
    async start(signal) {
      await types.whenKnown;
      types.onType(follow);
      await collector.run(signal);
    },
  };
}

class Collector {
  readonly #graph: OwnerGraph;
  readonly #parts: Parts;
  readonly #queue = new WorkQueue<string>({ name: 'garbage', textOf: (uid) => uid, backoffFloorSeconds: 0.1 });

  /** Objects with an owner of a kind that isn't known yet. */
  readonly #undecided = new Set<string>();

  constructor(graph: OwnerGraph, parts: Parts) {
    this.#graph = graph;
    this.#parts = parts;
  }

  changed(type: ResourceType, { type: kind, object }: Change<KubeObject>): void {
    const { uid = '', ownerReferences = [], finalizers = [] } = object.metadata;
    const owners = [...ownerReferences, ...(this.#graph.get(uid)?.object.metadata.ownerReferences ?? [])];
    if (kind === 'deleted') this.#graph.remove(uid);
    else this.#graph.put(type, object);
    if (ownerReferences.length > 0 || finalizers.length > 0) this.#queue.add(uid);
    // An owner in deletion may wait for this one; a deleted owner leaves dependants.
    for (const owner of owners) if (this.#graph.get(owner.uid) !== undefined) this.#queue.add(owner.uid);
    const leaving = kind === 'deleted' || object.metadata.deletionTimestamp !== undefined;
    if (leaving) for (const node of this.#graph.dependentsOf(uid)) this.#queue.add(node.object.metadata.uid ?? '');
  }

  /** One more kind can be asked for. */
  typeKnown(): void {
    for (const uid of this.#undecided) this.#queue.add(uid);
    this.#undecided.clear();
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#queue.close(), { once: true });
    if (signal.aborted) this.#queue.close();
    await Promise.all(Array.from({ length: WORKERS }, () => this.#work()));
  }

  async #work(): Promise<void> {
    for (let item = await this.#queue.next(); item !== undefined; item = await this.#queue.next()) {
      const { key } = item;
      try {
        await this.#collect(key);
        this.#queue.forget(key);
      } catch (error) {
        const lost = error instanceof KubeError && error.isConflict;
        if (!lost) this.#parts.log.warn({ err: error }, 'object not collected yet');
        this.#queue.addRateLimited(key);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #collect(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (node === undefined) return;
    const dependents = this.#graph.dependentsOf(uid).map(({ object }) => object);
    const references = node.object.metadata.ownerReferences ?? [];
    const owners = await Promise.all(
      references.map(async (reference) => ({ reference, state: await this.#stateOf(node, reference) })),
    );
    // Its kind may become known later; an owner that is gone by then tells nobody.
    if (owners.some(({ state }) => state === 'unknown')) this.#undecided.add(uid);
    const step = decide({ object: node.object, owners, dependents });
    if (step !== undefined) await this.#carryOut(node, step);
  }

  /** An owner that the cache lacks is asked for by name: a cache may only be late. */
  async #stateOf({ type, object }: GraphNode, reference: OwnerReference): Promise<OwnerState> {
    const known = this.#graph.get(reference.uid)?.object;
    if (known !== undefined) return stateOf(known);
    const group = reference.apiVersion.includes('/') ? (reference.apiVersion.split('/')[0] ?? '') : '';
    const ownerType = this.#parts.types.find(group, reference.kind);
    if (ownerType === undefined) return 'unknown';
    // Nothing in a namespace can own what lives in none.
    if (ownerType.namespaced && !type.namespaced) return 'unknown';
    const namespace = ownerType.namespaced ? (object.metadata.namespace ?? '') : '';
    const key: ObjectKey = { namespace, name: reference.name };
    const live = await this.#parts.client.find(ownerType, key);
    return live?.metadata.uid === reference.uid ? stateOf(live) : 'gone';
  }

  async #carryOut({ type, object }: GraphNode, step: GarbageStep): Promise<void> {
    const { client, log } = this.#parts;
    const { uid = '', resourceVersion = '' } = object.metadata;
    switch (step.kind) {
      case 'delete':
        log.debug({ kind: object.kind, object: object.metadata.name }, 'object without owner deleted');
        // Owners may have been added since: then the version is another.
        return client.delete(type, keyOf(object), { uid, resourceVersion, propagationPolicy: step.propagationPolicy });
      case 'setOwners':
        return this.#setOwners(type, object, step.owners);
      case 'orphanDependents':
        for (const dependent of step.dependents) await this.#orphan(dependent, uid);
        return;
      case 'removeFinalizer':
        await removeFinalizer(client, { type, object }, step.finalizer);
    }
  }

  async #orphan(dependent: KubeObject, owner: string): Promise<void> {
    const { uid = '', ownerReferences = [] } = dependent.metadata;
    const type = this.#graph.get(uid)?.type;
    const kept = ownerReferences.filter((reference) => reference.uid !== owner);
    if (type !== undefined) await this.#setOwners(type, dependent, kept);
  }

  async #setOwners(type: ResourceType, object: KubeObject, owners: readonly OwnerReference[]): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const body = { metadata: { uid, resourceVersion, ownerReferences: owners } };
    try {
      await this.#parts.client.patch(type, keyOf(object), body, { type: 'merge' });
    } catch (error) {
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
    }
  }
}

function stateOf({ metadata }: KubeObject): OwnerState {
  const waits = metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(FOREGROUND) === true;
  return waits ? 'waiting' : 'living';
}
