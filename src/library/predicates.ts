import { ANNOTATIONS, type DomainLibrary, type QdrantCluster } from '../api/index.ts';
import { FENCE_HOLDS_SECONDS, type Progress } from '../migration/index.ts';
import { DROP_PREDICATES, RETIRE_PREDICATES } from './drop-predicates.ts';
import { type CollectionLook, type Look, peersOfUnknownVersion } from './look.ts';
import { MOVE_PREDICATES } from './move-predicates.ts';
import { everyPeerAnswers, type Predicate, workersKeyRefused } from './predicate.ts';
import { LEAVE_PREDICATES } from './reverse/predicates.ts';
import type { LibrarySettings, Memory } from './world.ts';

export { DROP_PREDICATES, type DropSubject, RETIRE_PREDICATES } from './drop-predicates.ts';
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
