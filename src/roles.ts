import { CLUSTER_RULES } from './cluster/index.ts';
import { GATEWAY_RULES } from './gateway/rbac.ts';
import { type AccessRule, type Permission, permissionsOf } from './kube/index.ts';
import { LIBRARY_RULES } from './library/index.ts';
import { REBALANCE_RULES } from './rebalance/index.ts';
import type { OperatorSettings } from './settings.ts';
import { VECTORIZE_RULES } from './vectorize/index.ts';

export const LEASE_NAME = 'qdrant-librarian';

/** What every process may do in its own namespace. */
const LEADER_RULES: readonly AccessRule[] = [
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    // Nobody can be held to a name when creating: it is in the body.
    verbs: ['create'],
    purpose: 'make the Lease by which one process leads',
  },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: [LEASE_NAME],
    verbs: ['get', 'update'],
    purpose: 'take, renew and give up that Lease',
  },
  {
    apiGroups: ['events.k8s.io'],
    resources: ['events'],
    verbs: ['create', 'patch'],
    purpose: 'tell on its own pod what it may not do',
    spare: 'written when another right is missing',
  },
];

export type RoleName = 'cluster' | 'leader' | 'library' | 'rebalance' | 'vectorize';

export type OperatorRole = {
  readonly rules: readonly AccessRule[];
  /** In which namespaces it is granted: those that are watched, or the operator's own. */
  readonly where: 'watched' | 'own';
};

/** One role a controller. */
export const ROLES: Readonly<Record<RoleName, OperatorRole>> = {
  cluster: { rules: CLUSTER_RULES, where: 'watched' },
  leader: { rules: LEADER_RULES, where: 'own' },
  library: { rules: LIBRARY_RULES, where: 'watched' },
  rebalance: { rules: REBALANCE_RULES, where: 'watched' },
  vectorize: { rules: VECTORIZE_RULES, where: 'watched' },
};

export type Places = Pick<OperatorSettings, 'namespace' | 'watchNamespace'>;

/** What a role must allow to an operator that runs and watches there. */
export function permissionsOfRole(name: RoleName, { namespace, watchNamespace = '' }: Places): Permission[] {
  const { rules, where } = ROLES[name];
  return permissionsOf(rules, where === 'own' ? namespace : watchNamespace);
}

/** What all roles must allow, with repetitions. */
export const neededPermissions = (places: Places): Permission[] =>
  (Object.keys(ROLES) as RoleName[]).flatMap((name) => permissionsOfRole(name, places));

/** The gateway runs under an account of its own, which can only read. */
export const GATEWAY_ROLE: OperatorRole = { rules: GATEWAY_RULES, where: 'watched' };

/** What a gateway that serves there must be allowed. */
export const gatewayPermissions = (watchNamespace = ''): Permission[] => permissionsOf(GATEWAY_RULES, watchNamespace);
