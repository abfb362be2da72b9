import { randomUUID } from 'node:crypto';
import type { JsonObject } from './json.ts';
import { type ApiObject, wireTime } from './objects.ts';
import type { State } from './state.ts';

const RBAC = 'rbac.authorization.k8s.io';
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

const resources = (verbs: string[], apiGroups: string[], names: string[]): JsonObject => ({
  verbs,
  apiGroups,
  resources: names,
});
const paths = (verbs: string[], nonResourceURLs: string[]): JsonObject => ({ verbs, nonResourceURLs });

const DISCOVERY = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/readyz',
  '/openapi',
  '/openapi/*',
  '/version',
  '/version/',
];

const ROLES: { readonly [name: string]: JsonObject[] } = {
  'cluster-admin': [resources(['*'], ['*'], ['*']), paths(['*'], ['*'])],
  'system:discovery': [paths(['get'], DISCOVERY)],
  'system:public-info-viewer': [paths(['get'], ['/healthz', '/livez', '/readyz', '/version', '/version/'])],
  'system:basic-user': [
    resources(['create'], ['authorization.k8s.io'], ['selfsubjectaccessreviews', 'selfsubjectrulesreviews']),
    resources(['create'], ['authentication.k8s.io'], ['selfsubjectreviews']),
  ],
};

const group = (name: string): JsonObject => ({ kind: 'Group', name, apiGroup: RBAC });
const user = (name: string): JsonObject => ({ kind: 'User', name, apiGroup: RBAC });

/** Who holds which of the roles. The sandbox's own controllers and node agent may do everything. */
const BINDINGS: { readonly [name: string]: readonly [role: string, subject: JsonObject] } = {
  'cluster-admin': ['cluster-admin', group('system:masters')],
  'system:discovery': ['system:discovery', group('system:authenticated')],
  'system:public-info-viewer': ['system:public-info-viewer', group('system:unauthenticated')],
  'system:public-info-viewer:known': ['system:public-info-viewer', group('system:authenticated')],
  'system:basic-user': ['system:basic-user', group('system:authenticated')],
  'sandbox:controllers': ['cluster-admin', user('system:controllers')],
  'sandbox:node': ['cluster-admin', group('system:nodes')],
};

/** What a new cluster holds: namespaces, and the roles that every user has. */
export function bootstrap(state: State): void {
  const metadata = (name: string): ApiObject['metadata'] => ({
    name,
    uid: randomUUID(),
    resourceVersion: '',
    creationTimestamp: wireTime(state.now()),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  });
  for (const name of NAMESPACES) {
    state.store.put('/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { ...metadata(name), labels: { 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  }
  for (const [name, rules] of Object.entries(ROLES)) {
    state.store.put(`${RBAC}/clusterroles`, {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: metadata(name),
      rules,
    });
  }
  for (const [name, [role, subject]] of Object.entries(BINDINGS)) {
    state.store.put(`${RBAC}/clusterrolebindings`, {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: metadata(name),
      subjects: [subject],
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    });
  }
}
