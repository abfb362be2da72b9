import { asArray, asObject, asString, asStrings, type Json } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Store } from '../store.ts';
import { MASTERS, serviceAccountOf, type User } from './user.ts';

export type Rule = {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
};

export type Access =
  | {
      readonly kind: 'resource';
      readonly verb: string;
      readonly group: string;
      /** With subresource: `pods/log`. */
      readonly resource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly kind: 'path'; readonly verb: string; readonly path: string };

const RBAC = 'rbac.authorization.k8s.io';

export const rulesOf = (role: { readonly [key: string]: Json | undefined } | undefined): Rule[] =>
  asArray(role?.['rules']).map((value) => {
    const rule = asObject(value);
    return {
      verbs: asStrings(rule['verbs']),
      apiGroups: asStrings(rule['apiGroups']),
      resources: asStrings(rule['resources']),
      resourceNames: asStrings(rule['resourceNames']),
      nonResourceURLs: asStrings(rule['nonResourceURLs']),
    };
  });

const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);

function allowsResource(list: readonly string[], resource: string): boolean {
  const subresource = resource.split('/')[1];
  return has(list, resource) || (subresource !== undefined && list.includes(`*/${subresource}`));
}

const allowsPath = (list: readonly string[], path: string): boolean =>
  list.some((pattern) => pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1))));

function ruleAllows(rule: Rule, access: Access): boolean {
  if (!has(rule.verbs, access.verb)) return false;
  if (access.kind === 'path') return allowsPath(rule.nonResourceURLs, access.path);
  const named = rule.resourceNames.length === 0 || (access.name !== '' && rule.resourceNames.includes(access.name));
  return named && has(rule.apiGroups, access.group) && allowsResource(rule.resources, access.resource);
}

function isSubject(value: Json, user: User, namespace: string): boolean {
  const subject = asObject(value);
  const name = asString(subject['name']);
  if (subject['kind'] === 'User') return name === user.name;
  if (subject['kind'] === 'Group') return user.groups.includes(name);
  const account = serviceAccountOf(user.name);
  const accountNamespace = asString(subject['namespace']) || namespace;
  return subject['kind'] === 'ServiceAccount' && account?.name === name && account.namespace === accountNamespace;
}

/** Role-based access control over the roles and bindings in the store. Source: `plugin/pkg/auth/authorizer/rbac`. */
export class Rbac {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  allows(user: User, access: Access): boolean {
    if (user.groups.includes(MASTERS)) return true;
    const namespace = access.kind === 'resource' ? access.namespace : '';
    return this.rulesFor(user, namespace).some((rule) => ruleAllows(rule, access));
  }

  /** All rules that hold for a user in a namespace (`''` = the cluster-wide ones only). */
  rulesFor(user: User, namespace: string): Rule[] {
    const clusterWide = this.#bound(`${RBAC}/clusterrolebindings`, user, undefined);
    return namespace === '' ? clusterWide : [...clusterWide, ...this.#bound(`${RBAC}/rolebindings`, user, namespace)];
  }

  #bound(type: string, user: User, namespace: string | undefined): Rule[] {
    const rules: Rule[] = [];
    for (const binding of this.#store.values(type)) {
      if (namespace !== undefined && binding.metadata.namespace !== namespace) continue;
      if (!asArray(binding['subjects']).some((value) => isSubject(value, user, namespace ?? ''))) continue;
      rules.push(...this.rulesOfRef(asObject(binding['roleRef']), binding.metadata.namespace ?? ''));
    }
    return rules;
  }

  /** The rules behind a roleRef; none when the role doesn't exist. */
  rulesOfRef(ref: { readonly [key: string]: Json | undefined }, namespace: string): Rule[] {
    return rulesOf(this.role(ref, namespace));
  }

  role(ref: { readonly [key: string]: Json | undefined }, namespace: string): ApiObject | undefined {
    const name = asString(ref['name']);
    return ref['kind'] === 'ClusterRole'
      ? this.#store.get(`${RBAC}/clusterroles`, '', name)
      : this.#store.get(`${RBAC}/roles`, namespace, name);
  }

  /** The rules of `wanted` that the user doesn't hold: what it may not hand on. */
  missing(user: User, namespace: string, wanted: readonly Rule[]): Rule[] {
    if (user.groups.includes(MASTERS)) return [];
    const held = this.rulesFor(user, namespace);
    const lacking = wanted.flatMap(atoms).filter((atom) => !held.some((own) => covers(own, atom)));
    return compact(lacking);
  }
}

/** A rule as single permissions. */
function atoms(rule: Rule): Rule[] {
  const none: readonly string[] = [];
  const paths = rule.nonResourceURLs.flatMap((url) =>
    rule.verbs.map((verb) => ({
      verbs: [verb],
      apiGroups: none,
      resources: none,
      resourceNames: none,
      nonResourceURLs: [url],
    })),
  );
  const names = rule.resourceNames.length === 0 ? [none] : rule.resourceNames.map((name) => [name]);
  const resources = rule.verbs.flatMap((verb) =>
    rule.apiGroups.flatMap((group) =>
      rule.resources.flatMap((resource) =>
        names.map((resourceNames) => ({
          verbs: [verb],
          apiGroups: [group],
          resources: [resource],
          resourceNames,
          nonResourceURLs: none,
        })),
      ),
    ),
  );
  return [...paths, ...resources];
}

/** Rules that differ in their verbs only become one. */
function compact(rules: readonly Rule[]): Rule[] {
  const byTarget = new Map<string, Rule>();
  for (const rule of rules) {
    const target = JSON.stringify({ ...rule, verbs: [] });
    const known = byTarget.get(target);
    byTarget.set(target, known === undefined ? rule : { ...known, verbs: [...known.verbs, ...rule.verbs] });
  }
  return [...byTarget.values()];
}

function covers(own: Rule, atom: Rule): boolean {
  const [verb = ''] = atom.verbs;
  if (!has(own.verbs, verb)) return false;
  const [url] = atom.nonResourceURLs;
  if (url !== undefined) return allowsPath(own.nonResourceURLs, url);
  const named =
    own.resourceNames.length === 0 ||
    (atom.resourceNames.length > 0 && atom.resourceNames.every((name) => own.resourceNames.includes(name)));
  return named && has(own.apiGroups, atom.apiGroups[0] ?? '') && allowsResource(own.resources, atom.resources[0] ?? '');
}

/** A rule as Kubernetes prints it in the message of an escalation. */
export function ruleText(rule: Rule): string {
  const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
  const parts = [
    rule.apiGroups.length > 0 ? `APIGroups:${list(rule.apiGroups)}` : '',
    rule.resources.length > 0 ? `Resources:${list(rule.resources)}` : '',
    rule.resourceNames.length > 0 ? `ResourceNames:${list(rule.resourceNames)}` : '',
    rule.nonResourceURLs.length > 0 ? `NonResourceURLs:${list(rule.nonResourceURLs)}` : '',
    `Verbs:${list(rule.verbs)}`,
  ];
  return `{${parts.filter((part) => part !== '').join(', ')}}`;
}
