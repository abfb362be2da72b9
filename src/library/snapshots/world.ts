import type { Manifest } from './manifest.ts';
import type { TaskProgress } from './task-progress.ts';

/** One snapshot, as its ConfigMap tells: made before its Job begins, kept as long as the snapshot. */
export type KeptSnapshot = {
  readonly name: string;
  /** Milliseconds since the epoch; when it was begun. */
  readonly begunAt: number;
  /** Value of the annotation that asked for it. */
  readonly nonce: string | undefined;
  /** Milliseconds since the epoch; the moment of the schedule that it is for. */
  readonly scheduledFor: number | undefined;
  readonly progress: TaskProgress | undefined;
};

/** What a pass knows of snapshots and restores. */
export type SnapshotWorld = {
  readonly kept: readonly KeptSnapshot[];
  /** Progress of restores, by the generation that they make. */
  readonly restores: ReadonlyMap<number, TaskProgress>;
  /** Generations of restores whose objects are there. */
  readonly restoreObjects: readonly number[];
  /** Snapshots whose Job's objects are there beside the ConfigMap that is kept. */
  readonly snapshotObjects: readonly string[];
  /** A Job that only drops, or what is left of it; undefined: there is none. */
  readonly tidying: { readonly progress: TaskProgress | undefined } | undefined;
  /** Why the credentials of the bucket can't be had; undefined: nothing against it. */
  readonly credentialsProblem: string | undefined;
};

export const manifestsOf = ({ kept }: SnapshotWorld): Manifest[] =>
  kept.flatMap(({ progress }) => progress?.manifest ?? []);

/** The one that is being made, or whose Job still drops what is not kept; at most one is begun at a time. */
export const pendingOf = ({ kept }: SnapshotWorld): KeptSnapshot | undefined =>
  kept.filter(({ progress }) => progress?.phase !== 'Done').toSorted((a, b) => a.begunAt - b.begunAt)[0];

/** Names of snapshots that a worker has dropped. */
export const droppedOf = ({ kept, tidying }: SnapshotWorld): ReadonlySet<string> =>
  new Set([...kept, ...(tidying === undefined ? [] : [tidying])].flatMap(({ progress }) => progress?.dropped ?? []));
