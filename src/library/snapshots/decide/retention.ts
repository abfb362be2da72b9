import type { DomainLibrary } from '../../../api/index.ts';
import { refusals } from '../../predicates.ts';
import type { Manifest } from '../manifest.ts';
import type { Dropped } from '../orders.ts';
import { DROP_SNAPSHOT_PREDICATES, type DropSubject } from '../predicates.ts';

const DEFAULT_KEEP = 7;
const HOUR = 3_600_000;

export type Retention = Pick<DropSubject, 'used' | 'place' | 'cluster'> & {
  readonly library: DomainLibrary;
  readonly manifests: readonly Manifest[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether one more is about to be made. */
  readonly making: boolean;
};

export const newestFirst = (manifests: readonly Manifest[]): Manifest[] =>
  manifests.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));

/** Milliseconds since the epoch; when the next one crosses `maxAgeHours`. The newest is kept, however old. */
export function nextExpiry({ library, manifests, now }: Pick<Retention, 'library' | 'manifests' | 'now'>) {
  const { maxAgeHours } = library.spec.snapshots ?? {};
  if (maxAgeHours === undefined) return undefined;
  const times = newestFirst(manifests)
    .slice(1)
    .map(({ createdAt }) => Date.parse(createdAt) + maxAgeHours * HOUR)
    .filter((time) => time >= now);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** What a worker is told of one that goes. */
export const dropOf = ({ name, destination, collection, parts }: Manifest): Dropped =>
  destination === 's3'
    ? { name }
    : { name, parts: parts.map(({ shard, peer, file }) => ({ collection, shard, peer, file })) };

/** Snapshots that are no longer kept, oldest first: beyond `keepLast`, or older than `maxAgeHours`. */
export function surplus({ library, manifests, now, making, ...rest }: Retention): Manifest[] {
  const { keepLast = DEFAULT_KEEP, maxAgeHours } = library.spec.snapshots ?? {};
  const sorted = newestFirst(manifests);
  const old = (manifest: Manifest): boolean =>
    maxAgeHours !== undefined && now - Date.parse(manifest.createdAt) > maxAgeHours * HOUR;
  return sorted
    .filter((manifest, at) => at >= keepLast - (making ? 1 : 0) || old(manifest))
    .filter((manifest) => {
      const subject: DropSubject = { manifest, manifests: making ? [] : sorted, ...rest };
      return refusals(DROP_SNAPSHOT_PREDICATES, subject, library).length === 0;
    })
    .toReversed();
}
