import type { Call } from '../state.ts';
import { forbidden } from '../status.ts';

/**
 * Who applies what isn't there needs `create` beside `patch`.
 *
 * @throws StatusError 403
 * Source: apiserver `pkg/endpoints/handlers/patch.go`.
 */
export function checkMayCreate({ state, user, resource, namespace, name }: Call): void {
  const { group, plural } = resource;
  if (state.rbac.allows(user, { kind: 'resource', verb: 'create', group, resource: plural, namespace, name })) return;
  throw forbidden(resource, name, '');
}
