import type { OpenUpload, StoredObject } from './bucket.ts';
import { isSnapshotName, manifestKey } from './keys.ts';

export type SweepSubject = {
  /** `<prefix><namespace>/<library>/`. */
  readonly base: string;
  readonly library: string;
  /** Of the library object: another one of that name may use the same bucket. */
  readonly uid: string;
  /** Snapshots that are being made, or are not to be looked into. */
  readonly spare: ReadonlySet<string>;
  /** Of every manifest that is there: keys of its parts. */
  readonly parts: ReadonlyMap<string, ReadonlySet<string>>;
};

type Predicate = { readonly name: string; readonly refuse: (key: string, subject: SweepSubject) => string | undefined };

const pathOf = (key: string, base: string): readonly string[] => key.slice(base.length).split('/');

/** What must hold before an object in the bucket is taken for left behind by a worker that did not finish. */
export const SWEEP_PREDICATES: readonly Predicate[] = [
  {
    name: 'under-our-prefix',
    refuse: (key, { base }) => (key.startsWith(base) ? undefined : `${key} is not under ${base}`),
  },
  {
    name: 'named-by-us',
    refuse: (key, { base, library }) => {
      const [snapshot = '', , file = '', ...rest] = pathOf(key, base);
      const ours = isSnapshotName(library, snapshot) && /^shard-\d+\.snapshot$/.test(file) && rest.length === 0;
      return ours ? undefined : `${key} is no part of a snapshot`;
    },
  },
  {
    name: 'made-by-this-library',
    refuse: (key, { base, uid }) => {
      const [, run = ''] = pathOf(key, base);
      return run.startsWith(`${uid}-`) ? undefined : `${key} was made for another object`;
    },
  },
  {
    name: 'not-being-made',
    refuse: (key, { base, spare }) => {
      const [snapshot = ''] = pathOf(key, base);
      return spare.has(snapshot) ? `${snapshot} is being made` : undefined;
    },
  },
  {
    name: 'in-no-manifest',
    refuse: (key, { base, parts }) => {
      const [snapshot = ''] = pathOf(key, base);
      return parts.get(snapshot)?.has(key) === true ? `${key} is a part of ${snapshot}` : undefined;
    },
  },
];

const isLeft = (key: string, subject: SweepSubject): boolean =>
  SWEEP_PREDICATES.every(({ refuse }) => refuse(key, subject) === undefined);

/** Keys of parts that no manifest names. */
export const leftObjects = (objects: readonly StoredObject[], subject: SweepSubject): string[] =>
  objects.map(({ key }) => key).filter((key) => isLeft(key, subject));

export const leftUploads = (uploads: readonly OpenUpload[], subject: SweepSubject): OpenUpload[] =>
  uploads.filter(({ key }) => isLeft(key, subject));

/** Names of snapshots that have a manifest. */
export const manifestsIn = (objects: readonly StoredObject[], base: string): string[] =>
  objects.flatMap(({ key }) => {
    const [snapshot = ''] = pathOf(key, base);
    return key.startsWith(base) && key === manifestKey(base, snapshot) ? [snapshot] : [];
  });
