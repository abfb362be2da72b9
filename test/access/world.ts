import { AccountRoles } from '../../e2e/access/account-roles.ts';
import { readObjects } from '../../sandbox/install.ts';
import { type ApiServer, startApiServer } from '../../sandbox/kube/index.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  KubeClient,
  type KubeClientOptions,
  type KubeObject,
  NAMESPACES,
  type ResourceType,
  ROLE_BINDINGS,
  ROLES,
  staticConnection,
} from '../../src/kube/index.ts';
import { ROOT } from '../architecture/sources.ts';

export const NAMESPACE = 'qdrant-librarian-system';
const ACCOUNT = { namespace: NAMESPACE, name: 'qdrant-librarian' };
export const USER = `system:serviceaccount:${ACCOUNT.namespace}:${ACCOUNT.name}`;

const TYPES = [CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS] as readonly unknown[];

/** An API server that holds the published roles and bindings of the operator, and nothing else. */
export type World = {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  /** Of the operator's account. */
  readonly roles: AccountRoles;
  client(options?: Partial<KubeClientOptions>): KubeClient;
  stop(): Promise<void>;
};

export async function startWorld(): Promise<World> {
  const server = await startApiServer({ tls: false });
  const clients: KubeClient[] = [];
  const clientOf = (user: string, options: Partial<KubeClientOptions> = {}): KubeClient => {
    const config = staticConnection({ server: server.url, token: server.tokenFor(user) });
    const client = new KubeClient({ config, maxRetries: 0, ...options });
    clients.push(client);
    return client;
  };
  const admin = clientOf('system:admin');
  await admin.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  for (const object of await readObjects(`${ROOT}/manifests/base/rbac.yaml`)) {
    const type = TYPES.find((each) => (each as ResourceType).kind === object.kind) as ResourceType<KubeObject>;
    await admin.create(type, object);
  }
  return {
    server,
    admin,
    roles: await AccountRoles.of(admin, ACCOUNT),
    client: (options) => clientOf(USER, options),
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      await server.stop();
    },
  };
}
