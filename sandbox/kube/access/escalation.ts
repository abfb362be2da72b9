import { asObject, asString, equal } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Call } from '../state.ts';
import { forbidden } from '../status.ts';
import { type Rule, rulesOf, ruleText } from './rbac.ts';

const GROUP = 'rbac.authorization.k8s.io';

/**
 * Nobody hands on permissions that he doesn't hold, unless he may `escalate` or `bind`.
 *
 * @throws StatusError 403
 * Source: `pkg/registry/rbac/{role,rolebinding}/policybased`.
 */
export function checkEscalation(call: Call, object: ApiObject, live?: ApiObject): void {
  const { resource } = call;
  if (resource.group !== GROUP) return;
  const isRole = resource.plural === 'roles' || resource.plural === 'clusterroles';
  if (live !== undefined && isRole && equal(object['rules'], live['rules'])) return;
  if (live !== undefined && !isRole && equal(object['subjects'], live['subjects'])) return;
  const ref = asObject(object['roleRef']);
  const target = isRole ? { plural: resource.plural, name: object.metadata.name } : boundRole(ref);
  if (mayAnyway(call, { verb: isRole ? 'escalate' : 'bind', ...target })) return;
  const wanted = isRole ? rulesOf(object) : call.state.rbac.rulesOfRef(ref, call.namespace);
  refuse(call, object, wanted);
}

const boundRole = (ref: { readonly [key: string]: unknown }): { plural: string; name: string } => ({
  plural: ref['kind'] === 'ClusterRole' ? 'clusterroles' : 'roles',
  name: asString(typeof ref['name'] === 'string' ? ref['name'] : ''),
});

function mayAnyway(call: Call, { verb, plural, name }: { verb: string; plural: string; name: string }): boolean {
  const { state, user, namespace } = call;
  return state.rbac.allows(user, { kind: 'resource', verb, group: GROUP, resource: plural, namespace, name });
}

function refuse(call: Call, object: ApiObject, wanted: readonly Rule[]): void {
  const missing = call.state.rbac.missing(call.user, call.namespace, wanted);
  if (missing.length === 0) return;
  const groups = call.user.groups.map((group) => JSON.stringify(group)).join(' ');
  throw forbidden(
    call.resource,
    object.metadata.name,
    `user "${call.user.name}" (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${missing.map(ruleText).toSorted().join('\n')}`,
  );
}
