import { dump } from 'js-yaml';
import { type PolicyRule, policyRules } from '../../src/kube/index.ts';
import { GATEWAY_ROLE, type OperatorRole, ROLES } from '../../src/roles.ts';

const HEADER = '# Generated from src by `npm run generate`. Do not edit.\n';
const NAME = 'qdrant-librarian';
const NAMESPACE = 'qdrant-librarian-system';

const yaml = (value: unknown): string => dump(value, { lineWidth: 120, noRefs: true });

/** The rules for the chart, a file a controller, the roles and bindings of the kustomize base, and docs/rights.md. */
export function accessFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const objects: string[] = [];
  for (const [name, role] of Object.entries(ROLES)) {
    files.set(`charts/qdrant-librarian/files/rules/${name}.yaml`, yaml(policyRules(role.rules)));
    objects.push(...roleWithBinding(name, role, NAME).map(yaml));
  }
  files.set('charts/qdrant-librarian/files/gateway-rules.yaml', yaml(policyRules(GATEWAY_ROLE.rules)));
  objects.push(...roleWithBinding('gateway', GATEWAY_ROLE, `${NAME}-gateway`).map(yaml));
  files.set('manifests/base/rbac.yaml', HEADER + objects.join('---\n'));
  files.set('docs/rights.md', rightsPage());
  return files;
}

function roleWithBinding(name: string, { rules, where }: OperatorRole, account: string): object[] {
  const metadata = { name: `${NAME}-${name}`, ...(where === 'own' ? { namespace: NAMESPACE } : {}) };
  const kind = where === 'own' ? 'Role' : 'ClusterRole';
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion, kind, metadata, rules: policyRules(rules) },
    {
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: NAMESPACE }],
    },
  ];
}

const PAGE_HEAD = `# Rights

<!-- Generated from src/roles.ts by \`npm run generate\`. Don't edit. -->

Every rule of the operator's roles, and what it is for. The same tables give the manifests, the chart and the check that
the operator makes when it starts ([operate.md](operate.md#rights)). A test takes each permission away in turn and sees
that check name it; a whole run of the scenarios fails when a rule was not used, unless it says here why that may be.
`;

const GATEWAY_HEAD = `# Rights of the gateway

Under an account of its own, \`qdrant-librarian-gateway\`.
`;

const PLACES = {
  watched: 'In all namespaces (a ClusterRole), or in the one that is watched (a Role, by the chart).',
  own: "In the operator's own namespace only (a Role).",
} as const;

const rightsPage = (): string =>
  [
    PAGE_HEAD,
    ...Object.entries(ROLES).map(([name, role]) => section(name, role)),
    GATEWAY_HEAD,
    section('gateway', GATEWAY_ROLE),
  ].join('\n');

function section(name: string, { rules, where }: OperatorRole): string {
  const rows = rules.map((rule) => {
    const spare = rule.spare === undefined ? '' : `; may go unused: ${rule.spare}`;
    return `| ${resourcesOf(rule)} | ${rule.verbs.join(', ')} | ${rule.purpose}${spare} |`;
  });
  return [`## ${name}`, '', PLACES[where], '', '| resources | verbs | for |', '|---|---|---|', ...rows, ''].join('\n');
}

function resourcesOf({ apiGroups, resources, resourceNames }: PolicyRule): string {
  const texts = apiGroups.flatMap((group) => resources.map((one) => `\`${group === '' ? one : `${group}/${one}`}\``));
  const named = resourceNames === undefined ? '' : ` named ${resourceNames.map((name) => `\`${name}\``).join(', ')}`;
  return texts.join(', ') + named;
}
