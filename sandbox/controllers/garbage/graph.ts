import type { KubeObject, ResourceType } from '../../../src/kube/index.ts';

export type GraphNode = { readonly type: ResourceType; readonly object: KubeObject };

/** All objects of the cluster by uid, and who depends on whom. */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  /** Owner's uid to the uids of its dependants; an owner need not be known. */
  readonly #dependents = new Map<string, Set<string>>();

  put(type: ResourceType, object: KubeObject): void {
    const { uid = '' } = object.metadata;
    this.#unlink(uid);
    this.#nodes.set(uid, { type, object });
    for (const { uid: owner } of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner) ?? new Set();
      this.#dependents.set(owner, dependents.add(uid));
    }
  }

  remove(uid: string): void {
    this.#unlink(uid);
    this.#nodes.delete(uid);
  }

  #unlink(uid: string): void {
    for (const { uid: owner } of this.#nodes.get(uid)?.object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner);
    }
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  dependentsOf(uid: string): GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? []);
  }
}
