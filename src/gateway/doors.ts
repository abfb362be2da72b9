import { GatewayError } from './errors.ts';
import { opens } from './keys.ts';
import type { Libraries, Library } from './libraries.ts';
import type { Binding, Places } from './places.ts';

export type Opened = { readonly library: Library; readonly binding: Binding };

/** Which libraries a key opens. */
export class Doors {
  readonly #libraries: Libraries;
  readonly #places: Places;

  constructor(libraries: Libraries, places: Places) {
    this.#libraries = libraries;
    this.#places = places;
  }

  /** @throws GatewayError: a key that opens nothing learns not even which names there are */
  async one(namespace: string, name: string, key: string | undefined): Promise<Opened> {
    const candidates = this.#libraries.named(namespace, name);
    for (const again of [false, true]) {
      const opened = await this.#openedBy(candidates, key, again);
      const [only, ...others] = opened;
      if (others.length > 0) throw new GatewayError('NameNotUnique', `${namespace}/${name}`);
      if (only !== undefined) return only;
      // A key that was changed may not be in the cache yet.
      if (candidates.length === 0) break;
    }
    if (key === undefined) throw new GatewayError('KeyMissing');
    if (candidates.length > 0 && candidates.every(({ binding }) => binding === undefined))
      throw (await this.any(namespace, key))
        ? new GatewayError('LibraryNotReady', name, 1)
        : new GatewayError('KeyRefused');
    if (candidates.length === 0 && (await this.any(namespace, key)))
      throw new GatewayError('NoSuchLibrary', `${namespace}/${name}`);
    throw new GatewayError('KeyRefused');
  }

  /** All that the key opens in a namespace, in the order of their names. */
  async all(namespace: string, key: string | undefined): Promise<Opened[]> {
    const opened = await this.#openedBy(this.#libraries.within(namespace), key, false);
    return opened.toSorted((a, b) => (a.library.collection < b.library.collection ? -1 : 1));
  }

  async any(namespace: string, key: string | undefined): Promise<boolean> {
    return (await this.all(namespace, key)).length > 0;
  }

  async #openedBy(candidates: readonly Library[], key: string | undefined, again: boolean): Promise<Opened[]> {
    const looked = candidates.map(async (library): Promise<Opened[]> => {
      const binding = await this.#places.binding(library, again);
      if (binding === undefined) return [];
      return opens(key, binding.apiKey) || (await this.#openedBefore(library, key)) ? [{ library, binding }] : [];
    });
    return (await Promise.all(looked)).flat();
  }

  /**
   * A move changes the key, and an application hears of it when its Secret is mounted anew. Until the copy that it could
   * read with the old key is dropped, that key opens the library where it is now. So does that of the new place, though
   * the binding may follow a moment later: it is the old key of who comes back.
   */
  async #openedBefore(library: Library, key: string | undefined): Promise<boolean> {
    if (key === undefined || library.formerClusters.length === 0) return false;
    return (await this.#places.keysOfHolders(library)).some((held) => opens(key, held));
  }
}
