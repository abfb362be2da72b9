import type { DomainLibrary } from '../../../api/index.ts';
import { refusals } from '../../predicates.ts';
import type { Manifest } from '../manifest.ts';
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
