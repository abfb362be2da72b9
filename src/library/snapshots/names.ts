/** Names of objects of snapshots and restores; a library's name has at most 50 characters, a Job's may have 63. */

export const SNAPSHOT_TASK = 'snapshot';
export const RESTORE_TASK = 'restore';

/** Annotations of a snapshot's ConfigMap. */
export const NONCE_ANNOTATION = 'qdrant-librarian.io/snapshot-nonce';
export const SCHEDULED_ANNOTATION = 'qdrant-librarian.io/scheduled-for';
/** On the ConfigMap of a task: what is kept is the snapshot, what is not only concerns its Job. */
export const ROLE_LABEL = 'qdrant-librarian.io/task-role';

const ATTEMPTS_TOLD = 100;

export const snapshotTaskNames = (library: string, snapshot: string) => ({
  account: `${library}-snapshot`,
  config: `${snapshot}-config`,
  progress: snapshot,
});

/** In the place of a snapshot's name: a Job that only drops. */
export const TIDY = 'tidy';

export const tidyTaskNames = (library: string) => ({
  account: `${library}-snapshot`,
  config: `${library}-tidy-config`,
  progress: `${library}-tidy`,
});

export const tidyJobPrefix = (library: string): string => `${library}-tidy-a`;

export const restoreTaskNames = (library: string, generation: number) => ({
  account: `${library}-restore`,
  config: `${library}-restore-g${generation}`,
  progress: `${library}-restore-g${generation}-progress`,
});

/** Seconds since the epoch, short: the whole name would be too long for a Job. */
const shortTime = (snapshot: string): string => {
  const match = /-(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z$/.exec(snapshot);
  const [year, month, day, hour, minute, second] = (match ?? []).slice(1).map(Number);
  return (Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second) / 1000).toString(36);
};

export const snapshotJobPrefix = (library: string, snapshot: string): string => `${library}-s${shortTime(snapshot)}-a`;

export const restoreJobPrefix = (library: string, generation: number): string => `${library}-r${generation}-a`;

export const taskJobName = (prefix: string, attempt: number): string => `${prefix}${attempt % ATTEMPTS_TOLD}`;
