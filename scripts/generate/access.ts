import { dump } from 'js-yaml';
import { CLUSTER_RULES } from '../../src/cluster/index.ts';
import { LIBRARY_RULES } from '../../src/library/index.ts';
import { UNBUILT_KINDS_RULES } from '../../src/unbuilt-kinds.ts';

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

const HEADER = '# Generated from src by `npm run generate`. Do not edit.\n';
const NAME = 'qdrant-librarian';
const NAMESPACE = 'qdrant-librarian-system';

/** The Lease by which one process leads; it lies in the operator's own namespace. */
const LEADER_RULES: readonly Rule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
];

/** One role a controller; `leader` is granted in the operator's own namespace only. */
const ROLES: Readonly<Record<string, readonly Rule[]>> = {
  cluster: CLUSTER_RULES,
  leader: LEADER_RULES,
  library: LIBRARY_RULES,
  'unbuilt-kinds': UNBUILT_KINDS_RULES,
};

const yaml = (value: unknown): string => dump(value, { lineWidth: 120, noRefs: true });

/** The rules for the chart, a file a controller, and the roles and bindings of the kustomize base. */
export function accessFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const objects: string[] = [];
  for (const [controller, rules] of Object.entries(ROLES)) {
    files.set(`charts/qdrant-librarian/files/rules/${controller}.yaml`, yaml(rules));
    objects.push(...roleWithBinding(controller, rules).map(yaml));
  }
  files.set('manifests/base/rbac.yaml', HEADER + objects.join('---\n'));
  return files;
}

function roleWithBinding(controller: string, rules: readonly Rule[]): object[] {
  const namespaced = controller === 'leader';
  const metadata = { name: `${NAME}-${controller}`, ...(namespaced ? { namespace: NAMESPACE } : {}) };
  const kind = namespaced ? 'Role' : 'ClusterRole';
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion, kind, metadata, rules },
    {
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }],
    },
  ];
}
