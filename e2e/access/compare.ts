import { permissionsOf, permissionText } from '../../src/kube/index.ts';
import { gatewayPermissions, type Places, permissionsOfRole, ROLES, type RoleName } from '../../src/roles.ts';

/** What the roles grant, no request used, and no table excuses: `<role>: <permission>`. */
export function unusedRules(used: Iterable<string>, places: Places): string[] {
  const seen = new Set(used);
  return (Object.keys(ROLES) as RoleName[]).flatMap((role) => {
    const spare = new Set(
      ROLES[role].rules.flatMap((rule) =>
        rule.spare === undefined ? [] : permissionsOf([rule], '').map(withoutPlace),
      ),
    );
    return permissionsOfRole(role, places)
      .filter((permission) => !spare.has(withoutPlace(permission)) && !seen.has(permissionText(permission)))
      .map((permission) => `${role}: ${permissionText(permission)}`);
  });
}

/** The same of the gateway's role, in which no rule is excused. */
export const unusedByGateway = (used: Iterable<string>): string[] => {
  const seen = new Set(used);
  const texts = gatewayPermissions().map(permissionText);
  return texts.filter((text) => !seen.has(text)).map((text) => `gateway: ${text}`);
};

const withoutPlace = (permission: Parameters<typeof permissionText>[0]): string =>
  permissionText({ ...permission, namespace: '' });
