import { readObjects } from '../../sandbox/install.ts';
import { type ApiServer, startApiServer } from '../../sandbox/kube/index.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  KubeClient,
  type KubeClientOptions,
  type KubeObject,
  type Permission,
  type PolicyRule,
  permissionsOf,
  type ResourceType,
  ROLE_BINDINGS,
  ROLES,
  staticConnection,
} from '../../src/kube/index.ts';
import { ROOT } from '../architecture/sources.ts';

export const NAMESPACE = 'qdrant-librarian-system';
export const USER = `system:serviceaccount:${NAMESPACE}:qdrant-librarian`;

const TYPES = [CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS] as readonly unknown[];
type RoleObject = KubeObject & { rules?: PolicyRule[] };

/** An API server that holds the published roles and bindings of the operator, and nothing else. */
export class World {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  readonly #published: readonly RoleObject[];
  readonly #clients: KubeClient[] = [];

  private constructor(server: ApiServer, published: readonly RoleObject[]) {
    this.server = server;
    this.#published = published;
    this.admin = this.client('system:admin');
  }

  static async start(): Promise<World> {
    const server = await startApiServer({ tls: false });
    const world = new World(server, await readObjects(`${ROOT}/manifests/base/rbac.yaml`));
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    await world.admin.raw('POST', '/api/v1/namespaces', { body: namespace });
    await world.grantAll();
    return world;
  }

  client(user = USER, options: Partial<KubeClientOptions> = {}): KubeClient {
    const { server } = this;
    const config = staticConnection({ server: server.url, token: server.tokenFor(user) });
    const client = new KubeClient({ config, maxRetries: 0, ...options });
    this.#clients.push(client);
    return client;
  }

  grantAll(): Promise<void> {
    return this.#install(this.#published);
  }

  /** Takes a permission away, from whichever roles hold it. */
  async takeAway(permission: Permission): Promise<void> {
    const changed = this.#published.map((role) => without(role, permission));
    await this.#install(changed.filter((role, index) => role !== this.#published[index]));
  }

  async #install(objects: readonly RoleObject[]): Promise<void> {
    for (const object of objects) {
      const type = TYPES.find((each) => (each as ResourceType).kind === object.kind) as ResourceType;
      await this.admin.apply(type, object, { fieldManager: 'test' });
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.server.stop();
  }
}

/** Whether who holds one of them everywhere, or for all objects, has the other with it. */
export const gives = (held: Permission, wanted: Permission): boolean =>
  (['verb', 'group', 'resource'] as const).every((part) => held[part] === wanted[part]) &&
  (['namespace', 'name'] as const).every((part) => held[part] === '' || held[part] === wanted[part]);

function without(role: RoleObject, lost: Permission): RoleObject {
  const held = permissionsOf(role.rules ?? [], role.metadata.namespace ?? '');
  const kept = held.filter((permission) => !gives(permission, lost));
  if (kept.length === held.length) return role;
  const rules = kept.map(({ verb, group, resource, name }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
    ...(name === '' ? {} : { resourceNames: [name] }),
  }));
  return { ...role, rules };
}
