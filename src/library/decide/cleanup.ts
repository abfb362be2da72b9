import type { GenerationStatus } from '../../api/index.ts';
import type { CollectionLook } from '../look.ts';
import { generationsOf, type Plan } from '../plan.ts';
import { DROP_PREDICATES, type DropSubject, RETIRE_PREDICATES, refusals } from '../predicates.ts';
import type { SeenWorld } from '../world.ts';
import type { Active } from './active.ts';
import { ownCollections } from './active.ts';

const DEFAULT_KEEP = 1;

/** Drops, one at a time and last of all, what was never active or is retired beyond `generations.keep`. */
export function cleanUp(world: SeenWorld, active: Active): Plan | undefined {
  const { library, look } = world;
  const generations = generationsOf(library.status);
  const own = ownCollections(library, look);
  // Only what carries our mark is ever offered, and never the collection that answers to the name.
  const candidates = [...own].filter(([, { name }]) => name !== active.collection.name);
  if (world.leftovers) return { steps: [{ kind: 'cleanUpCopy' }] };
  return forget(world, generations, own) ?? dropOne(world, active, candidates);
}

/** Entries of collections that every peer has forgotten. */
function forget(
  { look }: SeenWorld,
  generations: readonly GenerationStatus[],
  own: ReadonlyMap<number, CollectionLook>,
): Plan | undefined {
  if (look.silent.length > 0) return undefined;
  const known = new Set(look.peers.flatMap(({ collections }) => collections));
  const left = generations.filter(
    ({ number, state, collection }) =>
      state === 'Active' || state === 'Building' || own.has(number) || known.has(collection),
  );
  return left.length === generations.length ? undefined : { steps: [], status: { generations: left } };
}

function dropOne(world: SeenWorld, active: Active, candidates: [number, CollectionLook][]): Plan | undefined {
  const { library, look, now, settings } = world;
  const generations = generationsOf(library.status);
  const activeEntry = generations.find(({ number }) => number === active.generation);
  const subject = (collection: CollectionLook): DropSubject => ({
    look,
    collection,
    active: active.collection,
    now,
    settings,
    activeSince: activeEntry?.switchedAt === undefined ? undefined : Date.parse(activeEntry.switchedAt),
    activeDigest: activeEntry?.digest,
  });
  const failed = candidates.filter(([number]) =>
    generations.some((entry) => entry.number === number && entry.state === 'Failed'),
  );
  // One that the status doesn't know may once have been active: it is treated as retired.
  const keep = library.spec.generations?.keep ?? DEFAULT_KEEP;
  const retired = candidates
    .filter(([number]) => !failed.some(([other]) => other === number))
    .toSorted(([a], [b]) => b - a)
    .slice(keep);
  const refused = [];
  for (const { collections, predicates } of [
    { collections: failed, predicates: DROP_PREDICATES },
    { collections: retired, predicates: RETIRE_PREDICATES },
  ]) {
    for (const [number, collection] of collections) {
      const blockedBy = refusals(predicates, subject(collection), library);
      if (blockedBy.length === 0) return drop(number, collection);
      refused.push(...blockedBy);
    }
  }
  // Nobody waits for it: it is no condition, only a metric and a line in the log.
  return refused.length === 0 ? undefined : { steps: [], blockedBy: refused };
}

const drop = (number: number, { name }: CollectionLook): Plan => ({
  steps: [{ kind: 'dropCollection', collection: name }],
  events: [
    { type: 'Normal', reason: 'GenerationDropped', action: 'Drop', note: `generation ${number} (${name}) is dropped` },
  ],
});
