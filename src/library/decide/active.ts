import type { DomainLibrary } from '../../api/index.ts';
import type { Mark } from '../../migration/index.ts';
import { aliasTargets, type CollectionLook, collectionExists, collectionLook, type Look } from '../look.ts';
import { publicName } from '../names.ts';

/** Who answers to the public name. */
export type Holder =
  | { readonly kind: 'nobody' }
  /** Our own generation; `byAlias` is false for an adopted collection that bears the name itself. */
  | {
      readonly kind: 'ours';
      readonly collection: CollectionLook;
      readonly generation: number;
      readonly byAlias: boolean;
    }
  /** A collection that does not carry our mark. */
  | { readonly kind: 'foreign'; readonly collection: CollectionLook; readonly byAlias: boolean }
  /** The peers show different things; that passes while a change spreads. */
  | { readonly kind: 'unclear'; readonly message: string };

/** A holder of the name that is ours. */
export type Active = Holder & { readonly kind: 'ours' };

export const isOurs = (library: DomainLibrary, mark: Mark | undefined): mark is Mark =>
  mark !== undefined && mark.uid === library.metadata.uid;

/** A library of the same name that was deleted and left its collection behind. */
export const isFormerSelf = ({ metadata }: DomainLibrary, mark: Mark): boolean =>
  mark.namespace === (metadata.namespace ?? '') && mark.name === metadata.name && mark.uid !== metadata.uid;

/** Reads who holds the name from what every peer shows; the status is not asked, it may be behind. */
export function holderOf(library: DomainLibrary, look: Look): Holder {
  const name = publicName(library);
  const targets = aliasTargets(look, name);
  if (targets.length > 1) {
    const shown = targets.map((target) => target ?? 'nothing').join(', ');
    return { kind: 'unclear', message: `peers show alias ${name} on ${shown}` };
  }
  const [target] = targets;
  if (target === undefined && !collectionExists(look, name)) return { kind: 'nobody' };
  const collection = collectionLook(look, target ?? name);
  if (collection === undefined) return { kind: 'unclear', message: `${target ?? name} is listed and can't be read` };
  const byAlias = target !== undefined;
  return isOurs(library, collection.mark)
    ? { kind: 'ours', collection, generation: collection.mark.generation, byAlias }
    : { kind: 'foreign', collection, byAlias };
}

/** Collections that carry our mark, by generation. */
export function ownCollections(library: DomainLibrary, look: Look): Map<number, CollectionLook> {
  const names = new Set(look.peers.flatMap(({ own }) => Object.keys(own)));
  const own = new Map<number, CollectionLook>();
  for (const name of names) {
    const collection = collectionLook(look, name);
    if (collection !== undefined && isOurs(library, collection.mark)) own.set(collection.mark.generation, collection);
  }
  return own;
}
