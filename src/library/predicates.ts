import {
  ANNOTATIONS,
  type ComparisonStatus,
  type DomainLibrary,
  type GenerationStatus,
  type QdrantCluster,
} from '../api/index.ts';
import { FENCE_HOLDS_SECONDS, type Progress } from '../migration/index.ts';
import { aliasesOf, type CollectionLook, deadPeers, type Look, peersOfUnknownVersion } from './look.ts';
import { MOVE_PREDICATES } from './move-predicates.ts';
import { everyPeerAnswers, type Predicate, workersKeyRefused } from './predicate.ts';
import { LEAVE_PREDICATES } from './reverse/predicates.ts';
import type { LibrarySettings, Memory } from './world.ts';

export { MOVE_PREDICATES } from './move-predicates.ts';
export { refusals, workersKeyRefused } from './predicate.ts';
export { LEAVE_PREDICATES } from './reverse/predicates.ts';

export type CreateSubject = { readonly look: Look; readonly cluster: QdrantCluster };

/** What must hold before a collection is made. */
export const CREATE_PREDICATES: readonly Predicate<CreateSubject>[] = [
  everyPeerAnswers,
  {
    // Shards are placed once, among the peers of this moment: a cluster that still grows would get a lopsided collection.
    name: 'cluster-is-ready',
    refuse: ({ cluster }) => {
      const ready = cluster.status?.conditions?.find(({ type }) => type === 'Ready');
      if (ready?.status === 'True') return workersKeyRefused(cluster);
      return `QdrantCluster ${cluster.metadata.name} is not Ready: ${ready?.reason ?? 'nothing is known of it yet'}`;
    },
  },
  {
    name: 'within-collection-limit',
    refuse: ({ look, cluster }) => {
      const most = cluster.spec.limits?.maxCollections;
      const count = new Set(look.peers.flatMap(({ collections }) => collections)).size;
      return most === undefined || count < most ? undefined : `the cluster has ${count} collections of ${most}`;
    },
  },
];

export type StartSubject = CreateSubject & {
  readonly from: CollectionLook;
  /** Vectors that no copy can carry over, each in words. */
  readonly uncopyable: readonly string[];
  /** Why points can't be placed among the new shards. */
  readonly unplaceable: string | undefined;
};

/** What must hold before a new generation is begun. */
export const START_PREDICATES: readonly Predicate<StartSubject>[] = [
  ...CREATE_PREDICATES,
  {
    name: 'vectors-can-be-copied',
    refuse: ({ from, uncopyable }) =>
      from.points === 0 || uncopyable.length === 0
        ? undefined
        : `${from.points} points have vectors that a copy can't bring over: ${uncopyable.join(', ')}`,
  },
  {
    name: 'points-can-be-placed',
    refuse: ({ from, unplaceable }) => (from.points === 0 ? undefined : unplaceable),
  },
];

export type VectorSubject = { readonly look: Look; readonly collection: CollectionLook };

/** What must hold before a vector is added to a collection that serves. */
export const VECTOR_PREDICATES: readonly Predicate<VectorSubject>[] = [
  everyPeerAnswers,
  {
    // A peer before 1.18 can't read the entry of the log that adds a vector.
    name: 'every-version-is-known',
    refuse: ({ look }) => {
      const unknown = peersOfUnknownVersion(look);
      return unknown.length === 0 ? undefined : `nobody tells which Qdrant runs on members ${unknown.join(', ')}`;
    },
  },
  {
    name: 'no-transfer-runs',
    refuse: ({ collection: { name, transfers } }) =>
      transfers === 0 ? undefined : `${transfers} shard transfers of ${name} run`,
  },
];

export type FenceSubject = {
  /** Of the cluster where the source is. */
  readonly look: Look;
  /** Of the cluster where the target is: the same but for a move. */
  readonly targetLook: Look;
  readonly from: CollectionLook;
  readonly to: CollectionLook;
  readonly toNumber: number;
  readonly library: DomainLibrary;
  readonly progress: Progress | undefined;
  readonly memory: Memory;
  readonly settings: LibrarySettings;
  readonly now: number;
  /** The first switch of an adopted collection: its name can only become an alias once it is dropped. */
  readonly gap: boolean;
};

const bothFullyReadable: Predicate<Pick<FenceSubject, 'from' | 'to'>> = {
  name: 'both-fully-readable',
  refuse: ({ from, to }) => {
    const partial = [from, to].filter(({ unreadable, unknownTo }) => unreadable.length + unknownTo.length > 0);
    if (partial.length === 0) return undefined;
    return partial
      .map(({ name, unreadable, unknownTo }) =>
        unknownTo.length > 0
          ? `${name} is unknown to ${unknownTo.join(', ')}`
          : `shards ${unreadable.join(', ')} of ${name} have no readable replica`,
      )
      .join('; ');
  },
};

const gapIsAllowed: Predicate<Pick<FenceSubject, 'gap' | 'library' | 'toNumber'>> = {
  name: 'gap-is-allowed',
  refuse: ({ gap, library, toNumber }) => {
    if (!gap || library.metadata.annotations?.[ANNOTATIONS.allowGap] === String(toNumber)) return undefined;
    return `the adopted collection must be dropped, for its name can't be an alias beside it: annotate ${ANNOTATIONS.allowGap}: "${toNumber}"`;
  },
};

/** A worker that lives says something every 5 s, a quarter of its lease. */
const WORKER_SILENCE_SECONDS = 8;
/** After a fence was lifted without a switch clients get at least so long to write. */
const REST_SECONDS = 30;
/** Settling, and what a pass under the fence may take longer than the last one. */
const FREEZE_MARGIN = 1.5;
const SETTLE_SECONDS = 2;

export const predictedFreezeSeconds = (progress: Progress | undefined): number | undefined =>
  progress?.lastPass === undefined
    ? undefined
    : (progress.lastPass.milliseconds * FREEZE_MARGIN) / 1000 + SETTLE_SECONDS;

const everyPeerOfBothAnswers: Predicate<Pick<FenceSubject, 'look' | 'targetLook'>> = {
  name: everyPeerAnswers.name,
  refuse: ({ look, targetLook }) =>
    everyPeerAnswers.refuse({ look }) ??
    (targetLook === look ? undefined : everyPeerAnswers.refuse({ look: targetLook })),
};

/** What must hold before writes are held back. */
export const FENCE_PREDICATES: readonly Predicate<FenceSubject>[] = [
  gapIsAllowed,
  everyPeerOfBothAnswers,
  {
    // A peer that is never asked may not have applied the fence: its clients would write on unseen.
    name: 'every-peer-can-be-asked',
    refuse: ({ look }) => {
      const members = new Set(look.peers.flatMap(({ memberIds }) => memberIds)).size;
      return look.everyPeerListed || members <= look.peers.length
        ? undefined
        : `the cluster has ${members} members behind ${look.peers.length} address`;
    },
  },
  bothFullyReadable,
  {
    name: 'no-transfer-runs',
    refuse: ({ from, to }) => {
      const running = from.transfers + to.transfers;
      return running === 0 ? undefined : `${running} shard transfers run`;
    },
  },
  {
    // Qdrant limits the writes of Active replicas only, and one that comes back brings a full limiter.
    name: 'every-replica-active',
    refuse: ({ from }) => (from.inactive.length === 0 ? undefined : `of ${from.name}, ${from.inactive.join(', ')}`),
  },
  {
    name: 'copy-has-converged',
    refuse: ({ progress }) =>
      progress?.phase === 'Converging' && progress.passes > 0
        ? undefined
        : 'both sides have not been compared in full yet',
  },
  {
    // The successor of a worker that was killed begins only after a whole lease: clients would wait for it, too.
    name: 'worker-is-at-work',
    refuse: ({ memory: { workerHeardAt }, now }) => {
      if (workerHeardAt === undefined) return 'the worker was not heard yet';
      const silent = (now - workerHeardAt) / 1000;
      return silent <= WORKER_SILENCE_SECONDS ? undefined : `the worker has said nothing for ${silent.toFixed(0)} s`;
    },
  },
  {
    // Green flickers between two rebuilds (measured, section 13).
    name: 'target-is-green',
    refuse: ({ to, memory, now, settings }) => {
      const since = memory.greenSince.get(to.name);
      if (to.status !== 'green' || since === undefined) return `${to.name} is ${to.status} or has work queued`;
      const held = (now - since) / 1000;
      return held >= settings.greenSeconds ? undefined : `green for ${held.toFixed(1)} s of ${settings.greenSeconds} s`;
    },
  },
  {
    name: 'freeze-short-enough',
    refuse: ({ progress, settings }) => {
      const predicted = predictedFreezeSeconds(progress);
      if (predicted === undefined) return 'nothing is known yet of how long a comparison takes';
      return predicted <= settings.maxFreezeSeconds
        ? undefined
        : `writes would be held back for about ${predicted.toFixed(0)} s, more than ${settings.maxFreezeSeconds} s`;
    },
  },
  {
    name: 'fence-rested',
    refuse: ({ memory, now }) => {
      const rested = memory.unfencedAt === undefined ? Number.POSITIVE_INFINITY : (now - memory.unfencedAt) / 1000;
      return rested >= REST_SECONDS
        ? undefined
        : `the last fence was lifted ${rested.toFixed(0)} s of ${REST_SECONDS} s ago`;
    },
  },
];

/** The limiter must refuse until every peer has applied the switch. */
const SWITCH_MARGIN_SECONDS = 15;

export const fenceAgeSeconds = ({ from, now }: Pick<FenceSubject, 'from' | 'now'>): number | undefined =>
  from.mark?.fence === undefined ? undefined : (now - from.mark.fence.at) / 1000;

/** What must hold before the alias is switched. */
export const SWITCH_PREDICATES: readonly Predicate<FenceSubject>[] = [
  gapIsAllowed,
  everyPeerOfBothAnswers,
  bothFullyReadable,
  {
    name: 'fence-holds',
    refuse: ({ from, progress, now }) => {
      const nonce = progress?.verified?.nonce;
      if (nonce === undefined) return 'both sides have not been proved equal under this fence';
      if (from.fence !== nonce) return `not every peer shows the fence under which both sides were proved equal`;
      const age = fenceAgeSeconds({ from, now }) ?? 0;
      const most = FENCE_HOLDS_SECONDS - SWITCH_MARGIN_SECONDS;
      return age <= most ? undefined : `the fence is ${age.toFixed(0)} s old; it holds for ${most} s`;
    },
  },
  {
    name: 'digests-agree',
    refuse: ({ progress, library, toNumber }) => {
      const { verified } = progress ?? {};
      if (progress?.change !== `${library.metadata.uid}/${toNumber}`) return 'the proof is of another change';
      if (verified === undefined) return 'there is no proof';
      if (verified.source !== verified.target) return `digests differ: ${verified.source} and ${verified.target}`;
      return verified.sourceCount === verified.targetCount
        ? undefined
        : `counts differ: ${verified.sourceCount} and ${verified.targetCount}`;
    },
  },
];

export type DropSubject = {
  readonly look: Look;
  readonly collection: CollectionLook;
  /** The active generation's collection; undefined while the library is being deleted. */
  readonly active: CollectionLook | undefined;
  readonly now: number;
  readonly settings: LibrarySettings;
  /** When the active generation became that, and the digest that was proved then. */
  readonly activeSince: number | undefined;
  readonly activeDigest: string | undefined;
  /** Names of snapshots whose files lie on the peers under this collection. */
  readonly localSnapshots?: readonly string[];
  /** Milliseconds since the epoch, where the policy that moved the library says it. */
  readonly keepUntil?: number | undefined;
  /** Points when the source of a move was left; undefined: it was not moved, or is not known. */
  readonly pointsAtMove?: number | undefined;
  /** Of a generation that a move has left: what comparing it with what serves came to. */
  readonly comparison?: ComparisonStatus | undefined;
  readonly lateWrites?: GenerationStatus['lateWrites'];
};

/**
 * What must hold before a collection is dropped that was never active, or whose library is deleted. That it carries
 * our mark and is not the active one is no predicate: nothing else is ever offered.
 */
export const DROP_PREDICATES: readonly Predicate<DropSubject>[] = [
  {
    name: 'every-peer-answers',
    refuse: ({ look }) => {
      const silent = [...look.silent.map(({ name, error }) => `${name}: ${error}`), ...deadPeers(look)];
      return silent.length === 0 ? undefined : [...new Set(silent)].join('; ');
    },
  },
  {
    name: 'no-alias-leads-to-it',
    refuse: ({ look, collection }) => {
      const aliases = aliasesOf(look, collection.name);
      return aliases.length === 0 ? undefined : `alias ${aliases.join(', ')} leads to ${collection.name}`;
    },
  },
];

/** What must hold, besides, before a generation that was once active is dropped. */
export const RETIRE_PREDICATES: readonly Predicate<DropSubject>[] = [
  ...DROP_PREDICATES,
  {
    name: 'successor-fully-readable',
    refuse: ({ active }) => {
      if (active === undefined) return 'there is no active generation';
      return active.unreadable.length + active.unknownTo.length === 0
        ? undefined
        : `${active.name} is not readable in full`;
    },
  },
  {
    name: 'successor-was-proved',
    refuse: ({ activeDigest }) =>
      activeDigest === undefined ? 'the active generation has no digest of a proof' : undefined,
  },
  {
    name: 'retired-long-enough',
    refuse: ({ activeSince, now, settings, keepUntil }) => {
      if (keepUntil !== undefined && now < keepUntil)
        return `it is kept until ${new Date(keepUntil).toISOString()}, as the policy that moved the library says`;
      if (activeSince === undefined) return 'it is not known since when the active generation is active';
      const held = (now - activeSince) / 1000;
      return held >= settings.retireSeconds
        ? undefined
        : `the active generation is active for ${held.toFixed(0)} s of ${settings.retireSeconds} s`;
    },
  },
  {
    // Qdrant gives the files of a collection's snapshots only as long as the collection is there (read in 1.18.3).
    name: 'no-snapshot-lies-with-it',
    refuse: ({ collection, localSnapshots = [] }) =>
      localSnapshots.length === 0
        ? undefined
        : `local snapshots ${localSnapshots.join(', ')} could not be read any more without ${collection.name}`,
  },
  {
    // What was proved equal at the switch is only as good as long as nobody wrote to the old one since.
    name: 'source-unchanged',
    refuse: ({ collection, pointsAtMove, comparison }) => {
      // What brings it in step changes it, and undoes what others write to it.
      if ((comparison?.runs ?? 0) > 0) return undefined;
      if (comparison?.asLeft === false)
        return `${collection.name} was written to after the library had moved away: it has the digest ${comparison.left}`;
      return pointsAtMove === undefined || collection.points === pointsAtMove
        ? undefined
        : `${collection.name} has ${collection.points} points and had ${pointsAtMove} when the library moved away`;
    },
  },
];

/** All names, for the documentation. */
export const LIBRARY_PREDICATES: readonly string[] = [
  ...new Set(
    [
      CREATE_PREDICATES,
      START_PREDICATES,
      MOVE_PREDICATES,
      VECTOR_PREDICATES,
      FENCE_PREDICATES,
      SWITCH_PREDICATES,
      DROP_PREDICATES,
      RETIRE_PREDICATES,
      LEAVE_PREDICATES,
    ]
      .flat()
      .map(({ name }) => name),
  ),
];
