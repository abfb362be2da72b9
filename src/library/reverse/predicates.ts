import type { ComparisonStatus } from '../../api/index.ts';
import { parseDigest } from '../../vectors/index.ts';
import type { DropSubject } from '../drop-predicates.ts';
import type { Predicate } from '../predicate.ts';

/**
 * Points that are gone from what serves may have been deleted by clients, or lost: nobody can tell. A tenth of them at
 * once, or since the move where nothing is kept in step, is taken for a loss until a person says otherwise.
 */
export const LACKING_PERCENT = 10;
/** The name by which a person says that points that are gone were deleted. */
export const HOLDS_WHAT_WAS_LEFT = 'successor-holds-what-was-left';

/** How long a comparison speaks for what serves, besides the time that it took itself. */
const FRESH_SECONDS = 600;

export const isFresh = ({ comparison, now }: Pick<DropSubject, 'comparison' | 'now'>): boolean =>
  comparison !== undefined &&
  now - Date.parse(comparison.at) <= FRESH_SECONDS * 1000 + 2 * Number(comparison.milliseconds);

const heldBy = ({ left }: ComparisonStatus): number => parseDigest(left)?.count ?? 0;

/** A digest that can't be read tells nothing, and that is too much. */
export const lacksTooMuch = (comparison: ComparisonStatus): boolean =>
  parseDigest(comparison.left) === undefined || Number(comparison.lacking) * 100 > heldBy(comparison) * LACKING_PERCENT;

/** What must hold, besides, before the generation is dropped that a move has left: the second gate. */
export const LEAVE_PREDICATES: readonly Predicate<DropSubject>[] = [
  {
    name: 'late-writes-brought-over',
    refuse: ({ lateWrites, collection }) => {
      if (lateWrites === 'None' || lateWrites === 'BroughtOver') return undefined;
      return lateWrites === 'Kept'
        ? `writes that came after the proof are in ${collection.name} only`
        : `nobody knows whether writes came to ${collection.name} after the proof`;
    },
  },
  {
    name: 'successor-every-replica-active',
    refuse: ({ active }) => {
      if (active === undefined) return 'there is no active generation';
      if (active.inactive.length > 0) return `of ${active.name}, ${active.inactive.join(', ')}`;
      return active.transfers === 0 ? undefined : `${active.transfers} shard transfers of ${active.name} run`;
    },
  },
  {
    name: 'compared-anew',
    refuse: (subject) => {
      const { comparison, collection } = subject;
      if (isFresh(subject)) return undefined;
      return comparison === undefined
        ? `${collection.name} has not been compared with what serves since the move`
        : `${collection.name} was compared with what serves last at ${comparison.at}`;
    },
  },
  {
    name: HOLDS_WHAT_WAS_LEFT,
    refuse: ({ comparison, collection }) => {
      if (comparison === undefined) return `nobody knows whether what serves has all of ${collection.name}`;
      return !lacksTooMuch(comparison)
        ? undefined
        : `${comparison.lacking} of ${heldBy(comparison)} points of ${collection.name} are gone from what serves: deleted by clients, or lost`;
    },
  },
  {
    // What was lost after the comparison no comparison tells; a count does, roughly.
    name: 'successor-still-as-compared',
    refuse: ({ comparison, active }) => {
      if (comparison === undefined || active === undefined) return undefined;
      const then = Number(comparison.points);
      return active.points * 100 >= then * (100 - LACKING_PERCENT)
        ? undefined
        : `${active.name} has ${active.points} points and had ${then} when it was compared`;
    },
  },
];
