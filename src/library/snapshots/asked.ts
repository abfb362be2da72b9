import { isShardFile } from '../../migration/index.ts';
import type { TaskProgress } from './task-progress.ts';

/** What a worker has asked a peer for, of one shard: written down before, so that a successor knows what may be its own. */
export type Asked = NonNullable<TaskProgress['asked']>[number];

type Subject = {
  readonly asked: Asked;
  /** All that is listed for the shard. */
  readonly listed: readonly string[];
  /** Parts of the snapshot. */
  readonly kept: readonly string[];
};

type Predicate = { readonly name: string; readonly refuse: (file: string, subject: Subject) => string | undefined };

/** Names that no answer told. */
const unheardOf = ({ asked, listed }: Subject): string[] =>
  listed.filter((name) => isShardFile(asked, name) && !asked.before.includes(name) && !asked.files?.includes(name));

/** What must hold before a file on a peer is taken for one that nobody will name. */
export const LEFT_FILE_PREDICATES: readonly Predicate[] = [
  {
    name: 'named-as-a-shard-snapshot',
    refuse: (file, { asked }) => (isShardFile(asked, file) ? undefined : `${file} is no snapshot of its shard`),
  },
  {
    name: 'not-there-before',
    refuse: (file, { asked }) => (asked.before.includes(file) ? `${file} lay there before` : undefined),
  },
  {
    name: 'in-no-manifest',
    refuse: (file, { kept }) => (kept.includes(file) ? `${file} is a part of the snapshot` : undefined),
  },
  {
    name: 'told-or-awaited',
    // A worker that is killed before the answer doesn't know the name; of more new ones than answers are missing nobody can tell whose they are.
    refuse: (file, subject) => {
      if (subject.asked.files?.includes(file) === true) return undefined;
      const { length } = unheardOf(subject);
      return length <= (subject.asked.open ?? 1) ? undefined : `${length} snapshots were made by nobody knows whom`;
    },
  },
];

/** Files that may be deleted: made for a worker before, and part of no snapshot. */
export const leftFiles = (subject: Subject): string[] =>
  subject.listed.filter((file) => LEFT_FILE_PREDICATES.every(({ refuse }) => refuse(file, subject) === undefined));
