import { type DomainLibrary, parseQuantity, type QdrantCluster } from '../api/index.ts';
import {
  aliasTargets,
  type CollectionLook,
  collectionExists,
  collectionLook,
  deadPeers,
  type Look,
  versionsTold,
} from './look.ts';
import { type Predicate, type Refusal, workersKeyRefused } from './predicate.ts';
import type { Place } from './world.ts';

/** A move that is about to make something on its target. */
export type MoveSubject = {
  readonly library: DomainLibrary;
  /** The cluster that the library is on, and its active collection there. */
  readonly cluster: QdrantCluster;
  readonly look: Look;
  readonly from: CollectionLook;
  readonly place: Place;
  /** Physical name on the target. */
  readonly collection: string;
  /** All names that will lead to it. */
  readonly aliases: readonly string[];
  readonly replicationFactor: number;
  /** Vectors that no copy can carry over, and why points can't be placed; in words. */
  readonly misfits: readonly string[];
  /** Why the engine that a policy asks for by name can't be used. */
  readonly engineRefused: string | undefined;
  /** Where its data is to travel as snapshots of shards: Jobs that make or drop such now. */
  readonly snapshotting: readonly string[];
};

const KEY_REASONS: readonly string[] = [
  'Unauthorized',
  'SecretNotFound',
  'SecretKeyMissing',
  'SecretEmpty',
  'SecretInvalid',
];

const lookOf = ({ sight }: Place): Look | undefined => (sight.kind === 'seen' ? sight.look : undefined);

const targetReady: Predicate<MoveSubject> = {
  name: 'target-ready',
  refuse: ({ place }) => {
    const { cluster, sight, name } = place;
    if (cluster === undefined) return `QdrantCluster ${name} does not exist`;
    if (cluster.metadata.deletionTimestamp !== undefined) return `QdrantCluster ${name} is being deleted`;
    if (sight.kind === 'blind' && !KEY_REASONS.includes(sight.reason)) return sight.message;
    const ready = cluster.status?.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True')
      return `QdrantCluster ${name} is not Ready: ${ready?.reason ?? 'nothing is known of it yet'}`;
    const dead = sight.kind === 'seen' ? deadPeers(sight.look) : [];
    return dead.length === 0 ? undefined : dead.join('; ');
  },
};

const keysAccepted: Predicate<MoveSubject> = {
  name: 'keys-accepted',
  refuse: ({ place: { cluster, sight, name }, ...source }) => {
    if (sight.kind === 'blind' && KEY_REASONS.includes(sight.reason)) return `QdrantCluster ${name}: ${sight.message}`;
    return workersKeyRefused(source.cluster) ?? (cluster === undefined ? undefined : workersKeyRefused(cluster));
  },
};

const minor = (version: string): number => {
  const [, major = '0', part = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) * 10_000 + Number(part);
};

const targetVersionNotOlder: Predicate<MoveSubject> = {
  // What a newer Qdrant has stored in configuration and payload an older one may not know.
  name: 'target-version-not-older',
  refuse: ({ look, place }) => {
    const target = lookOf(place);
    if (target === undefined) return undefined;
    const newest = versionsTold(look).toSorted((a, b) => minor(b.version) - minor(a.version))[0];
    const oldest = versionsTold(target).toSorted((a, b) => minor(a.version) - minor(b.version))[0];
    if (newest === undefined || oldest === undefined || minor(oldest.version) >= minor(newest.version))
      return undefined;
    return `${oldest.peer} of QdrantCluster ${place.name} runs ${oldest.version}, the library lives on ${newest.version}`;
  },
};

const GIBIBYTE = 1024 ** 3;
const MEGABYTE = 1024 * 1024;
/** Qdrant's own advice for a load: twice what the source takes. */
const ROOM_FACTOR = 2;

const gibibytes = (bytes: number): string => `${(bytes / GIBIBYTE).toFixed(2)} GiB`;
const bytesOf = (quantity: string): number => Number(parseQuantity(quantity) / 10n ** 9n);

const targetHasRoom: Predicate<MoveSubject> = {
  name: 'target-has-room',
  refuse: (subject) => {
    const { cluster } = subject.place;
    if (cluster === undefined) return undefined;
    return withinQuotas(subject, cluster) ?? withinMachine(subject, cluster);
  },
};

function withinQuotas({ place, library }: MoveSubject, { spec }: QdrantCluster): Refusal {
  const { maxCollections, maxCollectionSizeMB } = spec.limits ?? {};
  const look = lookOf(place);
  const count = new Set(look?.peers.flatMap(({ collections }) => collections) ?? []).size;
  if (maxCollections !== undefined && count >= maxCollections)
    return `QdrantCluster ${place.name} has ${count} collections of ${maxCollections}`;
  const size = library.status?.vectorsBytes;
  if (maxCollectionSizeMB === undefined || size === undefined || size <= maxCollectionSizeMB * MEGABYTE)
    return undefined;
  return `its vectors take ${Math.ceil(size / MEGABYTE)} MB, spec.limits.maxCollectionSizeMB of QdrantCluster ${place.name} is ${maxCollectionSizeMB}`;
}

/** Only as far as specs and statuses tell: what payloads, indexes and libraries of others take nobody says. */
function withinMachine({ place, library, from, replicationFactor }: MoveSubject, { spec }: QdrantCluster): Refusal {
  const own = library.status?.vectorsBytes;
  if (own === undefined || spec.external !== undefined) return undefined;
  const peers = spec.size ?? 1;
  const needed = own * replicationFactor * ROOM_FACTOR + place.vectorsBytes;
  const disk = spec.persistence?.size;
  if (disk !== undefined && needed > bytesOf(disk) * peers)
    return `${gibibytes(needed)} are needed with what is there, the volumes of QdrantCluster ${place.name} hold ${gibibytes(bytesOf(disk) * peers)}`;
  const memory = spec.resources?.limits?.['memory'];
  const onDisk = Object.values(from.observed.vectors).every((vector) => vector['on_disk'] === true);
  if (memory === undefined || onDisk || needed <= bytesOf(String(memory)) * peers) return undefined;
  return `${gibibytes(needed)} of vectors don't fit into ${gibibytes(bytesOf(String(memory)) * peers)}, the memory of QdrantCluster ${place.name}`;
}

const targetNameFree: Predicate<MoveSubject> = {
  // `create_alias` would take a name over without a word.
  name: 'target-name-free',
  refuse: ({ place, library, aliases, collection }) => {
    const look = lookOf(place);
    if (look === undefined) return undefined;
    const [rival] = place.rivals;
    if (rival !== undefined) return `DomainLibrary ${rival.name} claims the name on QdrantCluster ${place.name}, too`;
    // A target that is half built is there already.
    if (collectionExists(look, collection) && collectionLook(look, collection)?.mark?.uid !== library.metadata.uid)
      return `collection ${collection} exists on QdrantCluster ${place.name}`;
    const taken = aliases.flatMap((alias) => {
      if (collectionExists(look, alias)) return [`${alias} is a collection`];
      const target = aliasTargets(look, alias).find((name) => name !== undefined && name !== collection);
      return target === undefined ? [] : [`${alias} is an alias of ${target}`];
    });
    return taken.length === 0 ? undefined : `on QdrantCluster ${place.name}, ${taken.join('; ')}`;
  },
};

const sourceReadable: Predicate<MoveSubject> = {
  // Reads answer 200 without the points of a shard that can't be read (S2).
  name: 'source-readable',
  refuse: ({ from: { name, unreadable, unknownTo } }) => {
    if (unknownTo.length > 0) return `${name} is unknown to ${unknownTo.join(', ')}`;
    return unreadable.length === 0 ? undefined : `shards ${unreadable.join(', ')} of ${name} have no readable replica`;
  },
};

const shapeFits: Predicate<MoveSubject> = {
  name: 'shape-fits',
  refuse: ({ place, from, replicationFactor, misfits }) => {
    const look = lookOf(place);
    const members = new Set(look?.peers.flatMap(({ memberIds }) => memberIds) ?? []).size;
    // Qdrant makes fewer replicas without a word.
    if (look !== undefined && replicationFactor > members)
      return `${replicationFactor} replicas of each shard need as many peers, QdrantCluster ${place.name} has ${members}: see spec.shards.replicationFactor`;
    return from.points === 0 || misfits.length === 0 ? undefined : misfits.join('; ');
  },
};

const enginePossible: Predicate<MoveSubject> = {
  name: 'engine-possible',
  refuse: ({ engineRefused }) =>
    engineRefused === undefined ? undefined : `migration.engine of the policy can't be used: ${engineRefused}`,
};

const noSnapshotRuns: Predicate<MoveSubject> = {
  // Files of both would lie side by side under names of one form, and within one second under the same (S7).
  name: 'no-snapshot-runs',
  refuse: ({ snapshotting }) =>
    snapshotting.length === 0 ? undefined : `${snapshotting.join(', ')} makes snapshots of the same shards`,
};

/** What must hold before a move makes anything on its target. */
export const MOVE_PREDICATES: readonly Predicate<MoveSubject>[] = [
  targetReady,
  keysAccepted,
  targetVersionNotOlder,
  targetHasRoom,
  targetNameFree,
  sourceReadable,
  shapeFits,
  enginePossible,
  noSnapshotRuns,
];
