import type { Blocker, GenerationStatus } from '../../api/index.ts';
import { aliasesOf, type CollectionLook, collectionExists } from '../look.ts';
import { generationsOf, type Note, type Plan } from '../plan.ts';
import { DROP_PREDICATES, type DropSubject, LEAVE_PREDICATES, RETIRE_PREDICATES, refusals } from '../predicates.ts';
import { compareBeforeDrop, dropNote } from '../reverse/decide.ts';
import { HOLDS_WHAT_WAS_LEFT } from '../reverse/predicates.ts';
import { trialNow } from '../snapshots/decide/under-way.ts';
import { manifestsOf } from '../snapshots/world.ts';
import { placeNamed, type SeenWorld } from '../world.ts';
import type { Active } from './active.ts';
import { ownCollections } from './active.ts';
import { onSite, type Site, siteOf, sitesOf } from './site.ts';

const DEFAULT_KEEP = 1;

/** A collection of ours that is not the active one. */
type Candidate = { readonly number: number; readonly collection: CollectionLook; readonly site: Site };

/** Drops, one at a time and last of all, what was never active or is retired beyond `generations.keep`. */
export function cleanUp(world: SeenWorld, active: Active): Plan | undefined {
  if (world.leftovers) return { steps: [{ kind: 'cleanUpCopy' }] };
  const { library } = world;
  // Only what carries our mark is ever offered, and never the collection that answers to the name.
  const candidates = sitesOf(world).flatMap((site) =>
    [...ownCollections(library, site.look)]
      .filter(([, { name }]) => site.name !== undefined || name !== active.collection.name)
      .map(([number, collection]): Candidate => ({ number, collection, site })),
  );
  return forget(world, generationsOf(library.status)) ?? dropOne(world, active, candidates);
}

/** Entries of collections that every peer has forgotten, or whose cluster is no more. */
function forget(world: SeenWorld, generations: readonly GenerationStatus[]): Plan | undefined {
  const left = generations.filter(
    (entry) =>
      entry.state === 'Active' ||
      entry.state === 'Building' ||
      entry.number === trialNow(world)?.generation ||
      mayExist(world, entry),
  );
  return left.length === generations.length ? undefined : { steps: [], status: { generations: left } };
}

function mayExist(world: SeenWorld, { number, collection, cluster }: GenerationStatus): boolean {
  const site = siteOf(world, cluster);
  if (site === undefined) return placeNamed(world, cluster)?.cluster !== undefined;
  const { look } = site;
  if (look.silent.length > 0) return true;
  return ownCollections(world.library, look).has(number) || collectionExists(look, collection);
}

function dropOne(world: SeenWorld, active: Active, candidates: readonly Candidate[]): Plan | undefined {
  const { library, now, settings } = world;
  const generations = generationsOf(library.status);
  const entryOf = (wanted: number) => generations.find(({ number }) => number === wanted);
  const activeEntry = entryOf(active.generation);
  const subject = ({ collection, number, site }: Candidate): DropSubject => ({
    look: site.look,
    collection,
    active: active.collection,
    now,
    settings,
    activeSince: activeEntry?.switchedAt === undefined ? undefined : Date.parse(activeEntry.switchedAt),
    activeDigest: activeEntry?.digest,
    localSnapshots: manifestsOf(world.snapshots)
      .filter((manifest) => manifest.destination === 'local' && manifest.collection === collection.name)
      .map(({ name }) => name),
    keepUntil: parsed(entryOf(number)?.keepUntil),
    pointsAtMove: site.name !== undefined && number === previous(generations, active) ? activeEntry?.points : undefined,
    comparison: entryOf(number)?.comparison,
    lateWrites: entryOf(number)?.lateWrites,
  });
  const trial = trialNow(world)?.generation;
  const failed = candidates.filter(({ number }) => ['Failed', 'Trial'].includes(entryOf(number)?.state ?? ''));
  const untimely = failed.flatMap(({ collection, site }) =>
    site.name === undefined ? [] : aliasesOf(site.look, collection.name).map((alias) => ({ alias, site })),
  )[0];
  // A move that was given up had named it before the switch.
  if (untimely !== undefined) return onSite(untimely.site, { steps: [{ kind: 'dropAlias', alias: untimely.alias }] });
  // One that the status doesn't know may once have been active: it is treated as retired.
  const retired = candidates.filter((candidate) => !failed.includes(candidate));
  const timed = retired.filter(({ number }) => entryOf(number)?.keepUntil !== undefined);
  const counted = retired
    .filter((candidate) => !timed.includes(candidate))
    .toSorted((a, b) => b.number - a.number)
    .slice(library.spec.generations?.keep ?? DEFAULT_KEEP);
  const refused: Blocker[] = [];
  const notes: Note[] = [];
  let comparing: Plan | undefined;
  for (const { offered, predicates } of [
    { offered: failed.filter(({ number }) => number !== trial), predicates: DROP_PREDICATES },
    { offered: [...timed, ...counted], predicates: RETIRE_PREDICATES },
  ]) {
    for (const candidate of offered) {
      const blockedBy = refusals(predicates, subject(candidate), library);
      const entry = entryOf(candidate.number);
      const moved = predicates === RETIRE_PREDICATES && candidate.site.name !== undefined;
      const gate = moved && blockedBy.length === 0 ? refusals(LEAVE_PREDICATES, subject(candidate), library) : [];
      if (blockedBy.length + gate.length === 0) return drop(candidate);
      refused.push(...blockedBy, ...gate);
      if (!moved || entry === undefined || blockedBy.some(({ name }) => name === 'retired-long-enough')) continue;
      if (gate.some(({ name }) => name === 'compared-anew')) comparing ??= compareBeforeDrop(world, entry);
      if (blockedBy.length > 0 || isWorthTelling(entry, gate)) notes.push(dropNote(entry, [...blockedBy, ...gate]));
    }
  }
  // Nobody waits for it: it is no condition, only a metric and a line in the log.
  const said = { blockedBy: refused, notes: notes.slice(0, 1) };
  if (comparing !== undefined) return { ...comparing, ...said };
  return refused.length === 0 ? undefined : { steps: [], ...said };
}

/** That both are compared first is no news, unless that fails. */
function isWorthTelling({ comparison, comparing }: GenerationStatus, gate: readonly Blocker[]): boolean {
  const passing = comparison === undefined ? ['compared-anew', HOLDS_WHAT_WAS_LEFT] : ['compared-anew'];
  return (comparing?.attempt ?? 0) > 1 || gate.some(({ name }) => !passing.includes(name));
}

const parsed = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time));

/** The generation that the active one has taken over from. */
const previous = (generations: readonly GenerationStatus[], { generation }: Active): number | undefined =>
  generations.findLast(({ number, state }) => number < generation && state === 'Retired')?.number;

const drop = ({ number, collection: { name }, site }: Candidate): Plan => {
  const where = site.name === undefined ? '' : ` on ${site.name}`;
  const note = `generation ${number} (${name})${where} is dropped`;
  return onSite(site, {
    steps: [{ kind: 'dropCollection', collection: name }],
    events: [{ type: 'Normal', reason: 'GenerationDropped', action: 'Drop', note }],
  });
};
