import type { DomainLibrary, QdrantCluster } from '../../api/index.ts';
import { type CollectionLook, deadPeers, type Look } from '../look.ts';
import { workersKeyRefused } from '../predicates.ts';
import { LEFT_FILE_PREDICATES } from './asked.ts';
import { samePlace } from './destination.ts';
import type { BucketPlace, Manifest } from './manifest.ts';
import { SWEEP_PREDICATES } from './sweep.ts';

type Predicate<Subject> = { readonly name: string; readonly refuse: (subject: Subject) => string | undefined };

export type SnapshotSubject = {
  readonly library: DomainLibrary;
  readonly look: Look;
  readonly cluster: QdrantCluster;
  readonly collection: CollectionLook;
  readonly credentialsProblem: string | undefined;
  /** A restore that runs. */
  readonly restoring: string | undefined;
  /** A move whose data travels as snapshots of shards. */
  readonly moving: string | undefined;
};

const everyPeerCanBeAsked: Predicate<{ readonly look: Look }> = {
  // A peer has only its own part, and behind one address nobody knows whom he asks.
  name: 'every-peer-can-be-asked',
  refuse: ({ look }) => {
    const members = new Set(look.peers.flatMap(({ memberIds }) => memberIds)).size;
    return look.everyPeerListed || members <= look.peers.length
      ? undefined
      : `the cluster has ${members} members behind ${look.peers.length} address`;
  },
};

const keyIsAccepted: Predicate<{ readonly cluster: QdrantCluster }> = {
  name: 'workers-key-is-accepted',
  refuse: ({ cluster }) => workersKeyRefused(cluster),
};

const everyPeerAnswers: Predicate<{ readonly look: Look }> = {
  name: 'every-peer-answers',
  refuse: ({ look }) => {
    const silent = [...look.silent.map(({ name, error }) => `${name}: ${error}`), ...deadPeers(look)];
    return silent.length === 0 ? undefined : [...new Set(silent)].join('; ');
  },
};

/** What must hold before a snapshot is begun, or its next attempt. */
export const MAKE_PREDICATES: readonly Predicate<SnapshotSubject>[] = [
  everyPeerCanBeAsked,
  keyIsAccepted,
  {
    name: 'credentials-are-there',
    refuse: ({ credentialsProblem }) => credentialsProblem,
  },
  {
    name: 'no-restore-runs',
    refuse: ({ restoring }) => restoring,
  },
  {
    // Files of both would lie side by side under names of one form, and within one second under the same (S7).
    name: 'no-move-makes-snapshots',
    refuse: ({ moving }) => moving,
  },
];

export type DropSubject = {
  readonly manifest: Manifest;
  /** All that exist, newest first. */
  readonly manifests: readonly Manifest[];
  /** Snapshots that a rollback or a trial restores. */
  readonly used: ReadonlySet<string>;
  /** Where this pass may drop. */
  readonly place: BucketPlace | undefined;
  readonly cluster: string;
};

/** What must hold before a snapshot is dropped that is beyond what is kept. */
export const DROP_SNAPSHOT_PREDICATES: readonly Predicate<DropSubject>[] = [
  {
    name: 'not-the-last-good-one',
    refuse: ({ manifest, manifests }) =>
      manifests[0]?.name === manifest.name ? `${manifest.name} is the newest that exists` : undefined,
  },
  {
    name: 'no-rollback-uses-it',
    refuse: ({ manifest, used }) => (used.has(manifest.name) ? `${manifest.name} is being restored` : undefined),
  },
  {
    name: 'lies-within-reach',
    refuse: ({ manifest, place, cluster }) => {
      if (manifest.destination === 'local') {
        return manifest.cluster === cluster ? undefined : `${manifest.name} lies on the peers of ${manifest.cluster}`;
      }
      return samePlace(place, manifest)
        ? undefined
        : `${manifest.name} lies in another bucket than spec.snapshots names`;
    },
  },
];

export type RestoreSubject = {
  readonly look: Look;
  readonly cluster: QdrantCluster;
  readonly credentialsProblem: string | undefined;
  /** A change of generation that runs. */
  readonly changing: string | undefined;
  /** A snapshot's Job whose pod may still run. */
  readonly snapshotting: string | undefined;
};

/** What must hold before a rollback or a trial restore begins. */
export const RESTORE_PREDICATES: readonly Predicate<RestoreSubject>[] = [
  { name: 'no-change-runs', refuse: ({ changing }) => changing },
  // It may be about to drop what is wanted.
  { name: 'no-snapshot-runs', refuse: ({ snapshotting }) => snapshotting },
  everyPeerCanBeAsked,
  everyPeerAnswers,
  keyIsAccepted,
  { name: 'credentials-are-there', refuse: ({ credentialsProblem }) => credentialsProblem },
];

const nameIsAnAlias: Predicate<{ readonly nameIsTaken: string | undefined }> = {
  // An alias can't have a collection's name: what is live would have to be dropped.
  name: 'name-is-an-alias',
  refuse: ({ nameIsTaken }) => nameIsTaken,
};

export type BackSubject = {
  readonly look: Look;
  readonly to: CollectionLook;
  /** The public name is that of the live collection itself. */
  readonly nameIsTaken: string | undefined;
  /** Digest of what was restored; of a generation that was live before, that it was. */
  readonly proof: string | undefined;
};

/** What must hold before the public name leads back. */
export const BACK_PREDICATES: readonly Predicate<BackSubject>[] = [
  everyPeerAnswers,
  {
    name: 'target-fully-readable',
    refuse: ({ to: { name, unreadable, unknownTo } }) => {
      if (unknownTo.length > 0) return `${name} is unknown to ${unknownTo.join(', ')}`;
      return unreadable.length === 0
        ? undefined
        : `shards ${unreadable.join(', ')} of ${name} have no readable replica`;
    },
  },
  {
    name: 'no-transfer-runs',
    refuse: ({ to }) => (to.transfers === 0 ? undefined : `${to.transfers} shard transfers of ${to.name} run`),
  },
  {
    name: 'target-is-not-red',
    refuse: ({ to }) => (to.status === 'red' ? `Qdrant calls ${to.name} red` : undefined),
  },
  { name: 'restore-was-proved', refuse: ({ proof }) => (proof === undefined ? 'there is no proof' : undefined) },
  nameIsAnAlias,
];

/** What must hold, besides, before a rollback begins. */
export const ROLLBACK_PREDICATES: readonly Predicate<Pick<BackSubject, 'nameIsTaken'>>[] = [nameIsAnAlias];

/** All names, for the documentation. */
export const SNAPSHOT_PREDICATES: readonly string[] = [
  ...new Set(
    [
      MAKE_PREDICATES,
      LEFT_FILE_PREDICATES,
      DROP_SNAPSHOT_PREDICATES,
      SWEEP_PREDICATES,
      RESTORE_PREDICATES,
      BACK_PREDICATES,
    ]
      .flat()
      .map(({ name }) => name),
  ),
];
