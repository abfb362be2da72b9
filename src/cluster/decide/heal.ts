import { STORAGE_VOLUME } from '../names.ts';
import type { Situation } from '../predicates.ts';
import { firstFew } from '../settled.ts';
import { isActive, type Member, replicasOn, shardName, type Topology } from '../topology.ts';
import type { Exit, World } from '../world.ts';
import { keepers, stillJoining } from './keepers.ts';
import { freeSlots, missingCopies } from './placement.ts';
import { gated, type Proposal } from './step.ts';

/** What Qdrant says when it joins under an address that another peer has, and which. */
const ADDRESS_TAKEN = /already used by peer (\d+)/;
/** What start.sh says before it joins with an empty volume. */
const VOLUME_WAS_EMPTY = /qdrant-librarian: the volume is empty/;
/** A refused join ends at once; a peer that joined and was killed later has the same words in its log. */
const REFUSED_WITHIN_SECONDS = 30;
const SIGNALS_FROM = 128;

/**
 * Whether a silent member's volume was lost. Its pod then fails in a loop, because its address belongs to the peer that
 * it was. Evidence: how the pod ended, or a claim newer than the peer. Anything less means waiting.
 */
export function volumeLost(world: World, member: Member): boolean {
  if (member.view !== undefined || member.ordinal === undefined) return false;
  const pod = world.pods.find(({ ordinal }) => ordinal === member.ordinal);
  if (pod === undefined || pod.terminating || pod.ready || pod.lastExit === undefined || pod.lastExit.code === 0) {
    return false;
  }
  return joinRefused(world, member, pod.lastExit) || newerClaim(world, member);
}

/** A successor that joined a moment ago inherits its pod's last words: they were said about the peer before it. */
function joinRefused({ claims }: World, member: Member, { code, message, seconds }: Exit): boolean {
  const [, holder] = ADDRESS_TAKEN.exec(message) ?? [];
  if (holder !== undefined) return holder === String(member.id);
  const claim = claims.find(({ ordinal, volume }) => ordinal === member.ordinal && volume === STORAGE_VOLUME);
  const lived = claim?.peer === String(member.id);
  return lived && VOLUME_WAS_EMPTY.test(message) && code < SIGNALS_FROM && seconds <= REFUSED_WITHIN_SECONDS;
}

/** A peer that was seen is noted on its claim, so a claim without a note came after it. */
function newerClaim({ cluster, claims }: World, { ordinal, id }: Member): boolean {
  const known = cluster.status?.peers?.some((peer) => peer.ordinal === ordinal && peer.peerId === id) ?? false;
  const claim = claims.find((one) => one.ordinal === ordinal && one.volume === STORAGE_VOLUME);
  return known && claim !== undefined && claim.peer === undefined;
}

/** A member whose pod answers under another id: what is left of a peer that was replaced. */
export function replaced(world: World, member: Member): boolean {
  return (
    member.view === undefined &&
    (world.view?.peers ?? []).some((peer) => peer.reachable && peer.name === member.name && peer.peerId !== member.id)
  );
}

/** Gives up a peer that lost its volume: drops its replicas where others are Active, then the peer. Never by force (S3). */
export function healLostPeer(world: World, topology: Topology): Proposal | undefined {
  const member = topology.members.find((one) => volumeLost(world, one) || replaced(world, one));
  if (member === undefined) return undefined;
  const situation: Situation = { world, topology, ordinal: member.ordinal, member };
  const target = member.name;
  const proposals = replicasOn(topology, member.id).map((shard) =>
    gated(
      'dropLostReplica',
      { ...situation, shard },
      {
        name: 'Heal',
        step: 'DropLostReplicas',
        target,
        does: { kind: 'dropReplica', collection: shard.collection, shard: shard.id, peer: member.id },
      },
    ),
  );
  return (
    proposals.find(({ step }) => step !== undefined) ??
    proposals[0] ??
    gated('removeLostPeer', situation, {
      name: 'Heal',
      step: 'RemoveLostPeer',
      target,
      does: { kind: 'removePeer', peer: member.id, name: member.name },
    })
  );
}

/** Brings shards with too few replicas back to their collection's replication factor. */
export function replenish(world: World, topology: Topology): Proposal | undefined {
  if (topology.disagreements.length > 0 || topology.members.some(({ view }) => view === undefined)) return undefined;
  const copies = missingCopies(topology, world.replicationFactors, keepers(world, topology));
  if (copies.length === 0) return undefined;
  const transfers = copies.slice(0, freeSlots(topology));
  const target = firstFew(copies.map(({ collection, shard }) => `${collection}/${shard}`));
  const operation = { name: 'Heal', step: 'ReplicateShards', target, blockedBy: [] } as const;
  return transfers.length === 0
    ? { operation, exclusive: true }
    : { operation, step: { kind: 'startTransfers', transfers }, exclusive: true };
}

/** Says what heals by itself: the kubelet restarts pods, Qdrant recovers replicas that are Dead. */
export function watchRecovery(world: World, topology: Topology): Proposal | undefined {
  const silent = topology.members
    .filter((member) => member.standing === 'silent' && !stillJoining(world, member))
    .map(({ name }) => name);
  const operation = (step: string, names: readonly string[]): Proposal => ({
    operation: { name: 'Heal', step, target: firstFew(names), blockedBy: [] },
    exclusive: false,
  });
  if (silent.length > 0) return operation('WaitForPeers', silent);
  const dead = topology.shards.filter(({ replicas }) =>
    replicas.some((replica) => !isActive(replica) && replica.states.includes('Dead')),
  );
  return dead.length === 0 ? undefined : operation('WaitForReplicas', dead.map(shardName));
}
