import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEntry } from '../../sandbox/kube/index.ts';
import { type Permission, permissionText } from '../../src/kube/index.ts';
import { gatewayPermissions, neededPermissions } from '../../src/roles.ts';
import type { Ground, GroundOptions } from '../ground.ts';

/** What an account did of what its roles allow, and what it tried beyond, each as `permissionText`. */
export type Seen = { readonly used: readonly string[]; readonly unlisted: readonly string[] };

/** The accounts of the product that live as long as it does; workers have theirs for one Job. */
export const ACCOUNTS = ['operator', 'gateway'] as const;
export type Uses = Readonly<Record<(typeof ACCOUNTS)[number], Seen>>;

/** A request as far as its authorization goes; without namespace and name where only a sum is known. */
type Request = Pick<AuditEntry, 'user' | 'verb' | 'resource' | 'code'> &
  Partial<Pick<AuditEntry, 'namespace' | 'name'>>;

/** Everybody may ask what he may do, by the role `system:basic-user`. */
const FOR_EVERYBODY = new Set(['authorization.k8s.io']);

/** Sorts the requests of one account into those that a listed permission covers, and others. */
export class UseRecorder {
  readonly #user: string;
  readonly #needed: readonly Permission[];
  readonly #used = new Set<string>();
  readonly #unlisted = new Set<string>();

  /** @param needed all that the account's roles grant */
  constructor(user: string, needed: readonly Permission[]) {
    this.#user = user;
    this.#needed = needed;
  }

  take(request: Request): void {
    if (request.user !== this.#user || request.resource === '') return;
    const [group = '', resource = '', subresource] = request.resource.split('/');
    if (FOR_EVERYBODY.has(group)) return;
    const { verb, namespace, name } = request;
    const asked: Asked = {
      verb,
      group,
      resource: subresource === undefined ? resource : `${resource}/${subresource}`,
      namespace,
      name,
    };
    this.#note(asked);
    // An apply that made the object was asked for `create`, too. Source: apiserver `endpoints/handlers/patch.go`.
    if (verb === 'patch' && request.code === 201) this.#note({ ...asked, verb: 'create' });
  }

  #note(asked: Asked): void {
    const covering = this.#needed.filter((held) => covers(held, asked));
    for (const permission of covering) this.#used.add(permissionText(permission));
    if (covering.length === 0)
      this.#unlisted.add(permissionText({ ...asked, namespace: asked.namespace ?? '', name: '' }));
  }

  get seen(): Seen {
    return { used: [...this.#used].toSorted(), unlisted: [...this.#unlisted].toSorted() };
  }
}

type Asked = Omit<Permission, 'namespace' | 'name'> & { readonly [part in 'namespace' | 'name']: string | undefined };

const covers = (held: Permission, asked: Asked): boolean =>
  (['verb', 'group', 'resource'] as const).every((part) => held[part] === asked[part]) &&
  (['namespace', 'name'] as const).every(
    (part) => held[part] === '' || asked[part] === undefined || held[part] === asked[part],
  );

/**
 * Follows what the product's accounts do on a ground from now on, and takes in what they did so far.
 *
 * @returns what was seen until then
 */
export function followUses(
  { audit, operator }: Pick<Ground, 'audit' | 'operator'>,
  settings: GroundOptions['operator'] = {},
): () => Uses {
  const watchNamespace = settings['QDRANT_LIBRARIAN_WATCH_NAMESPACE'];
  const needed = neededPermissions({ namespace: operator.namespace, watchNamespace });
  const own = new UseRecorder(operator.user, needed);
  const gateway = new UseRecorder(`${operator.user}-gateway`, gatewayPermissions(watchNamespace));
  const take = (request: Request): void => {
    own.take(request);
    gateway.take(request);
  };
  const end = audit.onRequest(take);
  for (const sum of audit.summary()) take(sum);
  return () => {
    // Reads what is written but not yet read.
    audit.summary();
    end();
    return { operator: own.seen, gateway: gateway.seen };
  };
}

/** Names the folder in which each process of a run leaves what it saw. */
export const USES_FOLDER = 'E2E_USES_OF_RUN';

/** Where nobody gathers them, or none were seen, nothing is left. */
export async function leaveUses(uses: Uses | undefined): Promise<void> {
  const folder = process.env[USES_FOLDER];
  if (folder === undefined || uses === undefined) return;
  await writeFile(join(folder, `${process.pid}.json`), JSON.stringify(uses));
}

/** What all processes of a run saw; undefined where none could see requests. */
export async function gatherUses(folder: string): Promise<Uses | undefined> {
  const names = await readdir(folder);
  if (names.length === 0) return undefined;
  const all = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Uses),
  );
  const union = (account: keyof Uses, part: keyof Seen): string[] =>
    [...new Set(all.flatMap((one) => one[account][part]))].toSorted();
  const seenOf = (account: keyof Uses): Seen => ({
    used: union(account, 'used'),
    unlisted: union(account, 'unlisted'),
  });
  return { operator: seenOf('operator'), gateway: seenOf('gateway') };
}
