import { aliasTargets, type CollectionLook, collectionExists, type Look } from '../look.ts';
import type { Note, Plan } from '../plan.ts';
import type { SeenWorld } from '../world.ts';
import { ownCollections } from './active.ts';

/**
 * The further names of the library. One that leads elsewhere is left alone: `create_alias` would take it over without
 * a word.
 */
export function furtherAliases(world: SeenWorld, active: CollectionLook): Plan | undefined {
  const { library, look } = world;
  const wanted = library.spec.aliases ?? [];
  const ownNames = new Set([...ownCollections(library, look).values()].map(({ name }) => name));
  const taken = wanted.filter((alias) => takenBy(look, alias, ownNames) !== undefined);
  const free = wanted.filter((alias) => !taken.includes(alias));
  const notes = taken.length === 0 ? [] : [takenNote(look, taken, ownNames)];
  const plan = claim(active, free) ?? point(look, active, free) ?? release(look, active, wanted);
  if (plan !== undefined) return { ...plan, notes };
  return notes.length === 0 ? undefined : { steps: [], notes };
}

function takenBy(look: Look, alias: string, ownNames: ReadonlySet<string>): string | undefined {
  if (collectionExists(look, alias)) return `collection ${alias}`;
  const foreign = aliasTargets(look, alias).find((target) => target !== undefined && !ownNames.has(target));
  return foreign === undefined ? undefined : `an alias of ${foreign}`;
}

const takenNote = (look: Look, taken: readonly string[], ownNames: ReadonlySet<string>): Note => ({
  type: 'AliasTaken',
  status: 'True',
  reason: 'AliasTaken',
  message: `spec.aliases: ${taken.map((alias) => `${alias} is ${takenBy(look, alias, ownNames) ?? 'taken'}`).join('; ')}`,
});

/** Written down first: an alias is dropped later only when the mark says that we made it. */
function claim({ name, mark }: CollectionLook, wanted: readonly string[]): Plan | undefined {
  if (mark === undefined) return undefined;
  const claimed = mark.aliases ?? [];
  if (wanted.every((alias) => claimed.includes(alias))) return undefined;
  const aliases = [...new Set([...claimed, ...wanted])].toSorted();
  return { steps: [{ kind: 'mark', collection: name, mark: { ...mark, aliases } }] };
}

function point(look: Look, { name }: CollectionLook, wanted: readonly string[]): Plan | undefined {
  const aliases = wanted.filter((alias) => aliasTargets(look, alias).some((target) => target !== name));
  return aliases.length === 0 ? undefined : { steps: [{ kind: 'pointAliases', collection: name, aliases }] };
}

function release(look: Look, { name, mark }: CollectionLook, wanted: readonly string[]): Plan | undefined {
  if (mark === undefined) return undefined;
  const surplus = (mark.aliases ?? []).filter((alias) => !wanted.includes(alias));
  const [first] = surplus;
  if (first === undefined) return undefined;
  if (aliasTargets(look, first).includes(name)) return { steps: [{ kind: 'dropAlias', alias: first }] };
  const aliases = (mark.aliases ?? []).filter((alias) => alias !== first);
  return { steps: [{ kind: 'mark', collection: name, mark: { ...mark, aliases } }] };
}
