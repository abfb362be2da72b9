import { isDisabled } from '../api/index.ts';
import { firstFew, unsettled } from './settled.ts';
import {
  isActive,
  isReadable,
  type Member,
  majorityAnswers,
  replicasOn,
  type Shard,
  shardName,
  type Topology,
} from './topology.ts';
import { sizeOf, type World } from './world.ts';

/** What a destructive step is about: the world, the cluster in it, and the peer or volume that the step would touch. */
export type Situation = {
  readonly world: World;
  readonly topology: Topology;
  /** Pod of the peer, where there is one. */
  readonly ordinal: number | undefined;
  readonly member: Member | undefined;
  /** The replica to drop. */
  readonly shard?: Shard;
};

/** Why a step may not be done now, with figures; `undefined` = nothing against it. */
type Refusal = string | undefined;

/**
 * The name is API: it stands in `status.operation.blockedBy`, in a metric and in docs/predicates.md, and the annotation
 * `qdrant-librarian.io/disable-predicates` switches it off.
 */
export type Predicate = {
  readonly name: string;
  /** What it protects, in one sentence for docs/predicates.md. */
  readonly about: string;
  /** Refuses in the normal course of things and passes by itself. */
  readonly passing?: true;
  readonly refuse: (situation: Situation) => Refusal;
};

export type Blocker = { readonly name: string; readonly reason: string; readonly passing: boolean };

const CONSENSUS_NOT_FAILED: Predicate = {
  name: 'consensus-not-failed',
  about: "A peer whose consensus is stopped_with_err still serves but may never start again (S1): it isn't restarted.",
  refuse: ({ topology, member, ordinal }) => {
    const answering = [...topology.views, ...topology.outsiders];
    const view = member?.view ?? answering.find((peer) => peer.name.endsWith(`-${ordinal}`));
    if (view?.consensus !== 'stopped_with_err') return undefined;
    return `${view.name} may not start again: ${view.consensusError ?? 'its consensus stopped with an error'}`;
  },
};

const EVERY_PEER_ANSWERS: Predicate = {
  name: 'every-peer-answers',
  about: 'Unknown is unsafe: with a silent peer nobody knows what its replicas are worth.',
  passing: true,
  refuse: ({ topology }) => silence(topology.members),
};

const REMAINING_PEERS_ANSWER: Predicate = {
  name: 'remaining-peers-answer',
  about: 'Data is handed to peers that stay, so all of them must answer.',
  passing: true,
  refuse: ({ topology, member }) => silence(topology.members.filter(({ id }) => id !== member?.id)),
};

const EVERY_POD_READY: Predicate = {
  name: 'every-pod-ready',
  about: 'One pod at a time: no other may be missing, stopping or starting.',
  passing: true,
  refuse: ({ world, ordinal }) => {
    const replicas = world.statefulSet?.replicas ?? 0;
    const well = world.pods.filter((pod) => pod.ready && !pod.terminating);
    const away = Array.from({ length: replicas }, (_, index) => index).filter(
      (index) => index !== ordinal && !well.some((pod) => pod.ordinal === index),
    );
    return away.length === 0 ? undefined : `pods ${away.join(', ')} aren't ready`;
  },
};

const VIEWS_AGREE: Predicate = {
  name: 'views-agree',
  about: 'All peers must see the same members, collections and leader (S10: a peer can found a cluster of its own).',
  passing: true,
  refuse: ({ topology }) => {
    const foreign = topology.outsiders.map(({ name }) => `${name} is outside the cluster`);
    const reasons = [...topology.disagreements, ...foreign];
    return reasons.length === 0 ? undefined : firstFew(reasons);
  },
};

const NO_TRANSFER_RUNS: Predicate = {
  name: 'no-transfer-runs',
  about: 'A stopped peer aborts the shard transfers that it takes part in.',
  passing: true,
  refuse: ({ topology: { transfers } }) =>
    transfers.length === 0 ? undefined : `${transfers.length} shard transfers run`,
};

const EVERY_REPLICA_ACTIVE: Predicate = {
  name: 'every-replica-active',
  about: 'Every replica is Active in every view; asked of the replica states, never of /readyz, which latches (S9).',
  passing: true,
  refuse: ({ topology }) => {
    const inactive = topology.shards.filter(({ replicas }) => !replicas.every(isActive)).map(shardName);
    return inactive.length === 0 ? undefined : `not Active in every view: ${firstFew(inactive)}`;
  },
};

const EVERY_SHARD_PRESENT: Predicate = {
  name: 'every-shard-present',
  about: 'A shard that no peer holds answers with 200 and without its points (S2, S3): nothing is moved around it.',
  refuse: ({ topology: { lostShards } }) =>
    lostShards.length === 0 ? undefined : `no peer holds all shards of ${firstFew(lostShards)}`,
};

const READABLE_ELSEWHERE: Predicate = {
  name: 'every-shard-readable-elsewhere',
  about:
    'Shards with several replicas stay readable while this peer is away (S2). A shard with one replica is away for the restart.',
  refuse: ({ topology, member }) => {
    if (member === undefined) return undefined;
    const only = replicasOn(topology, member.id).filter(
      ({ replicas }) => replicas.length > 1 && !replicas.some((one) => one.peer !== member.id && isReadable(one)),
    );
    return only.length === 0
      ? undefined
      : `${only.length} shards are readable on ${member.name} only: ${firstFew(only.map(shardName))}`;
  },
};

const QUORUM_WITHOUT_PEER: Predicate = {
  name: 'quorum-without-peer',
  about: 'The other voters that answer stay a majority; clusters of one or two peers have none to keep.',
  refuse: ({ topology, member }) => {
    const { members } = topology;
    if (member === undefined || members.length < 3) return undefined;
    const others = members.filter(({ id, view }) => id !== member.id && view !== undefined).length;
    return others * 2 > members.length ? undefined : `${others} of ${members.length} voters would be left`;
  },
};

const QUORUM_AFTER_REMOVAL: Predicate = {
  name: 'quorum-after-removal',
  about: 'A majority must answer to agree on a removal, and the peers that stay must be able to agree after it.',
  refuse: ({ topology, member }) => {
    const answering = topology.members.filter(({ view }) => view !== undefined).length;
    if (!majorityAnswers(topology)) return `${answering} of ${topology.members.length} voters answer`;
    return majorityAnswers(topology, member?.id) ? undefined : "the voters that stay don't answer";
  },
};

const MAJORITY_ANSWERS: Predicate = {
  name: 'majority-answers',
  about: 'What a minority of the peers says proves nothing about the cluster.',
  passing: true,
  refuse: ({ topology }) => {
    const answering = topology.members.filter(({ view }) => view !== undefined).length;
    return majorityAnswers(topology) ? undefined : `${answering} of ${topology.members.length} voters answer`;
  },
};

const WITHDRAWN: Predicate = {
  name: 'withdrawn',
  about: 'The pod has been out of the client Service for the settling time, so that clients have left it (S5).',
  passing: true,
  refuse: ({ world, ordinal }) => {
    const pod = world.pods.find((candidate) => candidate.ordinal === ordinal);
    const others = world.pods.some((other) => other.ordinal !== ordinal && other.ready && !other.terminating);
    if (pod === undefined || !pod.ready || !others) return undefined;
    if (pod.serving || pod.withdrawnAt === undefined) return `${pod.name} is in the client Service`;
    const held = (world.now - pod.withdrawnAt) / 1000;
    return held >= world.settleSeconds ? undefined : `withdrawn for ${held.toFixed(1)} s of ${world.settleSeconds} s`;
  },
};

const SETTLED: Predicate = {
  name: 'settled',
  about:
    'Nothing has been unsettled for the settling time: right after a restart all views still say Active, and stopping the next peer then loses points for good (S4).',
  passing: true,
  refuse: ({ world, topology }) => {
    if (world.settledSince === undefined) return firstFew(unsettled(topology), 2) || 'not settled';
    const held = (world.now - world.settledSince) / 1000;
    return held >= world.settleSeconds ? undefined : `settled for ${held.toFixed(1)} s of ${world.settleSeconds} s`;
  },
};

const SIZE_AT_LEAST_ONE: Predicate = {
  name: 'size-at-least-one',
  about: "The last peer holds the data: it isn't removed; delete the QdrantCluster instead.",
  refuse: ({ world, topology }) =>
    sizeOf(world.cluster) >= 1 && topology.members.length > 1 ? undefined : 'one peer must stay',
};

const REPLICATION_FACTOR_FITS: Predicate = {
  name: 'replication-factor-fits',
  about: 'After the removal every shard still has as many replicas as its collection asks for.',
  refuse: ({ world, topology, member }) => {
    const stay = topology.members.filter(({ id }) => id !== member?.id).length;
    const short = [...new Set(topology.shards.map(({ collection }) => collection))].filter((collection) => {
      const factor = world.replicationFactors.get(collection);
      return factor === undefined || factor > stay;
    });
    return short.length === 0
      ? undefined
      : `${stay} peers would be left for ${firstFew(short.map((name) => `${name} (factor ${world.replicationFactors.get(name) ?? 'unknown'})`))}`;
  },
};

const HOLDS_NO_SHARD: Predicate = {
  name: 'peer-holds-no-shard',
  about: 'No view lists a replica on the peer, its own neither: removal never drops a replica (S3).',
  passing: true,
  refuse: ({ topology, member }) => {
    if (member === undefined) return undefined;
    const held = replicasOn(topology, member.id);
    return held.length === 0
      ? undefined
      : `${held.length} shards are on ${member.name}: ${firstFew(held.map(shardName))}`;
  },
};

const NO_TRANSFER_TOUCHES: Predicate = {
  name: 'no-transfer-touches-peer',
  about: 'No view shows a shard transfer from or to the peer.',
  passing: true,
  refuse: ({ topology, member }) => {
    const touching = topology.transfers.filter(({ from, to }) => from === member?.id || to === member?.id);
    return touching.length === 0 ? undefined : `${touching.length} shard transfers touch the peer`;
  },
};

const ANOTHER_ACTIVE: Predicate = {
  name: 'another-replica-active',
  about: 'The shard has an Active replica on another peer that answers: the last one is never dropped (S3).',
  refuse: ({ topology, member, shard }) => {
    if (shard === undefined) return 'no shard is named';
    const owners = new Set(topology.members.filter(({ view }) => view !== undefined).map(({ id }) => id));
    const other = shard.replicas.some((one) => one.peer !== member?.id && isActive(one) && owners.has(one.peer));
    return other ? undefined : `${shardName(shard)} has no other Active replica`;
  },
};

const NOT_A_MEMBER: Predicate = {
  name: 'peer-not-a-member',
  about: 'After a removal the membership is looked at, not the answer: an unknown id is answered with 200, too (S11).',
  passing: true,
  refuse: ({ topology, ordinal }) => {
    const member = topology.members.find((candidate) => candidate.ordinal === ordinal);
    return member === undefined ? undefined : `peer ${member.id} is a member still`;
  },
};

const VOLUME_UNUSED: Predicate = {
  name: 'volume-unused',
  about: 'Only the volume of a pod that is gone and of a peer whose removal was verified is emptied.',
  refuse: ({ world, ordinal }) => {
    if (world.pods.some((pod) => pod.ordinal === ordinal)) return 'its pod is there still';
    const claim = world.claims.find((candidate) => candidate.ordinal === ordinal);
    return claim?.removedPeer === undefined ? 'no removal was verified for it' : undefined;
  },
};

const VOLUME_MARKED: Predicate = {
  name: 'volume-marked',
  about:
    'The volume of a removed peer is marked before its pod stops: a peer that was removed can never rejoin with it.',
  passing: true,
  refuse: ({ world, ordinal }) => {
    const unmarked = world.claims.filter((claim) => claim.ordinal === ordinal && claim.removedPeer === undefined);
    return unmarked.length === 0 ? undefined : `${unmarked.map(({ name }) => name).join(', ')} isn't marked`;
  },
};

const NO_PEER_ANSWERS: Predicate = {
  name: 'no-peer-answers',
  about: 'A cluster is founded anew only when nobody of the old one is there (S10).',
  refuse: ({ topology }) => {
    const there = [...topology.views, ...topology.outsiders].map(({ name }) => name);
    return there.length === 0 ? undefined : `${there.join(', ')} answer`;
  },
};

const ONE_PEER_CLUSTER: Predicate = {
  name: 'one-peer-cluster',
  about: 'Founding anew gives up what other volumes still hold; a cluster of one peer has no other.',
  refuse: ({ world }) => {
    const size = Math.max(sizeOf(world.cluster), world.statefulSet?.replicas ?? 0);
    return size <= 1 ? undefined : `the cluster has ${size} peers`;
  },
};

const NO_LIBRARY_PLACED: Predicate = {
  name: 'no-library-placed',
  about: 'A cluster is deleted only when no DomainLibrary lives on it.',
  refuse: ({ world: { libraries } }) =>
    libraries.length === 0 ? undefined : `${libraries.length} libraries are placed on it: ${firstFew(libraries)}`,
};

/** What must hold before each destructive step, in the order in which it is asked. */
export const PREDICATES = {
  stopPeer: [
    CONSENSUS_NOT_FAILED,
    EVERY_PEER_ANSWERS,
    EVERY_POD_READY,
    VIEWS_AGREE,
    NO_TRANSFER_RUNS,
    EVERY_REPLICA_ACTIVE,
    READABLE_ELSEWHERE,
    QUORUM_WITHOUT_PEER,
    WITHDRAWN,
    SETTLED,
  ],
  restartUnhealthy: [CONSENSUS_NOT_FAILED],
  drainPeer: [
    SIZE_AT_LEAST_ONE,
    REMAINING_PEERS_ANSWER,
    VIEWS_AGREE,
    EVERY_SHARD_PRESENT,
    REPLICATION_FACTOR_FITS,
    QUORUM_AFTER_REMOVAL,
  ],
  removePeer: [
    SIZE_AT_LEAST_ONE,
    REMAINING_PEERS_ANSWER,
    VIEWS_AGREE,
    EVERY_SHARD_PRESENT,
    REPLICATION_FACTOR_FITS,
    QUORUM_AFTER_REMOVAL,
    HOLDS_NO_SHARD,
    NO_TRANSFER_TOUCHES,
    WITHDRAWN,
    SETTLED,
  ],
  stopDrainedPeer: [
    SIZE_AT_LEAST_ONE,
    REMAINING_PEERS_ANSWER,
    VIEWS_AGREE,
    EVERY_SHARD_PRESENT,
    REPLICATION_FACTOR_FITS,
    QUORUM_WITHOUT_PEER,
    HOLDS_NO_SHARD,
    NO_TRANSFER_TOUCHES,
    WITHDRAWN,
    SETTLED,
  ],
  removeLostPeer: [REMAINING_PEERS_ANSWER, MAJORITY_ANSWERS, QUORUM_AFTER_REMOVAL, HOLDS_NO_SHARD, NO_TRANSFER_TOUCHES],
  dropReplica: [MAJORITY_ANSWERS, VIEWS_AGREE, ANOTHER_ACTIVE],
  dropLostReplica: [REMAINING_PEERS_ANSWER, MAJORITY_ANSWERS, ANOTHER_ACTIVE],
  stopRemovedPod: [MAJORITY_ANSWERS, NOT_A_MEMBER, VOLUME_MARKED],
  emptyVolume: [MAJORITY_ANSWERS, NOT_A_MEMBER, VOLUME_UNUSED],
  foundAgain: [NO_PEER_ANSWERS, ONE_PEER_CLUSTER],
  deleteCluster: [NO_LIBRARY_PLACED],
} as const satisfies Record<string, readonly Predicate[]>;

export type Gate = keyof typeof PREDICATES;

/** The predicates that refuse, in order; empty = the step may be done. */
export function blockers(gate: Gate, situation: Situation): Blocker[] {
  const { disabled } = situation.world;
  const predicates: readonly Predicate[] = PREDICATES[gate];
  return predicates.flatMap(({ name, passing, refuse }) => {
    if (isDisabled(disabled, name)) return [];
    const reason = refuse(situation);
    return reason === undefined ? [] : [{ name, reason, passing: passing === true }];
  });
}

/** Every predicate once, by name. */
export const ALL_PREDICATES: readonly Predicate[] = [
  ...new Map(
    Object.values(PREDICATES).flatMap((list) => list.map((predicate) => [predicate.name, predicate] as const)),
  ).values(),
];

function silence(members: readonly Member[]): Refusal {
  const silent = members.filter(({ view }) => view === undefined).map(({ name }) => name);
  return silent.length === 0 ? undefined : `${firstFew(silent)} don't answer`;
}
