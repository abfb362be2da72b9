import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  type ClusterRole,
  connectionFromKubeconfigFile,
  KubeClient,
  ROLES as NAMESPACED_ROLES,
  policyRules,
  ROLE_BINDINGS,
  type Role,
  SERVICE_ACCOUNTS,
} from '../../src/kube/index.ts';
import { ROLES } from '../../src/roles.ts';
import type { Stage } from '../stage/stage.ts';
import { AccountRoles } from './account-roles.ts';

const ACCOUNT = 'rehearsal';
const SECONDS = 3600;

/**
 * An account of the scenario's own that holds what the operator holds: taking from it disturbs nobody. What the operator
 * may do in its own namespace, this account may do in the scenario's.
 */
export async function rehearsal(stage: Stage): Promise<{ readonly roles: AccountRoles; readonly client: KubeClient }> {
  const { admin, namespace } = stage;
  const account = { namespace, name: ACCOUNT };
  await admin.create(SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...account } });
  for (const [name, { rules, where }] of Object.entries(ROLES)) {
    const kind = where === 'own' ? 'Role' : 'ClusterRole';
    await grant(stage, { kind, name: `${namespace}-${name}`, rules: policyRules(rules) });
  }
  const { token } = (
    await admin.subresource<{ status: { token: string } }>(SERVICE_ACCOUNTS, account, 'token', {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: SECONDS },
      },
    })
  ).status;
  const client = clientOf(stage.ground.kubeconfigFile, token);
  stage.defer(() => client.close());
  return { roles: await AccountRoles.of(admin, account), client };
}

type Grant = { readonly kind: 'Role' | 'ClusterRole'; readonly name: string; readonly rules: unknown };

async function grant(stage: Stage, { kind, name, rules }: Grant): Promise<void> {
  const { admin, namespace } = stage;
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const everywhere = kind === 'ClusterRole';
  const metadata = { name, ...(everywhere ? {} : { namespace }) };
  const key = { namespace: everywhere ? '' : namespace, name };
  const bound = {
    apiVersion,
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace }],
  };
  if (!everywhere) {
    await admin.create(NAMESPACED_ROLES, { apiVersion, kind, metadata, rules } as Role);
    await admin.create(ROLE_BINDINGS, { ...bound, kind: 'RoleBinding' });
    return;
  }
  await admin.create(CLUSTER_ROLES, { apiVersion, kind, metadata, rules } as ClusterRole);
  await admin.create(CLUSTER_ROLE_BINDINGS, { ...bound, kind: 'ClusterRoleBinding' });
  // The namespace does not take these with it.
  stage.defer(async () => {
    await admin.delete(CLUSTER_ROLE_BINDINGS, key);
    await admin.delete(CLUSTER_ROLES, key);
  });
}

/** The server of the kubeconfig, for somebody else. */
function clientOf(kubeconfigFile: string, token: string): KubeClient {
  const connection = connectionFromKubeconfigFile(kubeconfigFile);
  const credentials = async () => {
    const { tls } = await connection.credentials();
    const { cert: _cert, key: _key, ...server } = tls;
    return { headers: { authorization: `Bearer ${token}` }, tls: server };
  };
  return new KubeClient({ config: { server: connection.server, credentials } });
}
