import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEntry } from '../../sandbox/kube/index.ts';
import { type Permission, permissionText } from '../../src/kube/index.ts';
import { neededPermissions, type Places } from '../../src/roles.ts';
import type { Ground, GroundOptions } from '../ground.ts';

/** What the operator did of what its roles allow, and what it tried beyond, each as `permissionText`. */
export type Uses = { readonly used: readonly string[]; readonly unlisted: readonly string[] };

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

  constructor(user: string, places: Places) {
    this.#user = user;
    this.#needed = neededPermissions(places);
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

  get uses(): Uses {
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
 * Follows what the operator of a ground does from now on, and takes in what it did so far.
 *
 * @returns what it saw until then
 */
export function followUses(
  { audit, operator }: Pick<Ground, 'audit' | 'operator'>,
  settings: GroundOptions['operator'] = {},
): () => Uses {
  const places = { namespace: operator.namespace, watchNamespace: settings['QDRANT_LIBRARIAN_WATCH_NAMESPACE'] };
  const recorder = new UseRecorder(operator.user, places);
  const end = audit.onRequest((entry) => recorder.take(entry));
  for (const sum of audit.summary()) recorder.take(sum);
  return () => {
    // Reads what is written but not yet read.
    audit.summary();
    end();
    return recorder.uses;
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
  const union = (part: keyof Uses): string[] => [...new Set(all.flatMap((one) => one[part]))].toSorted();
  return { used: union('used'), unlisted: union('unlisted') };
}
