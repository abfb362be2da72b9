import type { DomainLibraryStatus } from '../../api/index.ts';
import type { LocalPart } from './task-config.ts';

/** A snapshot that goes; its parts where they lie on peers. */
export type Dropped = { readonly name: string; readonly parts?: readonly LocalPart[] };

/** What a pass has done about snapshots and restores; carried out by `act.ts` of this folder. */
export type SnapshotOrder =
  /** Writes down that a snapshot is to be made: the ConfigMap that it will be. */
  | {
      readonly do: 'begin';
      readonly name: string;
      readonly nonce?: string;
      readonly scheduledFor?: number;
    }
  | {
      readonly do: 'make';
      readonly name: string;
      readonly attempt: number;
      readonly drop: readonly Dropped[];
    }
  /** A Job that makes nothing. */
  | { readonly do: 'tidy'; readonly attempt: number; readonly drop: readonly Dropped[] }
  | {
      readonly do: 'restore';
      /** The snapshot. */
      readonly name: string;
      readonly generation: number;
      readonly attempt: number;
    }
  /** Deletes Jobs and configurations of work that is over. */
  | { readonly do: 'putAway'; readonly snapshots: readonly string[]; readonly restores: readonly number[] }
  /** Deletes the ConfigMaps of snapshots that are no more. */
  | { readonly do: 'forget'; readonly names: readonly string[] };

/** What a pass writes into `status.snapshots`; the rest of it is read off what exists. */
export type SnapshotsPlanned = {
  /** Milliseconds since the epoch. */
  readonly scheduledAt?: number;
  readonly trial?: NonNullable<DomainLibraryStatus['snapshots']>['trial'];
};
