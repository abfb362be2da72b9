import {
  AccessCheck,
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  type ClusterRole,
  type KubeClient,
  type ObjectKey,
  type Permission,
  type PolicyRule,
  permissionsOf,
  permissionText,
  type ResourceType,
  ROLE_BINDINGS,
  ROLES,
  type Role,
} from '../../src/kube/index.ts';

type RoleLike = Role | ClusterRole;
type Granted = {
  readonly type: ResourceType<RoleLike>;
  readonly key: ObjectKey;
  readonly rules: readonly PolicyRule[];
};

/** The roles that are bound to a service account, to be narrowed and made whole again. */
export class AccountRoles {
  readonly #admin: KubeClient;
  readonly #granted: readonly Granted[];

  private constructor(admin: KubeClient, granted: readonly Granted[]) {
    this.#admin = admin;
    this.#granted = granted;
  }

  static async of(admin: KubeClient, account: ObjectKey): Promise<AccountRoles> {
    const bindings = [...(await admin.listAll(CLUSTER_ROLE_BINDINGS)), ...(await admin.listAll(ROLE_BINDINGS))];
    const own = bindings.filter(({ subjects = [] }) =>
      subjects.some(
        ({ kind, name, namespace }) =>
          kind === 'ServiceAccount' && name === account.name && namespace === account.namespace,
      ),
    );
    const granted = own.map(async ({ roleRef, metadata: { namespace = '' } }): Promise<Granted> => {
      const type = (roleRef.kind === 'Role' ? ROLES : CLUSTER_ROLES) as ResourceType<RoleLike>;
      const key = { namespace: roleRef.kind === 'Role' ? namespace : '', name: roleRef.name };
      const { rules } = await admin.get(type, key);
      return { type, key, rules: (rules ?? []) as PolicyRule[] };
    });
    return new AccountRoles(admin, await Promise.all(granted));
  }

  /** Where the roles hold ('' = everywhere), and their rules. */
  get all(): readonly { readonly namespace: string; readonly rules: readonly PolicyRule[] }[] {
    return this.#granted.map(({ key: { namespace }, rules }) => ({ namespace, rules }));
  }

  /** Takes away all permissions for which `lost` holds; those that were taken before stay. */
  async takeAway(lost: (held: Permission) => boolean): Promise<void> {
    for (const { type, key, rules } of this.#granted) {
      const held = permissionsOf(rules, key.namespace);
      const kept = held.filter((permission) => !lost(permission));
      if (kept.length < held.length) await this.#write({ type, key, rules: kept.map(ruleOf) });
    }
  }

  async giveBack(): Promise<void> {
    for (const granted of this.#granted) await this.#write(granted);
  }

  async #write({ type, key, rules }: Granted): Promise<void> {
    await this.#admin.patch(type, key, { rules }, { type: 'merge' });
  }
}

const ruleOf = ({ verb, group, resource, name }: Permission): PolicyRule => ({
  apiGroups: [group],
  resources: [resource],
  verbs: [verb],
  ...(name === '' ? {} : { resourceNames: [name] }),
});

/** Whether who holds one of them everywhere, or for all objects, has the other with it. */
export const gives = (held: Permission, wanted: Permission): boolean =>
  (['verb', 'group', 'resource'] as const).every((part) => held[part] === wanted[part]) &&
  (['namespace', 'name'] as const).every((part) => held[part] === '' || held[part] === wanted[part]);

/** What the operator's check says to the account of `client`, as texts. */
export async function missingFor(client: KubeClient, permissions: readonly Permission[]): Promise<string[]> {
  const check = new AccessCheck({ client, permissions });
  const looking = new AbortController();
  const running = check.run(looking.signal);
  await check.whenGranted(() => false, looking.signal);
  looking.abort();
  await running;
  return (check.missing ?? []).map(permissionText);
}
