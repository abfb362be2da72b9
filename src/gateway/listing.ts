import type { Doors, Opened } from './doors.ts';
import { GatewayError } from './errors.ts';

/** What the gateway answers itself, in Qdrant's words. */
export class Listing {
  readonly #doors: Doors;
  readonly #versions: () => readonly string[];

  /** @param versions of Qdrant that the clusters run */
  constructor(doors: Doors, versions: () => readonly string[]) {
    this.#doors = doors;
    this.#versions = versions;
  }

  /** Clients compare this version with their own: the oldest of the clusters' is what all of them understand. */
  root(): Record<string, string> {
    const version = this.#versions().toSorted(byVersion)[0];
    return { title: 'qdrant-librarian gateway', ...(version === undefined ? {} : { version }) };
  }

  async collections(namespace: string, key: string | undefined): Promise<unknown> {
    const opened = await this.#some(namespace, key);
    return { collections: opened.map(({ library }) => ({ name: library.collection })) };
  }

  async aliases(namespace: string, key: string | undefined): Promise<unknown> {
    return { aliases: (await this.#some(namespace, key)).flatMap(aliasesOf) };
  }

  async collectionAliases(
    { namespace, collection }: { readonly namespace: string; readonly collection: string },
    key: string | undefined,
  ): Promise<unknown> {
    return { aliases: aliasesOf(await this.#doors.one(namespace, collection, key)) };
  }

  async #some(namespace: string, key: string | undefined): Promise<Opened[]> {
    const opened = await this.#doors.all(namespace, key);
    if (opened.length > 0) return opened;
    throw new GatewayError(key === undefined ? 'KeyMissing' : 'KeyRefused');
  }
}

/** An adopted collection bears its public name itself: Qdrant has no alias for it. */
function aliasesOf({ library }: Opened): { alias_name: string; collection_name: string }[] {
  const { collection, aliases, physical } = library;
  if (physical === undefined) return [];
  return [collection, ...aliases]
    .filter((name) => name !== physical)
    .map((name) => ({ alias_name: name, collection_name: physical }));
}

function byVersion(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split('.').map(Number));
  for (const part of [0, 1, 2]) {
    const difference = (a?.[part] ?? 0) - (b?.[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
