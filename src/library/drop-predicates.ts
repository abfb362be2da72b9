import type { ComparisonStatus, GenerationStatus } from '../api/index.ts';
import { aliasesOf, type CollectionLook, deadPeers, type Look } from './look.ts';
import type { Predicate } from './predicate.ts';
import type { LibrarySettings } from './world.ts';

export type DropSubject = {
  readonly look: Look;
  readonly collection: CollectionLook;
  /** The active generation's collection; undefined while the library is being deleted. */
  readonly active: CollectionLook | undefined;
  readonly now: number;
  readonly settings: LibrarySettings;
  /** When the active generation became that, and the digest that was proved then. */
  readonly activeSince: number | undefined;
  readonly activeDigest: string | undefined;
  /** Names of snapshots whose files lie on the peers under this collection. */
  readonly localSnapshots?: readonly string[];
  /** Milliseconds since the epoch, where the policy that moved the library says it. */
  readonly keepUntil?: number | undefined;
  /** Points when the source of a move was left; undefined: it was not moved, or is not known. */
  readonly pointsAtMove?: number | undefined;
  /** Of a generation that a move has left: what comparing it with what serves came to. */
  readonly comparison?: ComparisonStatus | undefined;
  readonly lateWrites?: GenerationStatus['lateWrites'];
};

/**
 * What must hold before a collection is dropped that was never active, or whose library is deleted. That it carries
 * our mark and is not the active one is no predicate: nothing else is ever offered.
 */
export const DROP_PREDICATES: readonly Predicate<DropSubject>[] = [
  {
    name: 'every-peer-answers',
    refuse: ({ look }) => {
      const silent = [...look.silent.map(({ name, error }) => `${name}: ${error}`), ...deadPeers(look)];
      return silent.length === 0 ? undefined : [...new Set(silent)].join('; ');
    },
  },
  {
    name: 'no-alias-leads-to-it',
    refuse: ({ look, collection }) => {
      const aliases = aliasesOf(look, collection.name);
      return aliases.length === 0 ? undefined : `alias ${aliases.join(', ')} leads to ${collection.name}`;
    },
  },
];

/** What must hold, besides, before a generation that was once active is dropped. */
export const RETIRE_PREDICATES: readonly Predicate<DropSubject>[] = [
  ...DROP_PREDICATES,
  {
    name: 'successor-fully-readable',
    refuse: ({ active }) => {
      if (active === undefined) return 'there is no active generation';
      return active.unreadable.length + active.unknownTo.length === 0
        ? undefined
        : `${active.name} is not readable in full`;
    },
  },
  {
    name: 'successor-was-proved',
    refuse: ({ activeDigest }) =>
      activeDigest === undefined ? 'the active generation has no digest of a proof' : undefined,
  },
  {
    name: 'retired-long-enough',
    refuse: ({ activeSince, now, settings, keepUntil }) => {
      if (keepUntil !== undefined && now < keepUntil)
        return `it is kept until ${new Date(keepUntil).toISOString()}, as the policy that moved the library says`;
      if (activeSince === undefined) return 'it is not known since when the active generation is active';
      const held = (now - activeSince) / 1000;
      return held >= settings.retireSeconds
        ? undefined
        : `the active generation is active for ${held.toFixed(0)} s of ${settings.retireSeconds} s`;
    },
  },
  {
    // Qdrant gives the files of a collection's snapshots only as long as the collection is there (read in 1.18.3).
    name: 'no-snapshot-lies-with-it',
    refuse: ({ collection, localSnapshots = [] }) =>
      localSnapshots.length === 0
        ? undefined
        : `local snapshots ${localSnapshots.join(', ')} could not be read any more without ${collection.name}`,
  },
  {
    // What was proved equal at the switch is only as good as long as nobody wrote to the old one since.
    name: 'source-unchanged',
    refuse: ({ collection, pointsAtMove, comparison }) => {
      // What brings it in step changes it, and undoes what others write to it.
      if ((comparison?.runs ?? 0) > 0) return undefined;
      if (comparison?.asLeft === false)
        return `${collection.name} was written to after the library had moved away: it has the digest ${comparison.left}`;
      return pointsAtMove === undefined || collection.points === pointsAtMove
        ? undefined
        : `${collection.name} has ${collection.points} points and had ${pointsAtMove} when the library moved away`;
    },
  },
];
