/** Source: rbac.authorization.k8s.io/v1 `PolicyRule`. */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  /** Plurals; with subresource `pods/log`. */
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Any object when not given. */
  readonly resourceNames?: readonly string[];
};

/** A rule with its reason. */
export type AccessRule = PolicyRule & {
  /** What it is for: goes into the documentation. */
  readonly purpose: string;
  /** Why a whole run of the scenarios may leave it unused. Without this an unused rule is one too many. */
  readonly spare?: string;
};

/** One verb on one resource. */
export type Permission = {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** '' = in all of them. */
  readonly namespace: string;
  /** '' = any object. */
  readonly name: string;
};

/** Every single permission of the rules, in their order, when they are granted in `namespace` ('' = everywhere). */
export const permissionsOf = (rules: readonly PolicyRule[], namespace: string): Permission[] =>
  rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [''] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) => verbs.map((verb) => ({ verb, group, resource, namespace, name }))),
      ),
    ),
  );

/** `patch statefulsets.apps`, `patch widgets.example.com/status in namespace team`. Equal permissions have equal texts. */
export function permissionText({ verb, group, resource, namespace, name }: Permission): string {
  const [plural = '', subresource] = resource.split('/');
  const qualified = `${plural}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  const object = name === '' ? '' : ` ${name}`;
  return `${verb} ${qualified}${object}${namespace === '' ? '' : ` in namespace ${namespace}`}`;
}

/** Each permission once. */
export const distinct = (permissions: readonly Permission[]): Permission[] => [
  ...new Map(permissions.map((permission) => [permissionText(permission), permission])).values(),
];

/** The rules as a Role holds them: rules that differ in their verbs only become one. */
export function policyRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const byTarget = new Map<string, PolicyRule>();
  for (const { apiGroups, resources, verbs, resourceNames } of rules) {
    const target = { apiGroups, resources, ...(resourceNames === undefined ? {} : { resourceNames }) };
    const known = byTarget.get(JSON.stringify(target))?.verbs ?? [];
    byTarget.set(JSON.stringify(target), { ...target, verbs: [...new Set([...known, ...verbs])] });
  }
  return [...byTarget.values()];
}
